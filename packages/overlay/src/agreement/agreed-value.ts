import { MAX_AGREED_VALUE } from '@weft/wire'
import { decodeCanonical, encodeCanonical } from '../codec/canonical-cbor.ts'
import { integerOf, listOf, textOf, tupleOf } from '../codec/strict-values.ts'
import { malformed } from './malformed.ts'

/** What validators agree on in an epoch: byte strings by name (docs/specs/agreement.md, Value). */
export type AgreedValue = ReadonlyMap<string, Uint8Array>

const VERSION = 1
const MAX_PARTS = 8
const NAME = /^[a-z][a-z-]*$/
const MAX_NAME = 32

/** dag-cbor of the parts, sorted by name. */
export function encodeAgreedValue(value: AgreedValue): Uint8Array {
  return encodeCanonical([VERSION, [...value].sort(([a], [b]) => (a < b ? -1 : 1))])
}

/** @throws WeftError E_AGREEMENT_MALFORMED */
export function decodeAgreedValue(bytes: Uint8Array): AgreedValue {
  const tuple = tupleOf(decodeCanonical(bytes, MAX_AGREED_VALUE, malformed), 'value', 2, malformed)
  integerOf(tuple[0], 'version', VERSION, VERSION, malformed)
  const parts = listOf(tuple[1], 'parts', 1, MAX_PARTS, malformed, (item, path): [string, Uint8Array] => {
    const [name, part] = tupleOf(item, path, 2, malformed)
    if (!(part instanceof Uint8Array)) throw malformed(`${path} has no bytes`)
    return [textOf(name, `${path} name`, NAME, MAX_NAME, malformed), part]
  })
  for (let at = 1; at < parts.length; at++) {
    if ((parts[at - 1]?.[0] ?? '') >= (parts[at]?.[0] ?? '')) throw malformed('its parts are not sorted by name')
  }
  return new Map(parts)
}
