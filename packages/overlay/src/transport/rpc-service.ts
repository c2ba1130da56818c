import { type Clock, type Logger, Semaphore, WeftError, abortError, orAborted, withTimeout } from '@weft/core'
import { type DidKey, shortId } from '@weft/crypto'
import { METHODS, type MethodName, create, decodeMessage, encodeMessage } from '@weft/wire'
import type { ByteStream } from '../byte-stream.ts'
import type { CallOptions, Caller, RequestInitOf, ResponseOf, Rpc } from '../rpc.ts'
import { CALL_TIMEOUT_MS, MAX_CALLS_IN_FLIGHT, MAX_CALLS_WAITING } from './limits.ts'
import { RpcCaller } from './rpc-caller.ts'
import type { RpcDispatcher } from './rpc-dispatcher.ts'
import { RpcResponder } from './rpc-responder.ts'

export interface RpcServiceOptions {
  readonly self: DidKey
  readonly clock: Clock
  readonly logger: Logger
  readonly dispatcher: RpcDispatcher
  /** Opens a control stream. @throws WeftError E_NODE_UNREACHABLE, E_NETWORK_MISMATCH, E_ABORTED */
  readonly openControl: (to: DidKey, signal: AbortSignal) => Promise<ByteStream>
  /** Fires when the transport closes. */
  readonly closing: AbortSignal
}

/** The calls to one node: those in flight and those that wait, and how many they are, so that it can be forgotten. */
interface Places {
  readonly semaphore: Semaphore
  users: number
}

/** One long-lived control stream per node we call, opened by the first call and again after it was lost. */
export class RpcService implements Rpc {
  readonly #options: RpcServiceOptions
  readonly #callers = new Map<DidKey, RpcCaller>()
  readonly #opening = new Map<DidKey, Promise<RpcCaller>>()
  readonly #places = new Map<DidKey, Places>()
  /** Streams that others opened, by who it was. */
  readonly #serving = new Map<DidKey, Set<RpcResponder>>()

  constructor(options: RpcServiceOptions) {
    this.#options = options
  }

  handle: Rpc['handle'] = (method, handler) => this.#options.dispatcher.handle(method, handler)

  async call<M extends MethodName>(
    to: DidKey,
    method: M,
    request: RequestInitOf<M>,
    options: CallOptions = {},
  ): Promise<ResponseOf<M>> {
    const spec = METHODS[method]
    const body = encodeMessage(spec.request, create(spec.request, request))
    if (body.length > spec.maxRequest) throw requestTooLarge(method, body.length, spec.maxRequest)
    const timeoutMs = options.timeoutMs ?? CALL_TIMEOUT_MS
    const answer = await withTimeout(
      this.#options.clock,
      timeoutMs,
      options.signal,
      () => timedOut(to, method, timeoutMs),
      (signal) =>
        to === this.#options.self ? this.#callSelf(method, body, signal) : this.#callPeer(to, method, body, signal),
    )
    return decodeMessage(spec.response, answer, spec.maxResponse) as ResponseOf<M>
  }

  /** Opens the control stream now, which also proves that the node is of our network. */
  async open(to: DidKey, signal: AbortSignal | undefined): Promise<void> {
    await this.#caller(to, signal)
  }

  /** The next call to a node opens a new stream; those under way end where they are. */
  renew(id: DidKey): void {
    this.#callers.delete(id)
  }

