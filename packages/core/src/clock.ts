import { abortError, throwIfAborted } from './error.ts'

/** Time, handed in everywhere so that tests and the simulator can run on a virtual one. All units: milliseconds. */
export interface Clock {
  /** Wall clock, ms since the Unix epoch. May jump. */
  now(): number
  /** Never goes back; for measuring durations. */
  monotonic(): number
  /** Calls back once, when `monotonic` has gone on by `ms` or more; returns the cancel function. Does not keep the process alive. */
  after(ms: number, callback: () => void): () => void
}

/** ms by which a callback is late when the process stood still: stopped, starved, or the machine asleep. */
const STOOD_STILL_MS = 100

/**
 * The clock of this machine. What came in while the process stood still is read before callbacks that fell due meanwhile are made,
 * so that nobody is taken for silent who was not heard.
 */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, callback) {
    const due = performance.now() + ms
    let behindReads: NodeJS.Immediate | undefined
    const fire = (): void => {
      const late = performance.now() - due
      // Node counts whole ms, from when its loop last looked at the time.
      if (late < 0) timer = setTimeout(fire, Math.ceil(-late)).unref()
      else if (late < STOOD_STILL_MS) callback()
      // Node's loop looks for input between timers and immediates; one that is unref'd would let it wait for input first.
      else behindReads = setImmediate(callback)
    }
    let timer = setTimeout(fire, ms).unref()
    return () => {
      clearTimeout(timer)
      if (behindReads !== undefined) clearImmediate(behindReads)
    }
  },
}

/** Resolves after `ms` of the given clock. @throws WeftError E_ABORTED (or the signal's reason) when aborted. */
export function wait(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(abortError(signal))
      return
    }
    const onAbort = (): void => {
      cancel()
      reject(abortError(signal))
    }
    const cancel = clock.after(ms, () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

/**
 * Runs `task` with a signal that fires when `signal` does or after `ms`, whichever is first.
 * @throws `timeoutError()` when the time ran out before the task settled.
 */
export async function withTimeout<T>(
  clock: Clock,
  ms: number,
  signal: AbortSignal | undefined,
  timeoutError: () => Error,
  task: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  throwIfAborted(signal)
  const controller = new AbortController()
  const { promise: stopped, reject: stop } = Promise.withResolvers<never>()
  stopped.catch(() => {})
  const end = (error: Error): void => {
    controller.abort(error)
    stop(error)
  }
  const cancel = clock.after(ms, () => end(timeoutError()))
  const onAbort = (): void => end(abortError(signal))
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([task(controller.signal), stopped])
  } finally {
    cancel()
    signal?.removeEventListener('abort', onAbort)
  }
}
