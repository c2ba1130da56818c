/** What `weft network create` is told. */
export interface NewNetwork {
  /** Lower-case letters, digits and dashes. */
  readonly name: string
  /** The home of the node that becomes a genesis validator; its key is made when it has none. */
  readonly home: string
  /** Where others reach that node, `/ip4/ADDRESS/tcp/PORT`. */
  readonly addresses: readonly string[]
  readonly family: string
  /** Genesis validators of other people. */
  readonly others: readonly { readonly id: string; readonly addresses: readonly string[]; readonly family: string }[]
  /** Ways to be admitted, each of which is enough. */
  readonly policy: readonly string[]
  /** Whose invitations count; none for each validator. */
  readonly inviters: readonly string[]
  /** Who may attest the energy of members. */
  readonly attesters?: readonly string[]
  /** ms; undefined for the default. */
  readonly mapEpochMs?: number | undefined
  /** ms; undefined for the default. */
  readonly rotateMs?: number | undefined
  /** ms since the epoch. */
  readonly now: number
}
