import type { DidKey } from '@weft/crypto'
import type { Role } from '@weft/overlay'

/** What the packet path needs of a member of the signed map: plain data, so that it crosses to a worker. */
export interface RouteMember {
  readonly id: DidKey
  /** 32 bytes, Ed25519: the node's key. */
  readonly key: Uint8Array
  readonly roles: readonly Role[]
  /** Where its packets go: the first of its addresses. */
  readonly endpoint: { readonly address: string; readonly port: number }
  /** Its other addresses. */
  readonly moreEndpoints?: readonly { readonly address: string; readonly port: number }[]
  /** 32 bytes each, X25519. */
  readonly linkKey: Uint8Array
  readonly onionKey: Uint8Array
  readonly family: string
  /** /16 or /32 of the address that diversity rules look at. */
  readonly prefix: string
  /** 0 where it is not known. */
  readonly asn: number
  readonly country: string
  readonly region: string
  readonly simulated: boolean
  /** Mbit/s each way, as validators found it to hold; undefined where it claimed nothing. */
  readonly bandwidthMbps?: number | undefined
}
