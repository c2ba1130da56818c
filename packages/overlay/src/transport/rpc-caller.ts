import { type Clock, type Logger, WeftError, abortError, messageOf, throwIfAborted, toWeftError } from '@weft/core'
import { shortId } from '@weft/crypto'
import { METHODS } from '@weft/wire'
import type { ByteStream } from '../byte-stream.ts'
import { FrameReader } from './frame-reader.ts'
import { cancelFrame, readRpcFrame, requestFrame } from './rpc-frame.ts'
import { fromWireFault } from './wire-fault.ts'

/** Highest id of a stream (uint32); after it the stream is replaced. */
const MAX_ID = 0xffff_ffff
/** Room for the envelope of a frame around its body. */
const ENVELOPE = 4_096
const MAX_ANSWER = Math.max(...Object.values(METHODS).map((method) => method.maxResponse)) + ENVELOPE

interface Pending {
  readonly method: string
  readonly resolve: (body: Uint8Array) => void
  readonly reject: (error: WeftError) => void
}

/**
 * The calling half of one control stream: numbers requests, matches answers, gives up on all of them when the stream
 * ends. Nothing is repeated by itself: whether a call may be sent twice is for its sender to know.
 */
export class RpcCaller {
  readonly #stream: ByteStream
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #pending = new Map<number, Pending>()
  #lastId = 0
  #open = true
  #usedAt: number
  /** Resolves when the stream is over and every pending call was answered or given up. */
  readonly done: Promise<void>

  constructor(stream: ByteStream, clock: Clock, logger: Logger) {
    this.#stream = stream
    this.#clock = clock
    this.#usedAt = clock.monotonic()
    this.#logger = logger
    this.done = this.#read()
  }

  /** False when the next call needs a new stream. */
  get usable(): boolean {
    return this.#open && this.#lastId < MAX_ID
  }

  get inFlight(): number {
    return this.#pending.size
  }

  /** When the last call ended, or the stream was opened; ms of the monotonic clock. */
  get usedAt(): number {
    return this.#usedAt
  }

  /** Sends one request. @throws WeftError the other side's fault, E_NODE_UNREACHABLE, the signal's reason. */
  async call(method: string, body: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    throwIfAborted(signal)
    if (!this.usable) throw this.#lost(method)
    const id = ++this.#lastId
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>()
    this.#pending.set(id, { method, resolve, reject })
    const onAbort = (): void => {
      reject(abortError(signal))
      if (this.#pending.delete(id)) this.#cancel(id)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      // A write that fails means that the stream is over, which the reading half turns into a fault for every call.
      this.#stream.write(requestFrame(id, method, body)).catch(() => this.#end())
      return await promise
    } finally {
      signal.removeEventListener('abort', onAbort)
      this.#pending.delete(id)
      this.#usedAt = this.#clock.monotonic()
    }
  }

  /** Resets the stream; every pending call fails. */
  abort(error: Error): void {
    this.#end(toWeftError(error, { code: 'E_ABORTED', cause: messageOf(error), fix: 'Call again.' }))
    this.#stream.abort(error)
  }

  #cancel(id: number): void {
    if (this.#open) this.#stream.write(cancelFrame(id)).catch(() => this.#end())
  }

  async #read(): Promise<void> {
    const reader = new FrameReader(() => MAX_ANSWER)
    try {
      for await (const chunk of this.#stream.incoming) {
        for (const frame of reader.push(chunk)) this.#accept(frame)
      }
      reader.end()
      await this.#stream.closeWrite()
    } catch (error) {
      if (this.#open) {
        this.#logger.debug('control stream to a peer ended', {
          peer: shortId(this.#stream.remote),
          error: messageOf(error),
        })
      }
      this.#stream.abort(error instanceof Error ? error : new Error(String(error)))
    } finally {
      this.#end()
    }
  }

  #accept(bytes: Uint8Array): void {
    const { id, body } = readRpcFrame(bytes)
    if (id === 0 || id > this.#lastId) throw violation(`an answer to call ${id}, which was never made`)
    if (body.case !== 'response' && body.case !== 'fault')
      throw violation(`a frame of kind '${body.case ?? 'none'}' on the answering side`)
    const pending = this.#pending.get(id)
    // An answer that crossed our cancel.
    if (pending === undefined) return
    this.#pending.delete(id)
    if (body.case === 'response') pending.resolve(body.value)
    else pending.reject(fromWireFault(body.value, this.#stream.remote))
  }

  #end(reason?: WeftError): void {
    if (!this.#open) return
    this.#open = false
    for (const { method, reject } of this.#pending.values()) reject(reason ?? this.#lost(method))
    this.#pending.clear()
  }

  #lost(method: string): WeftError {
    return new WeftError({
      code: 'E_NODE_UNREACHABLE',
      cause: `The connection to ${shortId(this.#stream.remote)} was lost before it answered ${method}.`,
      fix: 'Try again, or use another node; `weft peers` shows which are connected.',
      retryable: true,
      details: { node: this.#stream.remote, method },
    })
  }
}

function violation(what: string): WeftError {
  return new WeftError({
    code: 'E_RPC_PROTOCOL',
    cause: `The other side sent ${what}.`,
    fix: 'It has to follow docs/specs/rpc.md; update the older of the two sides.',
  })
}
