import { type Clock, type Logger, WeftError, isWeftError, messageOf, toWeftError } from '@weft/core'
import { shortId } from '@weft/crypto'
import type { ByteStream } from '../byte-stream.ts'
import { FrameReader } from './frame-reader.ts'
import { MAX_ANSWER_BACKLOG, MAX_CALLS_IN_FLIGHT } from './limits.ts'
import { faultFrame, idOfNewerRequest, readRpcFrame, responseFrame } from './rpc-frame.ts'
import { toWireFault } from './wire-fault.ts'

export interface ResponderOptions {
  readonly stream: ByteStream
  readonly clock: Clock
  readonly logger: Logger
  /** Largest frame that this caller may send now, bytes. */
  readonly maxFrame: () => number
  /** Answers one request; whatever it throws crosses the wire as a fault. */
  readonly answer: (method: string, body: Uint8Array, signal: AbortSignal) => Promise<Uint8Array>
  readonly maxInFlight?: number
  readonly maxBacklog?: number
}

/**
 * The answering half of one control stream. A frame that breaks the protocol resets the stream, because nothing
 * behind it can be trusted; a request that is merely wrong gets a fault under its id.
 */
export class RpcResponder {
  readonly #options: ResponderOptions
  readonly #running = new Map<number, AbortController>()
  readonly #maxInFlight: number
  readonly #maxBacklog: number
  #lastId = 0
  #backlog = 0
  #usedAt: number

  constructor(options: ResponderOptions) {
    this.#options = options
    this.#usedAt = options.clock.monotonic()
    this.#maxInFlight = options.maxInFlight ?? MAX_CALLS_IN_FLIGHT
    this.#maxBacklog = options.maxBacklog ?? MAX_ANSWER_BACKLOG
  }

  /** Requests that are being answered. */
  get inFlight(): number {
    return this.#running.size
  }

  /** When the last request was answered, or the stream was opened; ms of the monotonic clock. */
  get usedAt(): number {
    return this.#usedAt
  }

  /** Serves the stream until it ends; never throws. */
  async run(): Promise<void> {
    const { stream, logger, maxFrame } = this.#options
    const reader = new FrameReader(maxFrame)
    try {
      for await (const chunk of stream.incoming) {
        for (const frame of reader.push(chunk)) await this.#accept(frame)
      }
      reader.end()
      await this.#idle()
      await stream.closeWrite()
    } catch (error) {
      const fault = toWeftError(error, { code: 'E_INTERNAL', cause: messageOf(error), fix: 'Report it with the log.' })
      if (fault.code !== 'E_STREAM_RESET') {
        // At debug: any peer can cause it at will, and validators probe for it.
        logger.debug('control stream of a peer was reset', {
          peer: shortId(stream.remote),
          code: fault.code,
          cause: fault.cause,
        })
      }
      stream.abort(fault)
    } finally {
      for (const controller of this.#running.values()) controller.abort(gone())
    }
  }

  async #accept(bytes: Uint8Array): Promise<void> {
    let frame: ReturnType<typeof readRpcFrame>
    try {
      frame = readRpcFrame(bytes)
    } catch (error) {
      const id = idOfNewerRequest(bytes, error)
      if (id === undefined) throw error
      this.#claim(id)
      await this.#write(faultFrame(id, toWireFault(error)))
      return
    }
    const { id, body } = frame
    if (body.case === 'cancel') {
      this.#running.get(id)?.abort(cancelled())
      return
    }
    if (body.case !== 'request') throw violation(`a frame of kind '${body.case ?? 'none'}' on the calling side`)
    this.#claim(id)
    if (this.#running.size >= this.#maxInFlight) {
      // Waiting for the write is what slows a caller down that does not read its faults.
      await this.#write(faultFrame(id, toWireFault(busy(this.#maxInFlight))))
      return
    }
    void this.#answer(id, body.value.method, body.value.body)
  }

  #claim(id: number): void {
    if (id <= this.#lastId) throw violation(`request ${id} after request ${this.#lastId}`)
    this.#lastId = id
  }

  async #answer(id: number, method: string, body: Uint8Array): Promise<void> {
    const controller = new AbortController()
    this.#running.set(id, controller)
    let frame: Uint8Array
    try {
      frame = responseFrame(id, await this.#options.answer(method, body, controller.signal))
    } catch (error) {
      if (!isWeftError(error)) {
        this.#options.logger.error('a handler failed', { method, error: messageOf(error) })
      }
      frame = faultFrame(id, toWireFault(error))
    }
    try {
      // A caller that gave up reads no answer; one that is gone cannot.
      if (!controller.signal.aborted) await this.#write(frame)
    } catch {
      // The stream is over: `run` sees it on the reading half and logs it there.
    } finally {
      this.#running.delete(id)
      this.#usedAt = this.#options.clock.monotonic()
      if (this.#running.size === 0) this.#onIdle?.()
    }
  }

  async #write(frame: Uint8Array): Promise<void> {
    this.#backlog += frame.length
    try {
      if (this.#backlog > this.#maxBacklog) {
        const error = slow(this.#backlog)
        this.#options.stream.abort(error)
        throw error
      }
      await this.#options.stream.write(frame)
    } finally {
      this.#backlog -= frame.length
    }
  }

  #onIdle: (() => void) | undefined

  async #idle(): Promise<void> {
    if (this.#running.size === 0) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#onIdle = resolve
    await Promise.race([promise, this.#options.stream.closed])
  }
}

function violation(what: string): WeftError {
  return new WeftError({
    code: 'E_RPC_PROTOCOL',
    cause: `The other side sent ${what}.`,
    fix: 'It has to follow docs/specs/rpc.md; update the older of the two sides.',
  })
}

function busy(limit: number): WeftError {
  return new WeftError({
    code: 'E_PEER_BUSY',
    cause: `There are ${limit} calls of this peer in flight already.`,
    fix: 'Wait for an answer before the next call.',
    retryable: true,
  })
}

function slow(bytes: number): WeftError {
  return new WeftError({
    code: 'E_PEER_SLOW',
    cause: `${bytes} bytes of answers wait for a caller that does not read them.`,
    fix: 'The caller has to read its answers.',
  })
}

function gone(): WeftError {
  return new WeftError({ code: 'E_ABORTED', cause: 'The caller is gone.', fix: 'Call again.', retryable: true })
}

function cancelled(): WeftError {
  return new WeftError({
    code: 'E_ABORTED',
    cause: 'The caller no longer waits for the answer.',
    fix: 'Call again.',
    retryable: true,
  })
}
