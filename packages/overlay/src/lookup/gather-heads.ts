import { type Clock, throwIfAborted } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { MapBody } from '../map/map-body.ts'
import type { ToldHead } from './choose-head.ts'
import type { LookupLimits } from './lookup-limits.ts'

export interface HeadQuestion {
  readonly nodes: readonly DidKey[]
  /** The verified head of a node's map. */
  readonly ask: (node: DidKey, signal: AbortSignal) => Promise<MapBody>
  readonly clock: Clock
  readonly limits: Pick<LookupLimits, 'patienceMs' | 'deadlineMs'>
}

/**
 * Asks nodes for the heads of their maps, all at once, and returns those that came: when all have answered, when it has
 * waited as long as for a slow node and has any, or at the deadline. Not as soon as most have: the first to answer would
 * be those who want to be asked on. @throws WeftError E_ABORTED
 */
export async function gatherHeads(
  { nodes, ask, clock, limits }: HeadQuestion,
  signal: AbortSignal,
): Promise<readonly ToldHead[]> {
  throwIfAborted(signal)
  const end = new AbortController()
  const lasting = AbortSignal.any([signal, end.signal])
  const told: ToldHead[] = []
  const { promise: isDone, resolve: done } = Promise.withResolvers<void>()
  let silent = nodes.length
  let isLate = false
  const look = (): void => {
    if (silent === 0 || (isLate && told.length > 0)) done()
  }
  const askOne = async (node: DidKey): Promise<void> => {
    try {
      told.push({ body: await ask(node, lasting), by: node })
    } catch {
      // Whoever cannot be reached, or tells of a map that does not hold, tells of none.
    }
    silent--
    look()
  }
  const cancels = [
    clock.after(limits.patienceMs, () => {
      isLate = true
      look()
    }),
    clock.after(limits.deadlineMs, done),
  ]
  const onAbort = (): void => done()
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    for (const node of nodes) void askOne(node)
    look()
    await isDone
    throwIfAborted(signal)
    return [...told]
  } finally {
    for (const cancel of cancels) cancel()
    signal.removeEventListener('abort', onAbort)
    end.abort()
  }
}
