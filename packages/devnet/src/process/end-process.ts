import { type ProcessIdentity, signalProcess, WeftError } from '@weft/core'
import { waitForExit } from './wait-for-exit.ts'

/** How long a node may take to finish what is in flight; the daemon promises to end within 10 s of SIGTERM. */
export const GRACE_MS = 11_000
const KILL_MS = 5_000

export interface EndOptions {
  /** ms between SIGTERM and SIGKILL; 0 kills at once. */
  readonly graceMs?: number
  /** Cuts the grace short: the process is then killed. */
  readonly hurry?: AbortSignal
}

/**
 * Ends a process: SIGTERM, and SIGKILL when it has not ended after the grace.
 * @returns 'gone' when it was not alive, 'ended' when it obeyed, 'killed' when it had to be killed
 * @throws WeftError E_PROCESS_SURVIVES when it is still there 5 s after SIGKILL
 */
export async function endProcess(
  identity: ProcessIdentity,
  options: EndOptions = {},
): Promise<'gone' | 'ended' | 'killed'> {
  const { graceMs = GRACE_MS, hurry } = options
  if (graceMs > 0 && hurry?.aborted !== true) {
    if (!signalProcess(identity, 'SIGTERM')) return 'gone'
    try {
      if (await waitForExit(identity, graceMs, hurry)) return 'ended'
    } catch {
      // The hurry signal is the only reason for the wait to throw; what follows is the hurried way.
    }
  }
  if (!signalProcess(identity, 'SIGKILL')) return graceMs > 0 ? 'ended' : 'gone'
  if (await waitForExit(identity, KILL_MS)) return 'killed'
  throw new WeftError({
    code: 'E_PROCESS_SURVIVES',
    cause: `Process ${identity.pid} is still there ${KILL_MS} ms after SIGKILL.`,
    fix: 'It waits inside the kernel, commonly for a disk: see that the disk answers; it ends by itself then.',
    details: { pid: identity.pid },
  })
}
