import { type Clock, throwIfAborted, wait } from '@weft/core'

/** Work that stops now and then, so that whoever runs it can let others have the thread. */
export type Sliced<T> = Generator<undefined, T>

/** Runs it to the end in one piece. */
export function atOnce<T>(work: Sliced<T>): T {
  for (;;) {
    const step = work.next()
    if (step.done === true) return step.value
  }
}

/**
 * Runs it slice by slice with a turn of the event loop in between. How it is cut never depends on how fast the machine
 * is. A virtual clock does not wait for such a turn: who simulates many nodes gives them a MapReader that does not stop,
 * and what simulated nodes do besides is given their clock.
 * @param clock that tells when the next slice is due, at once; by default it is not asked
 * @throws WeftError E_ABORTED
 */
export async function inSlices<T>(work: Sliced<T>, signal: AbortSignal, clock?: Clock): Promise<T> {
  try {
    for (;;) {
      const step = work.next()
      if (step.done === true) return step.value
      await (clock === undefined ? new Promise<void>((resolve) => setImmediate(resolve)) : wait(clock, 0, signal))
      throwIfAborted(signal)
    }
  } finally {
    // What is broken off tidies up; of what has ended this does nothing.
    work.return(undefined as T)
  }
}
