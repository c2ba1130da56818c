import { abortError, throwIfAborted } from '@weft/core'

/**
 * Runs `task` for each item, at most `width` at once, and resolves with the results in the order of the items. The
 * first failure ends it: the signal of those under way fires, no more are begun, and it rejects when they have ended.
 * @param signal has one listener from here, however many items there are.
 * @throws the first failure; WeftError E_ABORTED
 */
export async function inWindow<Item, Result>(
  items: readonly Item[],
  width: number,
  signal: AbortSignal,
  task: (item: Item, signal: AbortSignal) => Promise<Result>,
): Promise<Result[]> {
  throwIfAborted(signal)
  const stop = new AbortController()
  const onAbort = (): void => stop.abort(abortError(signal))
  signal.addEventListener('abort', onAbort, { once: true })
  const results: Result[] = []
  let next = 0
  let failed: { readonly error: unknown } | undefined
  const work = async (): Promise<void> => {
    try {
      while (next < items.length && !stop.signal.aborted) {
        const at = next++
        results[at] = await task(items[at] as Item, stop.signal)
      }
    } catch (error) {
      failed ??= { error }
      stop.abort(error)
    }
  }
  try {
    await Promise.all(Array.from({ length: Math.min(width, items.length) }, work))
    if (failed !== undefined) throw failed.error
    throwIfAborted(stop.signal)
    return results
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
