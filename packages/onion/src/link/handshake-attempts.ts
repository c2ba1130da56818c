import { type Endpoint, isSameEndpoint } from './endpoint.ts'
import type { LinkInitiation } from './link-handshake.ts'
import type { LinkHost } from './link-host.ts'
import type { LinkPaths } from './link-paths.ts'
import { COOKIE_LASTS_MS, HANDSHAKE_RETRIES, HANDSHAKE_RETRY_MS, RENEWAL_RETRY_MS } from './timing.ts'

/** After this time no answer to an initiation is expected any more; longer than all retries take. */
const FORGET_MS = 10_000

interface Attempt {
  readonly initiation: LinkInitiation
  readonly sentAt: number
  readonly to: Endpoint
  /** Sent at once because a cookie came. */
  readonly isRepeated: boolean
}

/** The initiations of a link that may still be answered, and when the next is due. Times are monotonic ms. */
export class HandshakeAttempts<L> {
  readonly #host: Pick<LinkHost<L>, 'scratch' | 'send' | 'initiate' | 'dropInitiation'>
  readonly #link: L
  readonly #paths: LinkPaths
  /** Oldest first. */
  readonly #out: Attempt[] = []
  #tries = 0
  #startedAt = -Infinity
  #urgent = true
  #retryAt = Infinity
  /** It is for the address that the other side sees, which is another one on another way. */
  #cookie: { readonly bytes: Uint8Array; readonly at: number; readonly to: Endpoint } | undefined

  constructor(host: Pick<LinkHost<L>, 'scratch' | 'send' | 'initiate' | 'dropInitiation'>, link: L, paths: LinkPaths) {
    this.#host = host
    this.#link = link
    this.#paths = paths
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
    this.#sendTo(this.#paths.next(this.#tries), now, false)
  }

  /** The other side answered one by this cookie. Where that was the newest, the next goes at once: one, however many cookies come. */
  cookieCame(initiation: LinkInitiation, cookie: Uint8Array, now: number): void {
    const to = this.#out.find((attempt) => attempt.initiation === initiation)?.to
    if (to === undefined) return
    this.#cookie = { bytes: cookie, at: now, to }
    const newest = this.#out.findLast((attempt) => isSameEndpoint(attempt.to, to))
    if (newest?.initiation !== initiation || newest.isRepeated) return
    if (this.#retryAt !== Infinity && !this.exhausted) this.#sendTo([to], now, true)
  }

  /**
   * Later ones stay: their answers may be on the way, and the other side takes the newest keys for the right ones.
   * @returns the way that it went
   */
  answered(initiation: LinkInitiation): Endpoint | undefined {
    const at = this.#out.findIndex((attempt) => attempt.initiation === initiation)
    const to = this.#out[at]?.to
    this.#drop(at + 1)
    this.#retryAt = Infinity
    this.#tries = 0
    if (to !== undefined) this.#paths.answered?.(to)
    return to
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

  #sendTo(ways: readonly Endpoint[], now: number, isRepeated: boolean): void {
    this.#tries++
    this.#retryAt = now + (this.#urgent ? HANDSHAKE_RETRY_MS : RENEWAL_RETRY_MS)
    for (const to of ways) {
      const initiation = this.#host.initiate(this.#link, this.#cookieFor(to, now))
      this.#out.push({ initiation, sentAt: now, to, isRepeated })
      this.#host.send(this.#host.scratch.bytes, to, true)
    }
  }

  #cookieFor(to: Endpoint, now: number): Uint8Array | undefined {
    const cookie = this.#cookie
    if (cookie === undefined || now - cookie.at >= COOKIE_LASTS_MS || !isSameEndpoint(cookie.to, to)) return undefined
    return cookie.bytes
  }

  #drop(count: number): void {
    for (const { initiation } of this.#out.splice(0, count)) this.#host.dropInitiation(initiation)
  }
}
