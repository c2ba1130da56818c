import { WeftError } from '@weft/core'
import { merkleLeafHash } from '@weft/crypto'
import { decodeCertificateBody, memberOf } from '../admission/certificate-body.ts'
import type { Member } from '../member.ts'

/** One entry of a map, read once and shared by all maps that have it. */
export interface MapEntry {
  /** The body of a certificate, as it came. */
  readonly bytes: Uint8Array
  /** Its leaf in the Merkle tree of the map, 32 bytes. */
  readonly leaf: Uint8Array
  /** 32 bytes: entries are sorted by it. */
  readonly key: Uint8Array
  readonly member: Member
}

/** @param leaf when it is known @throws WeftError E_CERTIFICATE_MALFORMED, E_MAP_ENTRIES */
export function readMapEntry(network: string, bytes: Uint8Array, leaf = merkleLeafHash(bytes)): MapEntry {
  const body = decodeCertificateBody(bytes)
  if (body.network !== network) throw refuseEntries(`an entry is of the network ${body.network}`)
  return { bytes, leaf, key: body.key, member: memberOf(body, bytes) }
}

/** What is said of entries from another node that do not fit. @param why without a full stop */
export function refuseEntries(why: string, origin?: unknown): WeftError {
  return new WeftError({
    code: 'E_MAP_ENTRIES',
    cause: `The entries of a map are refused: ${why}.`,
    fix: 'Nothing to do: they are asked of another node.',
    retryable: true,
    origin,
  })
}
