import type { Rpc } from './rpc.ts'

/** The calls that one part of a node answers for a time: they end together. */
export class RpcHandlers implements Rpc {
  readonly #rpc: Rpc
  readonly #ends: (() => void)[] = []

  constructor(rpc: Rpc) {
    this.#rpc = rpc
  }

  call: Rpc['call'] = (to, method, request, options) => this.#rpc.call(to, method, request, options)

  handle: Rpc['handle'] = (method, handler) => {
    const end = this.#rpc.handle(method, handler)
    this.#ends.push(end)
    return end
  }

  /** Answers none of them any more. */
  end(): void {
    for (const end of this.#ends.splice(0)) end()
  }
}
