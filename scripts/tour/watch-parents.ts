import { readFileSync } from 'node:fs'
import { identifyProcess, isAlive, type ProcessIdentity } from '@weft/core'

/** The system tells a process nothing of its parent's death; looking costs 50 µs. */
const LOOK_EVERY_MS = 500

/**
 * Calls back once when the process that started this one is gone (npm killed, a terminal that took its shell along
 * without a signal): nobody is left who could stop the network. @returns the function that ends the watch
 */
export function watchParents(onGone: () => void): () => void {
  const parents = watchedParents()
  const timer = setInterval(() => {
    if (parents.every((parent) => isAlive(parent))) return
    clearInterval(timer)
    onGone()
  }, LOOK_EVERY_MS)
  timer.unref()
  return () => clearInterval(timer)
}

/** The parent; under npm also npm itself, as a shell may stand in between that outlives it. */
function watchedParents(): ProcessIdentity[] {
  const pids = [process.ppid]
  const grandparent = process.env['npm_lifecycle_event'] === undefined ? undefined : parentOf(process.ppid)
  if (grandparent !== undefined) pids.push(grandparent)
  // A parent with pid 1 is the system's own: whoever started this wanted it without a parent.
  return pids.filter((pid) => pid > 1).flatMap((pid) => identifyProcess(pid) ?? [])
}

function parentOf(pid: number): number | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const parent = Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1])
    return Number.isInteger(parent) ? parent : undefined
  } catch {
    // Not on this system: the parent alone is watched.
    return undefined
  }
}
