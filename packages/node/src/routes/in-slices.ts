import { setImmediate as nextTurn } from 'node:timers/promises'
import { throwIfAborted } from '@weft/core'

/** Items in one stretch, of which each is some ten microseconds of work. */
const SLICE = 64
/** ms after which a stretch ends before: the first look at an attestation verifies it. */
const STRETCH_MS = 2

/** Makes something of each of many items, and lets others have the thread in between. @throws WeftError E_ABORTED */
export async function inSlices<T, R>(
  items: readonly T[],
  make: (item: T) => R,
  signal: AbortSignal,
): Promise<readonly R[]> {
  const made: R[] = []
  let begun = performance.now()
  for (const [at, item] of items.entries()) {
    if (at > 0 && (at % SLICE === 0 || performance.now() - begun >= STRETCH_MS)) {
      await nextTurn()
      throwIfAborted(signal)
      begun = performance.now()
    }
    made.push(make(item))
  }
  return made
}
