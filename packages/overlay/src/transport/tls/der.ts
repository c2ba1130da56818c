import { concatBytes } from '@weft/core'

/** The few forms of ASN.1 DER (ITU-T X.690) that a libp2p certificate needs, written and read by hand: no schema, no tree. */
export const TAG = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  boolean: 0x01,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const

/** A context-specific constructed tag, such as [3] EXPLICIT. */
export function contextTag(number: number): number {
  return 0xa0 | number
}

export function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = concatBytes(parts)
  return concatBytes([Uint8Array.of(tag, ...lengthBytes(content.length)), content])
}

function lengthBytes(length: number): number[] {
  if (length < 0x80) return [length]
  const bytes: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256)
  return [0x80 | bytes.length, ...bytes]
}

export interface DerValue {
  readonly tag: number
  readonly content: Uint8Array
  /** The whole value with its tag and length. */
  readonly bytes: Uint8Array
}

/** All values that follow one another in `bytes`. @throws RangeError when they are not DER. */
export function readDer(bytes: Uint8Array): DerValue[] {
  const values: DerValue[] = []
  let at = 0
  while (at < bytes.length) {
    const tag = byteAt(bytes, at)
    if ((tag & 0x1f) === 0x1f) throw new RangeError('DER: tags of several bytes are not used here')
    let header = 2
    let length = byteAt(bytes, at + 1)
    if (length >= 0x80) {
      const count = length & 0x7f
      if (count === 0 || count > 3) throw new RangeError('DER: the length is indefinite or too long')
      length = 0
      for (let i = 0; i < count; i++) length = length * 256 + byteAt(bytes, at + 2 + i)
      if (length < 0x80 || length < 256 ** (count - 1)) throw new RangeError('DER: the length is not minimal')
      header = 2 + count
    }
    const end = at + header + length
    if (end > bytes.length) throw new RangeError('DER: a value ends behind its container')
    values.push({ tag, content: bytes.subarray(at + header, end), bytes: bytes.subarray(at, end) })
    at = end
  }
  return values
}

/** The only value in `bytes`, which must have `tag`. @throws RangeError */
export function readOne(bytes: Uint8Array, tag: number): Uint8Array {
  const [value, ...rest] = readDer(bytes)
  if (value === undefined || rest.length > 0 || value.tag !== tag)
    throw new RangeError('DER: one value of another kind was expected')
  return value.content
}

function byteAt(bytes: Uint8Array, at: number): number {
  const byte = bytes[at]
  if (byte === undefined) throw new RangeError('DER: the bytes end inside a value')
  return byte
}
