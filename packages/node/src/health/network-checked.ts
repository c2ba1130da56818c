import type { NetworkFile, Overlay, ResourceDescriptor, Role } from '@weft/overlay'

/** What the checks of how this node stands towards its network look at. */
export interface NetworkChecked {
  readonly overlay: Pick<Overlay, 'self' | 'membership' | 'admission' | 'reach' | 'term' | 'seats' | 'lease'>
  readonly networkFile: NetworkFile
  /** Without `client`. */
  readonly roles: readonly Role[]
  /** By what they serve. */
  readonly ports: Readonly<Record<string, number>>
  /** Where it listens for others, and hosts at which they are to reach it, as far as that is said. */
  readonly listen: { readonly host: string; readonly declared: readonly string[] }
  /** Bytes that this node keeps for others. */
  readonly storageQuota: number
  /** What the operator says of it, or an attester; undefined for nothing. */
  readonly energy: ResourceDescriptor['energy']
}
