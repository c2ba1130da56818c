import { readFileSync } from 'node:fs'

/**
 * When a process started, in clock ticks since boot: field 22 of /proc/PID/stat (proc_pid_stat(5)). With the pid it
 * names one process for good, as pids are reused. Undefined where there is no such process or no /proc.
 */
export function processStartTime(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The second field is the command in parentheses and may itself hold spaces and parentheses.
    const ticks = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19])
    return Number.isSafeInteger(ticks) ? ticks : undefined
  } catch {
    return undefined
  }
}
