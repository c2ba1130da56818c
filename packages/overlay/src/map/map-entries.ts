import { WeftError, compareBytes, equalBytes } from '@weft/core'
import { merkleLeafHash, merkleRootOfLeaves } from '@weft/crypto'
import { decodeCertificateBody, memberOf } from '../admission/certificate-body.ts'
import type { Member } from '../member.ts'
import type { MapBody } from './map-body.ts'

/** The root of a map: RFC 9162 over its entries, each the body of a certificate, sorted by public key. */
export function mapRoot(entries: readonly Uint8Array[]): Uint8Array {
  return merkleRootOfLeaves(entries.map(merkleLeafHash))
}

/**
 * Checks entries from anywhere against a map body that was verified, and reads them.
 * @throws WeftError E_MAP_ENTRIES, E_CERTIFICATE_MALFORMED
 */
export function verifyEntries(body: MapBody, entries: readonly Uint8Array[]): readonly Member[] {
  if (entries.length !== body.count) throw refuse(`${entries.length} entries came; the map has ${body.count}`)
  if (!equalBytes(mapRoot(entries), body.root))
    throw refuse('their Merkle root is not the one that the validators signed')
  let previous: Uint8Array | undefined
  return entries.map((bytes) => {
    const entry = decodeCertificateBody(bytes)
    if (entry.network !== body.network) throw refuse(`an entry is of the network ${entry.network}`)
    if (previous !== undefined && compareBytes(previous, entry.key) >= 0)
      throw refuse('they are not sorted by public key')
    previous = entry.key
    return memberOf(entry, bytes)
  })
}

function refuse(why: string): WeftError {
  return new WeftError({
    code: 'E_MAP_ENTRIES',
    cause: `The entries of a map are refused: ${why}.`,
    fix: 'Nothing to do: they are asked of another node.',
    retryable: true,
  })
}
