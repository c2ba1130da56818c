import type { DidKey } from '@weft/crypto'
import type { Rpc } from '@weft/overlay'
import { METHODS, type MethodName, create, decodeMessage, encodeMessage } from '@weft/wire'

type Handler = (request: unknown, caller: unknown, signal: AbortSignal) => Promise<unknown>

/** Calls within the process, through the real messages and their limits; counts what would cross the wire. */
export class CountedRpc {
  calls = 0
  /** Bytes of requests and answers, without their frames. */
  bytes = 0
  readonly #handlers = new Map<string, Handler>()

  readonly rpc: Rpc = {
    call: (to, method, request) => this.#call(to, method, request) as never,
    handle: (method, handler) => {
      this.#handlers.set(method, handler as Handler)
      return () => void this.#handlers.delete(method)
    },
  }

  async #call(to: DidKey, method: MethodName, request: unknown): Promise<unknown> {
    const spec = METHODS[method]
    const sent = encodeMessage(spec.request, create(spec.request, request as never))
    const handler = this.#handlers.get(method)
    const answer = await handler?.(decodeMessage(spec.request, sent, spec.maxRequest), to, new AbortController().signal)
    const received = encodeMessage(spec.response, create(spec.response, answer as never))
    this.calls++
    this.bytes += sent.length + received.length
    return decodeMessage(spec.response, received, spec.maxResponse)
  }
}
