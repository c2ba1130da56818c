import { type Clock, abortError, throwIfAborted } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { Member } from '../member.ts'
import { Lookup, type LookupInit, type LookupStep } from './lookup.ts'
import type { LookupOutcome } from './lookup-result.ts'

/**
 * Runs a lookup on a clock, with what asks a node and verifies its answer.
 * @throws WeftError E_ABORTED
 */
export async function runLookup(
  init: LookupInit,
  ask: (node: DidKey, signal: AbortSignal) => Promise<readonly Member[]>,
  clock: Clock,
  signal: AbortSignal,
): Promise<LookupOutcome> {
  throwIfAborted(signal)
  const lookup = new Lookup(init, clock.monotonic())
  const end = new AbortController()
  const lasting = AbortSignal.any([signal, end.signal])
  const { promise, resolve, reject } = Promise.withResolvers<LookupOutcome>()
  const now = (): number => clock.monotonic()
  let cancel = (): void => {}
  const askOne = async (node: DidKey): Promise<void> => {
    let members: readonly Member[] | undefined
    try {
      members = await ask(node, lasting)
    } catch {
      // The lookup's result names it among those that failed.
    }
    follow(members === undefined ? lookup.fail(node, now()) : lookup.answer(node, members, now()))
  }
  const follow = ({ ask: nodes, wakeAt }: LookupStep): void => {
    cancel()
    if (lasting.aborted) return
    if (wakeAt === undefined) {
      resolve(lookup.result())
      return
    }
    cancel = clock.after(wakeAt - now(), () => follow(lookup.tick(now())))
    for (const node of nodes) void askOne(node)
  }
  const onAbort = (): void => reject(abortError(signal))
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    follow(lookup.tick(now()))
    return await promise
  } finally {
    cancel()
    signal.removeEventListener('abort', onAbort)
    end.abort()
  }
}
