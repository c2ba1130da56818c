import { WeftError } from '@weft/core'
import { decodeCanonical, encodeCanonical } from '../codec/canonical-cbor.ts'
import { bytesOf, integerOf, textOf, tupleOf } from '../codec/strict-values.ts'
import { NETWORK_ID } from '../network/network-id.ts'
import { NONCE_LENGTH } from './liveness-limits.ts'

/** What a node signs about itself (purpose `alive`; docs/specs/liveness.md). */
export interface SignOfLife {
  readonly network: string
  /** Takes back every suspicion of a lesser one. */
  readonly incarnation: number
  /** The asker's 16 random bytes, or none where the statement is for everybody. */
  readonly nonce: Uint8Array
}

const VERSION = 1
const MAX_BYTES = 128

export function encodeSignOfLife({ network, incarnation, nonce }: SignOfLife): Uint8Array {
  return encodeCanonical([VERSION, network, incarnation, nonce])
}

/** @throws WeftError E_LIVENESS_MALFORMED */
export function decodeSignOfLife(bytes: Uint8Array): SignOfLife {
  const tuple = tupleOf(decodeCanonical(bytes, MAX_BYTES, refuse), 'sign of life', 4, refuse)
  const [version, network, incarnation, nonce] = tuple
  integerOf(version, 'version', VERSION, VERSION, refuse)
  const length = nonce instanceof Uint8Array && nonce.length === 0 ? 0 : NONCE_LENGTH
  return {
    network: textOf(network, 'network', NETWORK_ID, 33, refuse),
    incarnation: integerOf(incarnation, 'incarnation', 1, Number.MAX_SAFE_INTEGER, refuse),
    nonce: bytesOf(nonce, 'nonce', length, refuse),
  }
}

function refuse(why: string): WeftError {
  return new WeftError({
    code: 'E_LIVENESS_MALFORMED',
    cause: `A sign of life cannot be used: ${why}.`,
    fix: 'The node that made it has to follow docs/specs/liveness.md; update the older of the two sides.',
  })
}
