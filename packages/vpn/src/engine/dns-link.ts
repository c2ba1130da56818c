import { type Clock, type Random, WeftError, randomInt, toWeftError } from '@weft/core'
import { type SessionStream, TokenBucket } from '@weft/onion'
import { MAX_MESSAGE_BYTES } from '../dns/dns-codes.ts'
import { u16 } from '../dns/dns-message.ts'
import { MessageFramer, framed } from '../dns/message-framer.ts'
import { leaveStream } from './leave-stream.ts'
import type { PathSet } from './path-set.ts'
import type { TakeStream, WriteEarly } from './stream-opener.ts'

export interface DnsLinkInit {
  readonly clock: Clock
  readonly random: Random
  /** Opens a stream to an exit's DNS. @throws WeftError as `StreamOpener.open` */
  readonly open: (signal: AbortSignal, take: TakeStream, writeEarly: WriteEarly) => Promise<void>
  /** ms without a question after which the stream is ended, so that it keeps no path set in use. */
  readonly idleMs?: number
}

/** Questions that wait for an answer; those of them that are with the exit, which looks up 57 names for a session, and fewer where others have their share. */
const MAX_ASKED = 512
const MAX_AT_EXIT = 32
/** Questions a second, and at once: below what an exit takes of one session, where there may be two such links, as it answers nothing beyond. */
const PER_SECOND = 120
const BURST = 500
/** ms between looks at those that wait for that. */
const LATER_MS = 25
/** ms for an answer; programs ask again after 5 s (resolv.conf(5)). */
const ANSWER_MS = 4_500
/** ms after which a question whose path set fell silent is asked over another. */
const AGAIN_MS = 1_500
/** The default of `idleMs`. */
const IDLE_MS = 30_000

interface Asked {
  readonly query: Uint8Array
  readonly settle: PromiseWithResolvers<Uint8Array>
  /** The stream that it was sent over last. */
  sentOver: SessionStream | undefined
  cancel: () => void
}

/** One stream of DNS messages to the exit in use, opened when something is asked; another when it ends or its path set falls silent. */
export class DnsLink {
  readonly #init: DnsLinkInit
  readonly #asked = new Map<number, Asked>()
  readonly #controller = new AbortController()
  #open: { readonly stream: SessionStream; readonly paths: PathSet } | undefined
  #isOpening = false
  /** How often other routes were in use than before: a stream that was asked for earlier is given up. */
  #moves = 0
  /** The newest that no exit has taken yet. */
  #early: SessionStream | undefined
  #cancelIdle: (() => void) | undefined
  readonly #pace: TokenBucket
  #cancelLater: (() => void) | undefined

  constructor(init: DnsLinkInit) {
    this.#init = init
    this.#pace = new TokenBucket(PER_SECOND, BURST, init.clock.monotonic())
  }

