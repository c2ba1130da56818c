import { type Random } from '@weft/core'

const POOL_BYTES = 32_768

/** Random bytes by the hundred for padding and counter steps: asked for in large pieces, since a call for each packet costs more than its cipher. */
export class Padding {
  readonly #random: Random
  #pool: Uint8Array = new Uint8Array(0)
  #at = 0

  constructor(random: Random) {
    this.#random = random
  }

  /** Fills `bytes` from `start` to its end; at most 32 KiB. */
  fill(bytes: Uint8Array, start: number): void {
    const length = bytes.length - start
    if (this.#at + length > this.#pool.length) this.#renew()
    const pool = this.#pool
    let at = this.#at
    // A loop: `set` would need a view made for each packet.
    for (let i = start; i < bytes.length; i++) bytes[i] = pool[at++] as number
    this.#at = at
  }

  /** 1 to 4, uniform. */
  step(): number {
    if (this.#at === this.#pool.length) this.#renew()
    return 1 + ((this.#pool[this.#at++] as number) & 3)
  }

  /** Uniform in [0, 1), in steps of 2^-32: for what chance decides, never for keys. */
  fraction(): number {
    if (this.#at + 4 > this.#pool.length) this.#renew()
    const pool = this.#pool
    const high = ((pool[this.#at] as number) << 8) | (pool[this.#at + 1] as number)
    const low = ((pool[this.#at + 2] as number) << 8) | (pool[this.#at + 3] as number)
    this.#at += 4
    return (high * 65_536 + low) / 2 ** 32
  }

  /** A first counter: uniform below 2^31. */
  firstCounter(): number {
    const bytes = this.#random.bytes(4)
    return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0) >>> 1
  }

  #renew(): void {
    this.#pool = this.#random.bytes(POOL_BYTES)
    this.#at = 0
  }
}
