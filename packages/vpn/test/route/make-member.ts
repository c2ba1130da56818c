import { toDidKey } from '@weft/crypto'
import type { Role } from '@weft/overlay'
import type { RouteMember } from '../../src/route/route-member.ts'

/** A Curve25519 point of order 4: no key can be agreed on with it. */
export const LOW_ORDER_KEY = Uint8Array.of(1, ...new Uint8Array(31))

/** A member with keys, a family, a network and an AS of its own. `index` is from 1 to 60,000; each has another. */
export function makeMember(index: number, roles: readonly Role[], more: Partial<RouteMember> = {}): RouteMember {
  const key = new Uint8Array(32).fill(index)
  new DataView(key.buffer).setUint32(0, index)
  // A /16 for each, the first of them 10.1.0.0.
  const network = `${10 + (index >> 8)}.${index & 255}`
  return {
    id: toDidKey(key),
    key,
    roles,
    endpoint: { address: `${network}.0.1`, port: 4782 },
    linkKey: key,
    onionKey: key,
    family: `family-${index}`,
    prefix: `${network}.0.0/16`,
    asn: 64_512 + index,
    country: 'DE',
    region: 'europe',
    simulated: true,
    ...more,
  }
}
