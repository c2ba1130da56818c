import { abortError, throwIfAborted } from './error.ts'

/** Time, handed in everywhere so that tests and the simulator can run on a virtual one. All units: milliseconds. */
export interface Clock {
  /** Wall clock, ms since the Unix epoch. May jump. */
  now(): number
  /** Never goes back; for measuring durations. */
  monotonic(): number
  /** Calls back once after `ms`; returns the cancel function. Does not keep the process alive. */
  after(ms: number, callback: () => void): () => void
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms)
    timer.unref()
    return () => clearTimeout(timer)
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

/** A clock that moves only when told to; timers fire in order of their due time. For tests and simulation. */
export class VirtualClock implements Clock {
  #now: number
  readonly #started: number
  #sequence = 0
  #timers: { due: number; sequence: number; callback: () => void }[] = []

  constructor(startMs = 0) {
    this.#now = startMs
    this.#started = startMs
  }

  now(): number {
    return this.#now
  }

  monotonic(): number {
    return this.#now - this.#started
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { due: this.#now + Math.max(0, ms), sequence: this.#sequence++, callback }
    this.#timers.push(timer)
    this.#timers.sort((a, b) => a.due - b.due || a.sequence - b.sequence)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  /** Moves time forward, firing what falls due on the way and letting promises settle in between. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    for (;;) {
      const next = this.#timers[0]
      if (next === undefined || next.due > end) break
      this.#timers.shift()
      this.#now = Math.max(this.#now, next.due)
      next.callback()
      await new Promise((resolve) => setImmediate(resolve))
    }
    this.#now = end
    await new Promise((resolve) => setImmediate(resolve))
  }
}
