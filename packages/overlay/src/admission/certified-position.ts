import { beaconPosition } from '../beacon/beacon-position.ts'
import type { Beacon } from '../beacon/beacon.ts'
import type { CertificateBody } from './certificate-body.ts'
import type { CertifiedPosition } from './position-field.ts'

/**
 * The position that the next certificate of a node has to name: that of the one it holds, else where the first beacon
 * after this one puts it (docs/specs/beacon.md, Position).
 * @param held the certificate that is valid now; undefined for a newcomer, who has none yet
 * @param after the first beacon of a later epoch, as far as it is known
 */
export function certifiedPosition(
  held: Pick<CertificateBody, 'key' | 'position' | 'issuedEpoch'> | undefined,
  after: (epoch: number) => Pick<Beacon, 'epoch' | 'value'> | undefined,
): CertifiedPosition | undefined {
  if (held === undefined || held.position !== undefined) return held?.position
  const beacon = after(held.issuedEpoch)
  return beacon === undefined ? undefined : { epoch: beacon.epoch, value: beaconPosition(held.key, beacon.value) }
}
