import { SessionViolation } from './session-violation.ts'

/** Variable-length integers of RFC 9000, section 16, in the shortest form only; values are JS-safe integers. */

const ONE = 0x40
const TWO = 0x4000
const FOUR = 0x4000_0000

/** Bytes that `value` takes: 1, 2, 4 or 8. */
export function varintLength(value: number): number {
  if (value < ONE) return 1
  if (value < TWO) return 2
  return value < FOUR ? 4 : 8
}

/** Writes `value` (a safe integer, not negative) at `at`; returns the offset behind it. The caller has made sure of the room. */
export function writeVarint(value: number, out: Uint8Array, at: number): number {
  if (value < ONE) {
    out[at] = value
    return at + 1
  }
  if (value < TWO) {
    out[at] = 0x40 | (value >>> 8)
    out[at + 1] = value
    return at + 2
  }
  if (value < FOUR) {
    out[at] = 0x80 | (value >>> 24)
    out[at + 1] = value >>> 16
    out[at + 2] = value >>> 8
    out[at + 3] = value
    return at + 4
  }
  const high = Math.floor(value / 0x1_0000_0000)
  out[at] = 0xc0
  out[at + 1] = high >>> 16
  out[at + 2] = high >>> 8
  out[at + 3] = high
  out[at + 4] = value >>> 24
  out[at + 5] = value >>> 16
  out[at + 6] = value >>> 8
  out[at + 7] = value
  return at + 8
}

/** Reads a packet's bytes from the front; every method throws SessionViolation where the bytes end too early or are not in the only valid form. */
export class PayloadCursor {
  bytes: Uint8Array = new Uint8Array(0)
  at = 0

  reset(bytes: Uint8Array): void {
    this.bytes = bytes
    this.at = 0
  }

  get left(): number {
    return this.bytes.length - this.at
  }

  byte(): number {
    const value = this.bytes[this.at]
    if (value === undefined) throw new SessionViolation('a frame ends too early')
    this.at++
    return value
  }

  /** Passes over `length` bytes; returns where they start. */
  skip(length: number): number {
    const start = this.at
    if (length > this.bytes.length - start) throw new SessionViolation('a frame ends too early')
    this.at = start + length
    return start
  }

  varint(): number {
    const first = this.byte()
    if (first < 0x40) return first
    const { bytes, at } = this
    if (first < 0x80) {
      this.skip(1)
      const value = ((first & 0x3f) << 8) | (bytes[at] ?? 0)
      if (value < ONE) throw new SessionViolation('an integer is not in its shortest form')
      return value
    }
    if (first < 0xc0) {
      this.skip(3)
      const value =
        ((first & 0x3f) << 24) | ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0)
      if (value < TWO) throw new SessionViolation('an integer is not in its shortest form')
      return value
    }
    this.skip(7)
    const high =
      (first & 0x3f) * 0x100_0000 + (((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0))
    const low =
      (((bytes[at + 3] ?? 0) << 24) |
        ((bytes[at + 4] ?? 0) << 16) |
        ((bytes[at + 5] ?? 0) << 8) |
        (bytes[at + 6] ?? 0)) >>>
      0
    if (high >= 0x20_0000) throw new SessionViolation('an integer is above 2^53 - 1')
    const value = high * 0x1_0000_0000 + low
    if (value < FOUR) throw new SessionViolation('an integer is not in its shortest form')
    return value
  }
}
