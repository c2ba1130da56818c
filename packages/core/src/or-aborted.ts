import { abortError, throwIfAborted } from './error.ts'

/**
 * Settles with `promise`, or as soon as the signal fires; the work behind the promise goes on for whoever else waits,
 * and what comes of it later is ignored here.
 * @throws WeftError E_ABORTED (or the signal's reason)
 */
export async function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise
  // Whoever stopped waiting does not hear of its failure, and nobody else may be there to.
  promise.catch(() => {})
  throwIfAborted(signal)
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const onAbort = (): void => reject(abortError(signal))
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
