import { type Random, utf8 } from '@weft/core'
import { blake2bMac, wipe } from '../sodium.ts'
import type { Endpoint } from './endpoint.ts'
import { COOKIE_SECRET_MS } from './timing.ts'

export const COOKIE_BYTES = 16
const SECRET_BYTES = 32

/**
 * Cookies of a responder (WireGuard's paper, section 5.4.7): a MAC of the sender's address and port, under a secret that
 * changes every two minutes. Who shows one receives at that address; the responder keeps nothing for it.
 */
export class CookieMaker {
  readonly #random: Random
  readonly #cookie = new Uint8Array(COOKIE_BYTES)
  #secret: Uint8Array | undefined
  #madeAt = -Infinity

  constructor(random: Random) {
    this.#random = random
  }

  /** The cookie of a sender at `now` (monotonic ms); valid until the next call. */
  of({ address, port }: Endpoint, now: number): Uint8Array {
    if (this.#secret === undefined || now - this.#madeAt >= COOKIE_SECRET_MS) {
      this.wipe()
      this.#secret = this.#random.bytes(SECRET_BYTES)
      this.#madeAt = now
    }
    blake2bMac(this.#cookie, utf8(`${address}|${port}`), this.#secret)
    return this.#cookie
  }

  wipe(): void {
    if (this.#secret !== undefined) wipe(this.#secret)
    this.#secret = undefined
  }
}
