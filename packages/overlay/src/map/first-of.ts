import { type Clock, throwIfAborted, wait } from '@weft/core'

/**
 * Tries sources in order and returns what the first to succeed gave. The next one is begun when one failed, and also
 * when none was ready within `patienceMs`: a slow source is not given up, but does not hold up the others. The rest are
 * aborted in the end. Undefined when all failed; `attempt` notes why.
 * @throws WeftError E_ABORTED
 */
export async function firstOf<Source, T>(
  clock: Clock,
  sources: readonly Source[],
  patienceMs: number,
  attempt: (source: Source, signal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
): Promise<T | undefined> {
  const end = new AbortController()
  const lasting = AbortSignal.any([signal, end.signal])
  const running = new Set<Promise<void>>()
  const given: T[] = []
  const begin = (source: Source): void => {
    const task: Promise<void> = attempt(source, lasting)
      .then((value) => void given.push(value))
      .catch(() => {})
      .finally(() => running.delete(task))
    running.add(task)
  }
  try {
    for (const source of sources) {
      throwIfAborted(signal)
      begin(source)
      await Promise.race([...running, wait(clock, patienceMs, lasting)])
      if (given.length > 0) return given[0]
    }
    while (running.size > 0 && given.length === 0) await Promise.race(running)
    throwIfAborted(signal)
    return given[0]
  } finally {
    end.abort()
  }
}
