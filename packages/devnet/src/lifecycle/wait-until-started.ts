import { watch } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { abortError, WeftError } from '@weft/core'
import { lastFault } from './last-fault.ts'
import { logPath } from './devnet-directory.ts'
import type { SpawnedNode } from './spawn-node.ts'

/**
 * Resolves once the daemon says in its home's daemon.json that it is ready (its API answers by then).
 * @throws WeftError E_DEVNET_NODE_DIED with the daemon's own last fault when it ends instead; E_ABORTED
 */
export async function waitUntilStarted(spawned: SpawnedNode, signal: AbortSignal): Promise<void> {
  const { node, identity, exited } = spawned
  const { promise: aborted, reject: abort } = Promise.withResolvers<never>()
  aborted.catch(() => {})
  const onAbort = (): void => abort(abortError(signal))
  signal.addEventListener('abort', onAbort, { once: true })
  const { promise: ready, resolve, reject } = Promise.withResolvers<void>()
  const look = (): void => {
    readyPid(node.home).then((pid) => {
      if (pid === identity.pid) resolve()
    }, reject)
  }
  const watcher = watch(node.home, look)
  watcher.on('error', reject)
  try {
    if (signal.aborted) throw abortError(signal)
    // It may have become ready before the watch began.
    look()
    const died = exited.then((end) => {
      throw diedError(spawned, end)
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

function diedError({ node }: SpawnedNode, end: { code: number | null; signal: NodeJS.Signals | null }): WeftError {
  const how = end.signal === null ? `with exit code ${end.code ?? 'unknown'}` : `by ${end.signal}`
  const fault = lastFault(node.home)
  return new WeftError({
    code: 'E_DEVNET_NODE_DIED',
    cause: `${node.name} ended ${how} before it was ready${fault === undefined ? '' : `: ${fault.code}: ${fault.cause}`}`,
    fix: fault?.fix ?? `See its log: ${logPath(node.home)}`,
    details: { node: node.name, exitCode: end.code, signal: end.signal, ...(fault && { fault }) },
  })
}
