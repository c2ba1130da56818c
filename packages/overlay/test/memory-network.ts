import { type Clock, WeftError, systemRandom } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import {
  METHODS,
  MAX_RPC_FRAME,
  FrameParser,
  type MethodName,
  RpcFrameSchema,
  create,
  decodeMessage,
  encodeFrame,
  encodeMessage,
} from '@weft/wire'
import { type Caller, type Rpc, EncodedAnswer } from '../src/rpc.ts'
import type { Probe, RawOutcome } from '../src/transport/transport.ts'

type Handler = (request: unknown, caller: Caller, signal: AbortSignal) => Promise<unknown>

/** One node of the in-memory network: its handlers, and what it gets wrong on purpose. */
export interface MemoryNode {
  readonly id: DidKey
  readonly rpc: Rpc
  readonly addresses: Set<string>
  online: boolean
  /** Answers to raw bytes, for conformance probes; by default as the protocol asks. */
  onRaw: (bytes: Uint8Array) => RawOutcome
}

/** Calls that go through the real message schemas but no socket: for tests of what runs above the transport. */
export class MemoryNetwork {
  readonly nodes = new Map<DidKey, MemoryNode>()
  readonly clock: Clock
  /** Calls made, `method` by method. */
  readonly calls: { readonly from: DidKey; readonly to: DidKey; readonly method: MethodName }[] = []

  constructor(clock: Clock) {
    this.clock = clock
  }

  add(id: DidKey, addresses: readonly string[] = []): MemoryNode {
    const handlers = new Map<string, Handler>()
    const node: MemoryNode = {
      id,
      addresses: new Set(addresses),
      online: true,
      onRaw: conformingRaw,
      rpc: {
        call: (to, method, request, options) => this.#call(id, to, method, request, options?.signal) as never,
        handle: (method, handler) => {
          handlers.set(method, handler as Handler)
          return () => void handlers.delete(method)
        },
      },
    }
    this.#handlers.set(id, handlers)
    this.nodes.set(id, node)
    return node
  }

  readonly #handlers = new Map<DidKey, Map<string, Handler>>()

  connected(self: DidKey): DidKey[] {
    return [...this.nodes.values()].filter(({ id, online }) => online && id !== self).map(({ id }) => id)
  }

  async probe(address: string, target: DidKey): Promise<Probe> {
    const node = this.nodes.get(target)
    if (node === undefined || !node.online || !node.addresses.has(address)) throw unreachable(`${target} at ${address}`)
    const stranger = `did:key:zStranger${systemRandom.bytes(8).toHex()}` as DidKey
    return {
      self: stranger,
      target,
      rpc: { call: (to, method, request) => this.#call(stranger, to, method, request, undefined) as never },
      open: () => Promise.reject(unreachable('streams')),
      sendRaw: async (_protocol, bytes) => node.onRaw(bytes),
      [Symbol.asyncDispose]: async () => {},
    }
  }

  async #call(
    from: DidKey,
    to: DidKey,
    method: MethodName,
    request: unknown,
    signal: AbortSignal | undefined,
  ): Promise<unknown> {
    this.calls.push({ from, to, method })
    const spec = METHODS[method]
    // From the caller's to the receiver's memory only as bytes, as on the wire.
    const sent = decodeMessage(
      spec.request,
      encodeMessage(spec.request, create(spec.request, request as never)),
      spec.maxRequest,
    )
    await Promise.resolve()
    const handler = this.#handlers.get(to)?.get(method)
    if (this.nodes.get(from)?.online === false || this.nodes.get(to)?.online !== true) throw unreachable(to)
    if (handler === undefined) {
      throw new WeftError({
        code: 'E_METHOD_NOT_OFFERED',
        cause: `${method} is not offered here.`,
        fix: 'Ask another node.',
        retryable: true,
      })
    }
    const answer = await handler(
      sent,
      { id: from, address: '/ip4/127.0.0.1/tcp/1' },
      signal ?? new AbortController().signal,
    )
    return decodeMessage(
      spec.response,
      answer instanceof EncodedAnswer
        ? answer.bytes
        : encodeMessage(spec.response, create(spec.response, answer as never)),
      spec.maxResponse,
    )
  }
}

/** What a node that follows the protocol does with raw bytes on its control stream. */
function conformingRaw(bytes: Uint8Array): RawOutcome {
  const parser = new FrameParser(MAX_RPC_FRAME)
  parser.push(bytes)
  try {
    const body = parser.takeFrame()
    if (body === undefined) return { received: new Uint8Array(), state: 'open' }
    const { id } = decodeMessage(RpcFrameSchema, body, MAX_RPC_FRAME)
    return { received: faultFrame(id, 'E_METHOD_UNKNOWN'), state: 'open' }
  } catch {
    return { received: new Uint8Array(), state: 'reset' }
  }
}

export function faultFrame(id: number, code: string): Uint8Array {
  const value = { code, cause: 'x', fix: 'y', retryable: false }
  return encodeFrame(encodeMessage(RpcFrameSchema, create(RpcFrameSchema, { id, body: { case: 'fault', value } })))
}

function unreachable(what: string): WeftError {
  return new WeftError({
    code: 'E_NODE_UNREACHABLE',
    cause: `${what} cannot be reached.`,
    fix: 'Start it.',
    retryable: true,
  })
}
