import type { DidKey } from '@weft/crypto'
import type { METHODS, MessageInitShape, MessageShape, MethodName } from '@weft/wire'

export type RequestOf<M extends MethodName> = MessageShape<(typeof METHODS)[M]['request']>
export type RequestInitOf<M extends MethodName> = MessageInitShape<(typeof METHODS)[M]['request']>
export type ResponseOf<M extends MethodName> = MessageShape<(typeof METHODS)[M]['response']>
export type ResponseInitOf<M extends MethodName> = MessageInitShape<(typeof METHODS)[M]['response']>

export interface CallOptions {
  readonly signal?: AbortSignal
  /** ms; default 5,000. Ends with E_CALL_TIMEOUT. */
  readonly timeoutMs?: number
}

/**
 * An answer that is encoded already: what a handler has stored in the form of its message goes out as it is, without
 * being read and written again. The handler answers for it that the bytes are the one encoding of the method's response.
 */
export class EncodedAnswer {
  readonly bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }
}

/** Who calls: the id that the secure channel proved, and the address it came from (never logged). */
export interface Caller {
  readonly id: DidKey
  readonly address: string
}

/**
 * Calls between nodes, typed by the registry of @weft/wire. Access, sizes and limits are enforced below this
 * interface: a handler sees only callers that may call it and requests that parsed within limits.
 */
export interface Rpc {
  /**
   * @throws WeftError the other side's fault as it sent it; E_CALL_TIMEOUT; E_NODE_UNREACHABLE when no connection can
   * be had; E_NETWORK_MISMATCH when the other side belongs to another network; E_ABORTED.
   */
  call<M extends MethodName>(
    to: DidKey,
    method: M,
    request: RequestInitOf<M>,
    options?: CallOptions,
  ): Promise<ResponseOf<M>>
  /**
   * Registers the one handler of a method, until the function that is returned is called. A thrown WeftError reaches the
   * caller; anything else as E_INTERNAL.
   */
  handle<M extends MethodName>(
    method: M,
    handler: (request: RequestOf<M>, caller: Caller, signal: AbortSignal) => Promise<ResponseInitOf<M> | EncodedAnswer>,
  ): () => void
}
