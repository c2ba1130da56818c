import { varintLength, writeVarint } from '@weft/wire'

/** Field 1 of LeaseListResponse, of wire type 2: length and bytes (protobuf.dev, Encoding). */
const LEASE_TAG = 0x0a

/** The encoding of a LeaseListResponse around the encodings of its leases, each of at most 2 MiB. */
export function encodeLeaseList(leases: readonly Uint8Array[]): Uint8Array {
  const length = leases.reduce((sum, lease) => sum + 1 + varintLength(lease.length) + lease.length, 0)
  const out = new Uint8Array(length)
  let at = 0
  for (const lease of leases) {
    out[at] = LEASE_TAG
    at = writeVarint(lease.length, out, at + 1)
    out.set(lease, at)
    at += lease.length
  }
  return out
}
