import type { Random } from '@weft/core'
import { PACKET_SIZE } from './sizes.ts'

/** Of the packet; and of the datagram that carries it, below the 1,232 that every path of IPv6 takes (RFC 8200, section 5). */
const HALF = PACKET_SIZE / 2
/** 95 random bits that both halves of a packet have, and one that says which it is. */
const HEAD_BYTES = 12
export const HALF_SIZE = HEAD_BYTES + HALF
const WHICH_AT = HEAD_BYTES - 1
/** Heads made at once. */
const HEADS = 256

/** Writes packets as two datagrams each (docs/specs/packets.md, «Halves»). */
export class HalfWriter {
  readonly #random: Random
  #heads: Uint8Array = new Uint8Array(0)
  #at = 0

  constructor(random: Random) {
    this.#random = random
  }

  /** @param out room for both, 2 x 732 bytes from `offset` */
  write(packet: Uint8Array, out: Uint8Array, offset: number): void {
    if (this.#at === this.#heads.length) {
      this.#heads = this.#random.bytes(HEADS * HEAD_BYTES)
      this.#at = 0
    }
    const head = this.#heads.subarray(this.#at, this.#at + HEAD_BYTES)
    this.#at += HEAD_BYTES
    for (const which of [0, 1]) {
      const at = offset + which * HALF_SIZE
      out.set(head, at)
      out[at + WHICH_AT] = ((head[WHICH_AT] as number) & 0xfe) | which
      out.set(packet.subarray(which * HALF, (which + 1) * HALF), at + HEAD_BYTES)
    }
  }
}

/** One half that waits for the other. */
interface Waiting {
  readonly bytes: Uint8Array
  from: unknown
  number: number
}

/**
 * Puts halves together, each with the one that came from the same sender under the same head. Keeps a bounded number of halves; a new one takes
 * the place of the oldest. Nothing is known of who sends them: what is put together is judged as any packet is.
 */
export class HalfReader {
  readonly #capacity: number
  /** By the first 4 bytes of their head; on a clash the newer stays. */
  readonly #byNumber = new Map<number, Waiting>()
  /** In the order in which they came, in a ring. */
  readonly #ring: Waiting[] = []
  #next = 0
  /** Halves whose other half did not come in time. */
  lost = 0

  constructor(capacity = 1_024) {
    this.#capacity = capacity
  }

  /**
   * A half came: 732 bytes of `bytes` from `offset`.
   * @param from compared by identity
   * @param into takes the packet, 1440 bytes, when that makes it whole
   * @returns whether it does
   */
  read(bytes: Uint8Array, offset: number, from: unknown, into: Uint8Array): boolean {
    const number =
      (((bytes[offset] as number) << 24) |
        ((bytes[offset + 1] as number) << 16) |
        ((bytes[offset + 2] as number) << 8) |
        (bytes[offset + 3] as number)) >>>
      0
    const known = this.#byNumber.get(number)
    if (known === undefined || known.from !== from || !isOther(known.bytes, bytes, offset)) {
      this.#keep(number, bytes, offset, from)
      return false
    }
    this.#byNumber.delete(number)
    known.from = undefined
    const which = (bytes[offset + WHICH_AT] as number) & 1
    into.set(bytes.subarray(offset + HEAD_BYTES, offset + HALF_SIZE), which * HALF)
    into.set(known.bytes.subarray(HEAD_BYTES), (1 - which) * HALF)
    return true
  }

  #keep(number: number, bytes: Uint8Array, offset: number, from: unknown): void {
    let slot = this.#ring[this.#next]
    if (slot === undefined) {
      slot = { bytes: new Uint8Array(HALF_SIZE), from: undefined, number: 0 }
      this.#ring.push(slot)
    } else if (slot.from !== undefined) {
      this.lost++
      if (this.#byNumber.get(slot.number) === slot) this.#byNumber.delete(slot.number)
    }
    this.#next = (this.#next + 1) % this.#capacity
    slot.bytes.set(bytes.subarray(offset, offset + HALF_SIZE))
    slot.from = from
    slot.number = number
    this.#byNumber.set(number, slot)
  }
}

/** Whether the heads differ in the one bit alone. */
function isOther(known: Uint8Array, bytes: Uint8Array, offset: number): boolean {
  for (let at = 0; at < WHICH_AT; at++) if (known[at] !== bytes[offset + at]) return false
  return ((known[WHICH_AT] as number) ^ (bytes[offset + WHICH_AT] as number)) === 1
}
