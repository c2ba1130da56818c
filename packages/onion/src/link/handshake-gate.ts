import { type Random } from '@weft/core'
import type { Aead } from '../packet/aead.ts'
import type { Packet } from '../packet/packet.ts'
import { TokenBuckets } from '../token-buckets.ts'
import { CookieMaker } from './cookie.ts'
import { type CookieReplies } from './cookie-reply.ts'
import { type Endpoint, limitNetwork, limitPrefix } from './endpoint.ts'
import { HandshakeQueue, type WaitingHandshake } from './handshake-queue.ts'
import { INITIATION_MESSAGE_AT, INITIATION_MESSAGE_END, isProven, openInitiation } from './initiation-packet.ts'
import type { LinkCounters, LinkLimits } from './link-limits.ts'
import { LOAD_LASTS_MS } from './timing.ts'

export interface HandshakeGateOptions {
  readonly limits: LinkLimits
  readonly counters: LinkCounters
  readonly random: Random
  /** Opens what hides initiations; wiped with the gate. */
  readonly hiding: Aead
  /** Wiped with the gate. */
  readonly replies: CookieReplies
  /** Handshakes that were answered and that no packet confirmed. */
  readonly unconfirmed: () => number
  /** Whether there is a link with somebody of the prefix. */
  readonly isKnown: (prefix: string) => boolean
  /** Sends the packet that the gate wrote. */
  readonly send: (bytes: Uint8Array, to: Endpoint) => void
}

/**
 * What stands between an initiation and the thousand times dearer work of looking into it, after WireGuard's paper, section
 * 5.3: a queue of its own, which lets packets of links pass by, and cookies as soon as that queue grows. From then on nobody is
 * worked for who did not show that he receives at the address that he sends from, nor for one address more than for others.
 */
export class HandshakeGate {
  readonly #options: HandshakeGateOptions
  readonly #queue: HandshakeQueue
  readonly #cookies: CookieMaker
  /** Of prefixes whose senders proved to receive there, and of their networks. */
  readonly #rates: TokenBuckets
  readonly #networkRates: TokenBuckets
  /** Monotonic ms. */
  #loadedUntil = -Infinity
  /** Packets that came here in this turn. */
  #tried = 0
  #replied = 0

  constructor(options: HandshakeGateOptions) {
    this.#options = options
    this.#queue = new HandshakeQueue(options.limits.waitingHandshakes)
    this.#cookies = new CookieMaker(options.random)
    const { handshakesPerPrefix, handshakesPerNetwork } = options.limits
    this.#rates = new TokenBuckets(handshakesPerPrefix, handshakesPerPrefix)
    this.#networkRates = new TokenBuckets(handshakesPerNetwork, handshakesPerNetwork)
  }

  /** Handshakes that wait to be looked into. */
  get waiting(): number {
    return this.#queue.length
  }

  /** Packets that came here since the last {@link endTurn}. */
  get tried(): number {
    return this.#tried
  }

  endTurn(): void {
    this.#tried = 0
    this.#replied = 0
  }

  /** A packet that is none of a link. Its bytes are changed. @param scratch where a reply is written */
  receive(packet: Packet, from: Endpoint, now: number, scratch: Packet): void {
    const { hiding, counters, limits, isKnown } = this.#options
    // What is more than fits the turn would be paid for by packets of links, in the socket's buffer.
    if (this.#tried >= limits.initiationsPerTurn) {
      counters.tooManyHandshakes++
      return
    }
    this.#tried++
    if (!openInitiation(hiding, packet)) {
      counters.unknown++
      return
    }
    const isLoaded = this.#isLoaded(now)
    if (isLoaded) {
      const cookie = this.#cookies.of(from, now)
      if (!isProven(packet, cookie)) {
        this.#reply(packet, from, cookie, scratch)
        return
      }
    }
    const prefix = limitPrefix(from.address)
    if (isLoaded && !this.#mayAsk(prefix, now)) {
      counters.tooManyHandshakes++
      return
    }
    const reserve = isKnown(prefix) ? 0 : limits.waitingHandshakes / 4
    const message = packet.bytes.subarray(INITIATION_MESSAGE_AT, INITIATION_MESSAGE_END)
    if (!this.#queue.add(message, from, reserve)) counters.tooManyHandshakes++
  }

  #mayAsk(prefix: string, now: number): boolean {
    return this.#rates.take(prefix, now) && this.#networkRates.take(limitNetwork(prefix), now)
  }

  take(): WaitingHandshake | undefined {
    return this.#queue.take()
  }

  close(): void {
    this.#queue.clear()
    this.#cookies.wipe()
    this.#options.hiding.wipe()
    this.#options.replies.wipe()
  }

  #reply(initiation: Packet, from: Endpoint, cookie: Uint8Array, scratch: Packet): void {
    const { counters, limits, replies, send } = this.#options
    if (this.#replied >= limits.cookieRepliesPerTurn) {
      counters.tooManyHandshakes++
      return
    }
    this.#replied++
    counters.cookieReplies++
    replies.write(scratch, initiation, cookie)
    send(scratch.bytes, from)
  }

  /** By what waits now, or waited within the last second: a flood that cookies keep out would otherwise let itself in again. */
  #isLoaded(now: number): boolean {
    const { limits, unconfirmed } = this.#options
    if (this.#queue.length >= limits.loadedFrom || unconfirmed() >= limits.handshakes / 2)
      this.#loadedUntil = now + LOAD_LASTS_MS
    return now < this.#loadedUntil
  }
}
