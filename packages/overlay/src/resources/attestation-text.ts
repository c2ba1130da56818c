import { WeftError, fromBase64Url, toBase64Url } from '@weft/core'
import type { SignedEnvelope } from '@weft/crypto'
import { decodeCanonical, encodeCanonical } from '../codec/canonical-cbor.ts'
import { bytesOf, tupleOf } from '../codec/strict-values.ts'
import { MAX_ATTESTATION } from './attestation.ts'

const PREFIX = 'weft-attest-'
/** What stands around the statement: a signer, a signature, and their lengths. */
const MAX_BYTES = MAX_ATTESTATION + 128

/** An attestation as people pass it on: `weft-attest-` and base64url of the list `[statement, signer, signature]`. No secret. */
export function formatAttestation({ payload, signer, signature }: SignedEnvelope): string {
  return PREFIX + toBase64Url(encodeCanonical([payload, signer, signature]))
}

/** @throws WeftError E_ATTESTATION_TEXT */
export function parseAttestation(text: string): SignedEnvelope {
  if (!text.startsWith(PREFIX)) throw refuse(`it does not begin with ${PREFIX}`)
  if (text.length > PREFIX.length + 2 * MAX_BYTES) throw refuse(`it has ${text.length} characters, which is too long`)
  let bytes: Uint8Array
  try {
    bytes = fromBase64Url(text.slice(PREFIX.length))
  } catch {
    throw refuse('it is not base64url behind its beginning')
  }
  const [payload, signer, signature] = tupleOf(decodeCanonical(bytes, MAX_BYTES, refuse), 'attestation', 3, refuse)
  if (!(payload instanceof Uint8Array) || payload.length > MAX_ATTESTATION)
    throw refuse(`its statement is not at most ${MAX_ATTESTATION} bytes`)
  return {
    payload,
    signer: bytesOf(signer, 'signer', 32, refuse),
    signature: bytesOf(signature, 'signature', 64, refuse),
  }
}

function refuse(why: string): WeftError {
  return new WeftError({
    code: 'E_ATTESTATION_TEXT',
    cause: `This is no attestation that can be read: ${why}.`,
    fix: 'Copy the whole line that weft network attest printed; it begins with weft-attest-.',
  })
}
