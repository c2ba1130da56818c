import { wait, isAlive, type ProcessIdentity } from '@weft/core'
import { referencedClock } from './referenced-clock.ts'

/** The system tells only a parent when a process ends; others have to look. Looking costs 20 µs. */
const LOOK_EVERY_MS = 20

/** Resolves to true once the process is gone, to false after `timeoutMs`. @throws WeftError E_ABORTED */
export async function waitForExit(
  identity: ProcessIdentity,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<boolean> {
  const deadline = referencedClock.monotonic() + timeoutMs
  while (isAlive(identity)) {
    if (referencedClock.monotonic() >= deadline) return false
    await wait(referencedClock, LOOK_EVERY_MS, signal)
  }
  return true
}
