import { WeftError } from '@weft/core'
import { shortId } from '@weft/crypto'
import { type Access, KiB, METHODS, type MethodName, create, decodeMessage, encodeMessage } from '@weft/wire'
import { type Caller, EncodedAnswer, type Rpc } from '../rpc.ts'
import type { AccessPolicy } from './transport.ts'

type Handler = (request: never, caller: Caller, signal: AbortSignal) => Promise<object>

/** How much a caller may ask: takes `cost` of it, if it is there. */
export interface CallLimit {
  take(caller: Caller, cost: number): boolean
}

/** Room for the envelope of a frame around its body. */
const ENVELOPE = 4 * KiB

/** The gate in front of every handler: known method, access, rate, size, strict parse; in this order. */
export class RpcDispatcher {
  readonly #access: AccessPolicy
  readonly #limiter: CallLimit
  readonly #handlers = new Map<string, Handler>()

  constructor(access: AccessPolicy, limiter: CallLimit) {
    this.#access = access
    this.#limiter = limiter
  }

  handle: Rpc['handle'] = (method, handler) => {
    if (this.#handlers.has(method)) throw new RangeError(`rpc: ${method} has a handler already`)
    this.#handlers.set(method, handler)
    return () => void this.#handlers.delete(method)
  }

  /** Largest frame that any method open to this caller allows, bytes. */
  maxFrame(caller: Caller): number {
    let most = 0
    for (const spec of Object.values(METHODS)) {
      if (spec.maxRequest > most && this.#allows(caller, spec.access)) most = spec.maxRequest
    }
    return most + ENVELOPE
  }

  /** @throws WeftError E_METHOD_UNKNOWN, E_METHOD_NOT_OFFERED, E_ACCESS_…, E_RATE_LIMITED, E_MESSAGE_…, or the handler's. */
  async answer(method: string, body: Uint8Array, caller: Caller, signal: AbortSignal): Promise<Uint8Array> {
    const spec = isMethod(method) ? METHODS[method] : undefined
    const cost = (spec?.cost ?? 1) + Math.floor(body.length / (16 * KiB))
    if (!this.#limiter.take(caller, cost)) throw rateLimited()
    if (!isMethod(method) || spec === undefined) throw unknownMethod(method)
    if (!this.#allows(caller, spec.access)) throw denied(method, spec.access, caller)
    const handler = this.#handlers.get(method)
    if (handler === undefined) throw notOffered(method)
    const request = decodeMessage(spec.request, body, spec.maxRequest, spec.maxItems)
    const given = await handler(request as never, caller, signal)
    const answer =
      given instanceof EncodedAnswer ? given.bytes : encodeMessage(spec.response, create(spec.response, given))
    if (answer.length > spec.maxResponse)
      throw new RangeError(`${method} answered with ${answer.length} bytes; the limit is ${spec.maxResponse}`)
    return answer
  }

  #allows(caller: Caller, access: Access): boolean {
    return access === 'anyone' || this.#access.allows(caller.id, access)
  }
}

function isMethod(name: string): name is MethodName {
  return Object.hasOwn(METHODS, name)
}

function unknownMethod(method: string): WeftError {
  return new WeftError({
    code: 'E_METHOD_UNKNOWN',
    cause: `There is no method '${method.slice(0, 64)}'.`,
    fix: `Valid: ${Object.keys(METHODS).join(', ')}. Update the older of the two sides.`,
  })
}

function notOffered(method: MethodName): WeftError {
  return new WeftError({
    code: 'E_METHOD_NOT_OFFERED',
    cause: `This node does not offer ${method}: its roles do not include it, or it is starting.`,
    fix: 'Try again in a moment, or ask a node whose role offers it; `weft members` lists roles.',
    // A node listens a moment before all its parts have registered what they offer.
    retryable: true,
  })
}

function denied(method: MethodName, access: 'member' | 'validator' | 'anyone', caller: Caller): WeftError {
  const validators = access === 'validator'
  return new WeftError({
    code: validators ? 'E_ACCESS_VALIDATORS_ONLY' : 'E_ACCESS_MEMBERS_ONLY',
    cause: `${method} answers only ${validators ? 'validators of this network' : 'certified members'}; ${shortId(caller.id)} is none.`,
    fix: validators
      ? 'Only nodes that the network file or the policy seats as validators may call it.'
      : 'Become a member first; `weft status` says how far admission is.',
  })
}

function rateLimited(): WeftError {
  return new WeftError({
    code: 'E_RATE_LIMITED',
    cause: 'This caller sends more calls than it may.',
    fix: 'Wait a second and call less often.',
    retryable: true,
  })
}
