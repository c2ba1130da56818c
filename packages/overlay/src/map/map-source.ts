import type { Clock } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { RequestInitOf, ResponseOf, Rpc } from '../rpc.ts'
import { SourceDeadline } from './source-deadline.ts'

type MapMethod = 'map.entries' | 'map.changes' | 'map.subtrees' | 'map.pick'

/** One node that is asked about one map, within the time that it has for all its answers. */
export class MapSource {
  readonly id: DidKey
  readonly #rpc: Pick<Rpc, 'call'>
  readonly #deadline: SourceDeadline

  constructor({ rpc, clock }: { readonly rpc: Pick<Rpc, 'call'>; readonly clock: Clock }, id: DidKey) {
    this.id = id
    this.#rpc = rpc
    this.#deadline = new SourceDeadline(clock, id)
  }

  /** @throws WeftError E_MAP_SLOW and what the call throws */
  async ask<M extends MapMethod>(method: M, request: RequestInitOf<M>, signal: AbortSignal): Promise<ResponseOf<M>> {
    this.#deadline.check()
    const answer = await this.#rpc.call(this.id, method, request, { signal })
    this.#deadline.extend()
    return answer
  }
}
