import { type Clock, type WeftError, isWeftError, wait } from '@weft/core'
import { type Download, referencedClock } from '@weft/devnet'

/** ms before each attempt to go on, of those that follow each other without a byte. */
const PAUSES_MS = [250, 1_000, 4_000]
/** How a body ends that was cut off, or could not be had again, by a daemon that is gone. */
const BREAKS: ReadonlySet<string> = new Set(['E_BODY_TRUNCATED', 'E_DAEMON_GONE', 'E_DAEMON_NOT_RUNNING'])

export interface ResumedBodyInit {
  /** Opens what follows so many bytes. */
  readonly open: (from: number) => Promise<Download>
  readonly signal: AbortSignal
  /** It goes on behind so many bytes. */
  readonly onBreak: (at: number) => void
  readonly clock?: Clock
}

/**
 * The body of a download; where it is cut off it is opened again from there, so that a holder or a daemon that comes back
 * within seconds costs no more than these. @throws WeftError the way it was cut off first, once three attempts brought nothing
 */
export async function* resumedBody(
  { size, body }: Download,
  { open, signal, onBreak, clock = referencedClock }: ResumedBodyInit,
): AsyncGenerator<Uint8Array> {
  let at = 0
  let attempts = 0
  let broken: WeftError | undefined
  for (let current = body; ; current = reopened(open, at)) {
    try {
      for await (const bytes of current) {
        at += bytes.length
        attempts = 0
        broken = undefined
        yield bytes
      }
      return
    } catch (error) {
      if (!isWeftError(error) || signal.aborted || at === 0 || at >= size) throw error
      broken ??= error
      const pause = PAUSES_MS[attempts++]
      if (pause === undefined || !(BREAKS.has(error.code) || error.retryable)) throw broken
      onBreak(at)
      await wait(clock, pause, signal)
    }
  }
}

async function* reopened(open: (from: number) => Promise<Download>, from: number): AsyncGenerator<Uint8Array> {
  yield* (await open(from)).body
}
