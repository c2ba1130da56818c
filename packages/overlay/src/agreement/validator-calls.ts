import { type Clock, type Logger, messageOf, wait } from '@weft/core'
import { type DidKey, shortId } from '@weft/crypto'
import type { MethodName } from '@weft/wire'
import type { RequestInitOf, ResponseOf, Rpc } from '../rpc.ts'

export interface ValidatorCallsInit {
  readonly rpc: Pick<Rpc, 'call'>
  readonly clock: Clock
  readonly logger: Logger
  /** All validators but this one. */
  readonly others: readonly DidKey[]
  /** ms between tries. */
  readonly pauseMs: number
}

/** Calls of one method that may wait for one validator; further ones are not made, as what they say is asked for. */
const AT_ONCE = 16

/** What a validator says to the others. Whoever is down or slow holds up nobody, and takes bounded memory. */
export class ValidatorCalls {
  readonly #init: ValidatorCallsInit
  readonly #running = new Map<string, number>()

  constructor(init: ValidatorCallsInit) {
    this.#init = init
  }

  /** Calls all others once, at the same time. `onAnswer` is told of each answer; failures are logged only. */
  toAll<M extends MethodName>(
    method: M,
    request: RequestInitOf<M>,
    signal: AbortSignal,
    onAnswer?: (answer: ResponseOf<M>, from: DidKey) => void,
    atOnce = AT_ONCE,
  ): void {
    for (const id of this.#init.others) {
      void this.#try(id, method, request, signal, onAnswer, atOnce)
    }
  }

  /** Calls each of the others until it answered or the signal fires. */
  async untilTaken<M extends MethodName>(method: M, request: RequestInitOf<M>, signal: AbortSignal): Promise<void> {
    const { clock, others, pauseMs } = this.#init
    await Promise.all(
      others.map(async (id) => {
        while (!signal.aborted && !(await this.#try(id, method, request, signal))) {
          await wait(clock, pauseMs, signal).catch(() => {})
        }
      }),
    )
  }

  async #try<M extends MethodName>(
    id: DidKey,
    method: M,
    request: RequestInitOf<M>,
    signal: AbortSignal,
    onAnswer?: (answer: ResponseOf<M>, from: DidKey) => void,
    atOnce = AT_ONCE,
  ): Promise<boolean> {
    const { rpc, logger } = this.#init
    const key = `${method} ${id}`
    const running = this.#running.get(key) ?? 0
    if (running >= atOnce) return false
    this.#running.set(key, running + 1)
    try {
      const answer = await rpc.call(id, method, request, { signal })
      if (!signal.aborted) onAnswer?.(answer, id)
      return true
    } catch (error) {
      if (!signal.aborted)
        logger.debug('a validator was not told', { validator: shortId(id), method, error: messageOf(error) })
      return false
    } finally {
      this.#running.set(key, (this.#running.get(key) ?? 1) - 1)
    }
  }
}
