import { statfsSync, watch } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { abortError, type Fault, WeftError } from '@weft/core'
import { lastFault } from './last-fault.ts'
import { logPath } from './devnet-directory.ts'

export interface StartedDaemon {
  /** For people. */
  readonly name: string
  readonly home: string
  readonly pid: number
  /** Bytes of the log before this start: older words are not its own. */
  readonly logStart: number
  /** Resolves with the reason when the process ends. */
  readonly exited: Promise<DaemonExit>
}

export interface DaemonExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/**
 * Resolves once the daemon says in its home's daemon.json that it is ready (its API answers by then).
 * @throws WeftError E_DEVNET_NODE_DIED with the daemon's own last fault when it ends instead; E_ABORTED
 */
export async function waitUntilStarted(daemon: StartedDaemon, signal: AbortSignal): Promise<void> {
  const { home, pid, exited } = daemon
  const { promise: aborted, reject: abort } = Promise.withResolvers<never>()
  aborted.catch(() => {})
  const onAbort = (): void => abort(abortError(signal))
  signal.addEventListener('abort', onAbort, { once: true })
  const { promise: ready, resolve, reject } = Promise.withResolvers<void>()
  const look = (): void => {
    readyPid(home).then((seen) => {
      if (seen === pid) resolve()
    }, reject)
  }
  const watcher = watch(home, look)
  watcher.on('error', reject)
  try {
    if (signal.aborted) throw abortError(signal)
    // It may have become ready before the watch began.
    look()
    const died = exited.then((end) => {
      throw diedError(daemon, end)
    })
    await Promise.race([ready, aborted, died])
  } finally {
    watcher.close()
    signal.removeEventListener('abort', onAbort)
  }
}

async function readyPid(home: string): Promise<number | undefined> {
  try {
    return (JSON.parse(await readFile(join(home, 'daemon.json'), 'utf8')) as { pid?: number }).pid
  } catch {
    // Not there yet.
    return undefined
  }
}

function diedError({ name, home, logStart }: StartedDaemon, end: DaemonExit): WeftError {
  const how = end.signal === null ? `with exit code ${end.code ?? 'unknown'}` : `by ${end.signal}`
  // On a full disk it could not write down why.
  const fault = lastFault(home, logStart) ?? diskFault(home)
  return new WeftError({
    code: 'E_DEVNET_NODE_DIED',
    cause: `${name} ended ${how} before it was ready${fault === undefined ? '.' : `: ${fault.code}: ${fault.cause}`}`,
    fix: fault?.fix ?? `See its log: ${logPath(home)}`,
    details: { node: name, exitCode: end.code, signal: end.signal, ...(fault && { fault }) },
  })
}

function diskFault(home: string): Fault | undefined {
  const { bavail } = statfsSync(home)
  if (bavail > 0) return undefined
  return {
    code: 'E_DISK_FULL',
    cause: `The disk of ${home} is full.`,
    fix: 'Free some space on it, or choose another directory.',
  }
}