  /**
   * Asks; the answer has the id of the query that `make` made.
   * @param make a query with this id
   * @throws WeftError E_DNS_TIMEOUT, E_DNS_BUSY, and as `init.open`
   */
  ask(make: (id: number) => Uint8Array): Promise<Uint8Array> {
    if (this.#controller.signal.aborted) return Promise.reject(timedOut('The VPN was turned off'))
    if (this.#asked.size >= MAX_ASKED) return Promise.reject(busy())
    const { clock, random } = this.#init
    let id = randomInt(random, 65_536)
    while (this.#asked.has(id)) id = randomInt(random, 65_536)
    const settle = Promise.withResolvers<Uint8Array>()
    const asked: Asked = { query: make(id), settle, sentOver: undefined, cancel: () => {} }
    this.#asked.set(id, asked)
    const again = clock.after(AGAIN_MS, () => this.#lookAfter())
    const late = clock.after(ANSWER_MS, () => this.#fail(id, timedOut(`No answer came within ${ANSWER_MS / 1_000} s`)))
    asked.cancel = () => {
      again()
      late()
    }
    this.#cancelIdle?.()
    this.#cancelIdle = undefined
    this.#lookAfter()
    return settle.promise
  }

  /** Other routes are in use: what is asked is asked over them. */
  moved(): void {
    this.#moves++
    this.#end()
    this.#lookAfter()
  }

  /** Fails what is asked, and ends the stream. */
  close(): void {
    this.#controller.abort()
    this.#cancelLater?.()
    this.#cancelIdle?.()
    for (const id of this.#asked.keys()) this.#fail(id, timedOut('The VPN was turned off'))
    this.#end()
  }

  /** Sends what was not sent, over a stream whose path set is not silent, and meets what is asked of routes. */
  #lookAfter(): void {
    const open = this.#open
    if (open !== undefined && open.paths.healthy && !open.paths.outdated) {
      this.#send(open.stream)
      open.paths.wake()
      return
    }
    if (this.#isOpening || this.#asked.size === 0) return
    this.#isOpening = true
    const moves = this.#moves
    this.#init
      .open(
        this.#controller.signal,
        (stream, paths) => (moves === this.#moves ? this.#take(stream, paths) : leaveStream(stream, paths)),
        // A question that is asked twice does no harm.
        (stream) => {
          this.#early = stream
          this.#send(stream)
        },
      )
      .catch((error: unknown) => {
        if (moves !== this.#moves) return
        const fault = toWeftError(error, {
          code: 'E_INTERNAL',
          cause: 'Names could not be asked for.',
          fix: 'See the log.',
        })
        for (const [id, { sentOver }] of this.#asked)
          if (sentOver === undefined || sentOver === this.#early) this.#fail(id, fault)
      })
      .finally(() => {
        this.#isOpening = false
        this.#early = undefined
        // What was asked since.
        if (this.#asked.size > 0 && (this.#open !== undefined || moves !== this.#moves)) this.#lookAfter()
      })
  }

  #send(stream: SessionStream): void {
    let atExit = 0
    for (const { sentOver } of this.#asked.values()) if (sentOver === stream) atExit++
    for (const asked of this.#asked.values()) {
      if (atExit >= MAX_AT_EXIT) return
      if (asked.sentOver === stream) continue
      if (!this.#pace.take(this.#init.clock.monotonic())) return this.#sendLater()
      asked.sentOver = stream
      stream.write(framed(asked.query))
      atExit++
    }
  }

  #sendLater(): void {
    this.#cancelLater ??= this.#init.clock.after(LATER_MS, () => {
      this.#cancelLater = undefined
      this.#lookAfter()
    })
  }

  #take(stream: SessionStream, paths: PathSet): void {
    this.#end()
    const lost = (): void => {
      paths.forget(stream)
      if (this.#open?.stream !== stream) return
      this.#open = undefined
      this.#lookAfter()
    }
    const framer = new MessageFramer(MAX_MESSAGE_BYTES, (message) => this.#onAnswer(message))
    stream.handler = {
      onData: (chunk) => {
        framer.push(chunk)
        stream.consume(chunk.length)
        paths.wake()
      },
      onEnd: () => {
        stream.end()
        paths.wake()
        lost()
      },
      onReset: lost,
    }
    this.#open = { stream, paths }
    if (this.#controller.signal.aborted) this.#end()
    else this.#lookAfter()
  }

  #onAnswer(message: Uint8Array): void {
    const id = u16(message, 0)
    const asked = message.length < 2 ? undefined : this.#asked.get(id)
    if (asked === undefined) return
    this.#asked.delete(id)
    asked.cancel()
    asked.settle.resolve(message)
    if (this.#asked.size === 0) this.#rest()
    else if (this.#open !== undefined) this.#send(this.#open.stream)
  }

  #fail(id: number, fault: WeftError): void {
    const asked = this.#asked.get(id)
    if (asked === undefined) return
    this.#asked.delete(id)
    asked.cancel()
    asked.settle.reject(fault)
    if (this.#asked.size === 0) this.#rest()
  }

  #rest(): void {
    this.#cancelIdle?.()
    if (this.#controller.signal.aborted) return
    this.#cancelIdle = this.#init.clock.after(this.#init.idleMs ?? IDLE_MS, () => this.#end())
  }

  #end(): void {
    const open = this.#open
    this.#open = undefined
    if (open !== undefined) leaveStream(open.stream, open.paths)
  }
}

function timedOut(what: string): WeftError {
  return new WeftError({
    code: 'E_DNS_TIMEOUT',
    cause: `${what} to a question for a name.`,
    fix: 'Try again; weft vpn status shows whether a route works.',
    retryable: true,
  })
}

function busy(): WeftError {
  return new WeftError({
    code: 'E_DNS_BUSY',
    cause: `${MAX_ASKED} questions for names wait for an answer already.`,
    fix: 'Try again in a moment.',
    retryable: true,
  })
}
