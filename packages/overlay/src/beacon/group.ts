import { equalBytes } from '@weft/core'
import binding from 'sodium-native/binding.js'
import { SCALAR_BYTES } from './scalar.ts'

/**
 * The group of the beacon (docs/specs/beacon.md, Group): the subgroup of prime order of edwards25519 (RFC 8032, section
 * 5.1), written additively. An element is its 32-byte encoding (section 5.1.2), which is the only one.
 */
export type Element = Uint8Array

export const ELEMENT_BYTES = 32

/** The base point of RFC 8032. */
export const BASE: Element = Uint8Array.fromHex('58'.padEnd(ELEMENT_BYTES * 2, '6'))
/** The neutral element. It is no valid input from outside: whatever is multiplied must not be it. */
export const IDENTITY: Element = Uint8Array.fromHex('01'.padEnd(ELEMENT_BYTES * 2, '0'))

/** Whether these bytes are an element other than the neutral one: canonical, on the curve, of prime order. */
export function isElement(bytes: Uint8Array): boolean {
  return bytes.length === ELEMENT_BYTES && binding.crypto_core_ed25519_is_valid_point(bytes)
}

/**
 * The element times a scalar, in constant time. Undefined when the bytes are no element in the sense of
 * {@link isElement}, or the scalar is zero.
 */
export function multiply(scalar: Uint8Array, element: Uint8Array): Element | undefined {
  checkLength('scalar', scalar, SCALAR_BYTES)
  if (element.length !== ELEMENT_BYTES) return undefined
  const product = new Uint8Array(ELEMENT_BYTES)
  // The base point has tables of its own, several times as fast.
  const failed = equalBytes(element, BASE)
    ? binding.crypto_scalarmult_ed25519_base_noclamp(product, scalar)
    : binding.crypto_scalarmult_ed25519_noclamp(product, scalar, element)
  return failed === 0 ? product : undefined
}

/** The sum of two elements that were checked or computed here. @throws RangeError when one of them is none. */
export function add(a: Element, b: Element): Element {
  return combine(a, b, (sum, p, q) => binding.crypto_core_ed25519_add(sum, p, q))
}

/** The difference of two elements that were checked or computed here. @throws RangeError when one of them is none. */
export function subtract(a: Element, b: Element): Element {
  return combine(a, b, (difference, p, q) => binding.crypto_core_ed25519_sub(difference, p, q))
}

function combine(
  a: Element,
  b: Element,
  operation: (out: Uint8Array, a: Uint8Array, b: Uint8Array) => number,
): Element {
  checkLength('element', a, ELEMENT_BYTES)
  checkLength('element', b, ELEMENT_BYTES)
  const out = new Uint8Array(ELEMENT_BYTES)
  if (operation(out, a, b) !== 0) throw new RangeError('group: an operand is not on the curve')
  return out
}

/** Sum of each element times its scalar. Undefined when one of them is no element, or a scalar is zero. */
export function weightedSum(scalars: readonly Uint8Array[], elements: readonly Uint8Array[]): Element | undefined {
  let sum = IDENTITY
  for (const [at, scalar] of scalars.entries()) {
    const product = multiply(scalar, elements[at] as Uint8Array)
    if (product === undefined) return undefined
    sum = add(sum, product)
  }
  return sum
}

function checkLength(name: string, bytes: Uint8Array, expected: number): void {
  if (bytes.length !== expected) throw new RangeError(`group: ${name} has ${bytes.length} bytes, expected ${expected}`)
}