  /** Serves a control stream that another node opened, until it ends. */
  serve(stream: ByteStream, address: string): Promise<void> {
    const caller: Caller = { id: stream.remote, address }
    const { dispatcher, clock, logger } = this.#options
    const responder = new RpcResponder({
      stream,
      clock,
      logger,
      maxFrame: () => dispatcher.maxFrame(caller),
      answer: (method, body, signal) => dispatcher.answer(method, body, caller, signal),
    })
    const serving = this.#serving.get(caller.id) ?? new Set()
    this.#serving.set(caller.id, serving.add(responder))
    return responder.run().finally(() => {
      serving.delete(responder)
      if (serving.size === 0 && this.#serving.get(caller.id) === serving) this.#serving.delete(caller.id)
    })
  }

  /** ms since a node was called last, or called, over a control stream that is open; 0 while it is, Infinity without one. */
  idleMs(id: DidKey): number {
    if (this.#places.has(id)) return 0
    const ends = [this.#callers.get(id), ...(this.#serving.get(id) ?? [])].filter((end) => end !== undefined)
    if (ends.some(({ inFlight }) => inFlight > 0)) return 0
    return this.#options.clock.monotonic() - Math.max(...ends.map(({ usedAt }) => usedAt))
  }

  /** Resets every control stream that this node opened. */
  close(): void {
    for (const caller of this.#callers.values()) caller.abort(abortError(this.#options.closing))
  }

  async #callSelf(method: MethodName, body: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    return this.#options.dispatcher.answer(method, body, { id: this.#options.self, address: '' }, signal)
  }

  async #callPeer(to: DidKey, method: MethodName, body: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    const places = this.#placesOf(to)
    if (places.semaphore.waiting >= MAX_CALLS_WAITING) throw tooManyWaiting(to, method)
    places.users++
    try {
      return await places.semaphore.use(async () => {
        const caller = this.#usable(to) ?? (await this.#caller(to, signal))
        return caller.call(method, body, signal)
      }, signal)
    } finally {
      places.users--
      if (places.users === 0) this.#places.delete(to)
    }
  }

  #placesOf(to: DidKey): Places {
    let places = this.#places.get(to)
    if (places === undefined) {
      places = { semaphore: new Semaphore(MAX_CALLS_IN_FLIGHT), users: 0 }
      this.#places.set(to, places)
    }
    return places
  }

  #usable(to: DidKey): RpcCaller | undefined {
    const caller = this.#callers.get(to)
    return caller?.usable === true ? caller : undefined
  }

  async #caller(to: DidKey, signal: AbortSignal | undefined): Promise<RpcCaller> {
    const usable = this.#usable(to)
    if (usable !== undefined) return usable
    let opening = this.#opening.get(to)
    if (opening === undefined) {
      opening = this.#open(to).finally(() => this.#opening.delete(to))
      // Whoever waits has the error; when all of them gave up nobody does.
      opening.catch(() => {})
      this.#opening.set(to, opening)
    }
    return orAborted(opening, signal)
  }

  async #open(to: DidKey): Promise<RpcCaller> {
    const { openControl, closing, clock, logger } = this.#options
    const caller = new RpcCaller(await openControl(to, closing), clock, logger)
    this.#callers.set(to, caller)
    void caller.done.then(() => {
      if (this.#callers.get(to) === caller) this.#callers.delete(to)
    })
    return caller
  }
}

function requestTooLarge(method: MethodName, length: number, limit: number): WeftError {
  return new WeftError({
    code: 'E_REQUEST_TOO_LARGE',
    cause: `The request to ${method} has ${length} bytes; the limit is ${limit}.`,
    fix: 'Send less in one call.',
  })
}

function timedOut(to: DidKey, method: MethodName, ms: number): WeftError {
  return new WeftError({
    code: 'E_CALL_TIMEOUT',
    cause: `${shortId(to)} did not answer ${method} within ${ms} ms.`,
    fix: 'Try again, or use another node; `weft ping` measures how far away it is.',
    retryable: true,
    details: { node: to, method, timeoutMs: ms },
  })
}

function tooManyWaiting(to: DidKey, method: MethodName): WeftError {
  return new WeftError({
    code: 'E_PEER_BUSY',
    cause: `${MAX_CALLS_WAITING} calls to ${shortId(to)} wait for a place already; ${method} cannot wait, too.`,
    fix: 'Call less at once.',
    retryable: true,
  })
}
