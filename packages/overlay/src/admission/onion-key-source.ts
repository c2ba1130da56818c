import type { Member } from '../member.ts'
import { STALE_EPOCHS } from '../map/signed-membership.ts'
import type { NetworkFile } from '../network/network-file.ts'

/** Onion keys of a node that carries packets: each certificate has another (docs/adr/0053-onion-keys-change-with-certificates.md). */
export interface OnionKeySource {
  /** Public key for the certificate that is applied for; the same until one has it. Its secret outlasts a restart. */
  next(): Uint8Array
  /** Whether its secret is there. */
  has(publicKey: Uint8Array): boolean
  /** A certificate of this node has the key. @param expiresAt ms since the Unix epoch: when that certificate ends */
  certified(publicKey: Uint8Array, expiresAt: number): void
  /** What the map that this node holds says of it now; undefined when it is not in it. */
  listed(self: Pick<Member, 'packets' | 'expiresAt'> | undefined): void
}

const MOST_OVERLAP_MS = 2 * 3_600_000

/**
 * How long a hop goes on answering under an onion key that a newer map has no more, ms: as long as a map may be used that is not
 * called stale, and longer where certificates are long, for clients that were asleep or cut off.
 */
export function onionKeyOverlapMs({
  mapEpochMs,
  certificateTtlMs,
}: Pick<NetworkFile, 'mapEpochMs' | 'certificateTtlMs'>): number {
  return Math.max((STALE_EPOCHS + 1) * mapEpochMs, Math.min(MOST_OVERLAP_MS, Math.floor(certificateTtlMs / 12)))
}
