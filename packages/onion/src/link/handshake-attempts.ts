import type { Endpoint } from './endpoint.ts'
import type { LinkInitiation } from './link-handshake.ts'
import type { LinkHost } from './link-host.ts'
import { COOKIE_LASTS_MS, HANDSHAKE_RETRIES, HANDSHAKE_RETRY_MS, RENEWAL_RETRY_MS } from './timing.ts'

/** After this time no answer to an initiation is expected any more; longer than all retries take. */
const FORGET_MS = 10_000

interface Attempt {
  readonly initiation: LinkInitiation
  readonly sentAt: number
}

/** The initiations of a link that may still be answered, and when the next is due. Times are monotonic ms. */
export class HandshakeAttempts<L extends { readonly endpoint: Endpoint }> {
  readonly #host: Pick<LinkHost<L>, 'scratch' | 'send' | 'initiate' | 'dropInitiation'>
  readonly #link: L
  /** Oldest first. */
  readonly #out: Attempt[] = []
  #tries = 0
  #startedAt = -Infinity
  #urgent = true
  #retryAt = Infinity
  #cookie: { readonly bytes: Uint8Array; readonly at: number } | undefined

  constructor(host: Pick<LinkHost<L>, 'scratch' | 'send' | 'initiate' | 'dropInitiation'>, link: L) {
    this.#host = host
    this.#link = link
  }

  /** When the next is to be sent; Infinity when no answer is missing. */
  get retryAt(): number {
    return this.#retryAt
  }

  /** So many as may be sent one after the other went without an answer, and something hangs on it. */
  get exhausted(): boolean {
    return this.#urgent && this.#tries > HANDSHAKE_RETRIES
  }

  /** Without an answer the link is as good as down. */
  get urgent(): boolean {
    return this.#urgent
  }

  /** When the first of those now running was sent. */
  get startedAt(): number {
    return this.#startedAt
  }

  /** Sends the first of a new handshake. @throws RangeError: the other side's key is of low order. */
  start(now: number, urgent: boolean): void {
    this.#tries = 0
    this.#startedAt = now
    this.#urgent = urgent
    this.retry(now)
  }

  /** Goes on at the pace of a renewal that has time. */
  calm(): void {
    this.#urgent = false
  }

  retry(now: number): void {
    const cookie =
      this.#cookie !== undefined && now - this.#cookie.at < COOKIE_LASTS_MS ? this.#cookie.bytes : undefined
    this.#out.push({ initiation: this.#host.initiate(this.#link, cookie), sentAt: now })
    this.#tries++
    this.#retryAt = now + (this.#urgent ? HANDSHAKE_RETRY_MS : RENEWAL_RETRY_MS)
    this.#host.send(this.#host.scratch.bytes, this.#link.endpoint, true)
  }

  /** The other side answered one by this cookie. Where that was the newest, the next goes at once. */
  cookieCame(initiation: LinkInitiation, cookie: Uint8Array, now: number): void {
    this.#cookie = { bytes: cookie, at: now }
    if (this.#out.at(-1)?.initiation === initiation && this.#retryAt !== Infinity && !this.exhausted) this.retry(now)
  }

  /** Later ones stay: their answers may be on the way, and the other side takes the newest keys for the right ones. */
  answered(initiation: LinkInitiation): void {
    this.#drop(this.#out.findIndex((attempt) => attempt.initiation === initiation) + 1)
    this.#retryAt = Infinity
    this.#tries = 0
  }

  /** Forgets those that are too old to be answered. */
  expire(now: number): void {
    const first = this.#out.findIndex(({ sentAt }) => now - sentAt < FORGET_MS)
    this.#drop(first < 0 ? this.#out.length : first)
  }

  /** When {@link expire} has something to do; Infinity without attempts. */
  expiresAt(): number {
    const [oldest] = this.#out
    return oldest === undefined ? Infinity : oldest.sentAt + FORGET_MS
  }

  wipe(): void {
    this.#drop(this.#out.length)
  }

  #drop(count: number): void {
    for (const { initiation } of this.#out.splice(0, count)) this.#host.dropInitiation(initiation)
  }
}
