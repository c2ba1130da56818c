import { type Random, equalBytes } from '@weft/core'
import { type Endpoint, isSameEndpoint } from './endpoint.ts'
import { ASK_AGAIN_MS } from './timing.ts'

export const PING_BYTES = 8

/**
 * Whether the other side of a link is where its packets come from lately. The source of a datagram is anybody's to write, so
 * nothing but a ping goes there until it is answered from there (RFC 9000, section 8.2). Otherwise a client could point a
 * download at somebody else.
 */
export class AddressCheck {
  readonly #random: Random
  #asked: { readonly endpoint: Endpoint; readonly token: Uint8Array } | undefined
  #askedAt = -Infinity

  constructor(random: Random) {
    this.#random = random
  }

  /**
   * What to ask at the address by a ping; undefined when one was asked lately. It does not matter which: else a sender of many
   * addresses would have a packet sent to each.
   */
  ask(endpoint: Endpoint, now: number): Uint8Array | undefined {
    if (now - this.#askedAt < ASK_AGAIN_MS) return undefined
    const token = this.#random.bytes(PING_BYTES)
    this.#asked = { endpoint, token }
    this.#askedAt = now
    return token
  }

  /** The address that was asked, when this pong came from there and is its answer. */
  answered(content: Uint8Array, from: Endpoint): Endpoint | undefined {
    const asked = this.#asked
    if (asked === undefined || !isSameEndpoint(from, asked.endpoint)) return undefined
    if (!equalBytes(content.subarray(0, PING_BYTES), asked.token)) return undefined
    this.#asked = undefined
    return asked.endpoint
  }
}
