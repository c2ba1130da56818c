import type { IpChannel } from '@weft/onion'
import type { IpHeader } from '../ip/ip-header.ts'

/** Bits in which a client's counterparts are noted. */
const NOTED_BITS = 1 << 14

/** One session's channel of IP packets at the exit, with the addresses that it was given. */
export class IpClient {
  readonly number: number
  readonly channel: IpChannel
  readonly wake: () => void
  /** By version: its own address. */
  readonly address4: Uint8Array
  readonly address6: Uint8Array
  /**
   * Whom it has sent something to, as bits of a hash: others are not heard. So who gets an address that another had before hears
   * nothing of what was said to that one. One in a hundred strangers of a client with 160 counterparts passes; it has no other worth.
   */
  readonly #noted = new Uint8Array(NOTED_BITS / 8)
  /** Whether it sent anything on. */
  hasSent = false
  /** Monotonic ms until which words about refusals were told ahead of their time. */
  toldUntil = Number.NEGATIVE_INFINITY

  constructor(number: number, channel: IpChannel, wake: () => void, address4: Uint8Array, address6: Uint8Array) {
    this.number = number
    this.channel = channel
    this.wake = wake
    this.address4 = address4
    this.address6 = address6
  }

  addressFor({ version }: IpHeader): Uint8Array {
    return version === 4 ? this.address4 : this.address6
  }

  /** It sent something to the address at `at`. */
  note(bytes: Uint8Array, at: number, length: number): void {
    const bit = bitOf(bytes, at, length)
    this.hasSent = true
    this.#noted[bit >> 3] = (this.#noted[bit >> 3] as number) | (1 << (bit & 7))
  }

  /** Whether it sent something to the address at `at`. */
  hasNoted(bytes: Uint8Array, at: number, length: number): boolean {
    const bit = bitOf(bytes, at, length)
    return ((this.#noted[bit >> 3] as number) & (1 << (bit & 7))) !== 0
  }
}

/** FNV-1a. */
function bitOf(bytes: Uint8Array, at: number, length: number): number {
  let hash = 0x811c9dc5
  for (let i = at; i < at + length; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193)
  return ((hash >>> 16) ^ hash) & (NOTED_BITS - 1)
}
