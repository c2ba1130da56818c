import { WeftError } from '@weft/core'
import { decodeCanonical, encodeCanonical } from '../codec/canonical-cbor.ts'
import { bytesOf, integerOf, textOf, tupleOf } from '../codec/strict-values.ts'
import { NETWORK_ID } from '../network/network-id.ts'

/** What an observer signs about another node that did not answer it (purpose `suspicion`; docs/specs/liveness.md). */
export interface Suspicion {
  readonly network: string
  /** 32 bytes: the key of the node that was silent. */
  readonly accused: Uint8Array
  /** The newest incarnation of the accused that the observer knows; 0 where it knows none. */
  readonly incarnation: number
  /** The observer's clock, ms since the Unix epoch. */
  readonly at: number
}

const VERSION = 1
const MAX_BYTES = 128

export function encodeSuspicion({ network, accused, incarnation, at }: Suspicion): Uint8Array {
  return encodeCanonical([VERSION, network, accused, incarnation, at])
}

/** @throws WeftError E_LIVENESS_MALFORMED */
export function decodeSuspicion(bytes: Uint8Array): Suspicion {
  const tuple = tupleOf(decodeCanonical(bytes, MAX_BYTES, refuse), 'suspicion', 5, refuse)
  const [version, network, accused, incarnation, at] = tuple
  integerOf(version, 'version', VERSION, VERSION, refuse)
  return {
    network: textOf(network, 'network', NETWORK_ID, 33, refuse),
    accused: bytesOf(accused, 'accused', 32, refuse),
    incarnation: integerOf(incarnation, 'incarnation', 0, Number.MAX_SAFE_INTEGER, refuse),
    at: integerOf(at, 'at', 0, Number.MAX_SAFE_INTEGER, refuse),
  }
}

function refuse(why: string): WeftError {
  return new WeftError({
    code: 'E_LIVENESS_MALFORMED',
    cause: `A suspicion cannot be used: ${why}.`,
    fix: 'The node that made it has to follow docs/specs/liveness.md; update the older of the two sides.',
  })
}
