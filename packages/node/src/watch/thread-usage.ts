import { readFileSync } from 'node:fs'

/** What the calling thread used since it started. */
export interface ThreadUsage {
  /** ms of processor time. */
  readonly processorMs: number
  /** ms spent runnable while other threads had the processors; undefined where the kernel does not tell. */
  readonly waitedMs: number | undefined
}

/** Must be called on the main thread: its kernel id is the process's. */
export function readThreadUsage(): ThreadUsage {
  const { user, system } = process.threadCpuUsage()
  return { processorMs: (user + system) / 1000, waitedMs: runQueueMs() }
}

/** Second field of schedstat: ns on the run queue (Linux Documentation/scheduler/sched-stats.rst). */
function runQueueMs(): number | undefined {
  try {
    const ns = Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'latin1').split(' ')[1])
    return Number.isFinite(ns) ? ns / 1e6 : undefined
  } catch {
    return undefined
  }
}
