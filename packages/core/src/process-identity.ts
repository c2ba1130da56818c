import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/**
 * One process, beyond doubt: a pid is reused after its process ended, a pid together with the moment at which the
 * process started is not. Whatever is signalled is named by both.
 */
export interface ProcessIdentity {
  readonly pid: number
  /** Opaque, compared for equality only: on Linux field 22 of /proc/PID/stat (clock ticks since boot). */
  readonly startTime: string
}

/** The identity of the live process with this pid; undefined when there is none (a zombie counts as none). */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  const startTime = process.platform === 'linux' ? startTimeFromProc(pid) : startTimeFromPs(pid)
  return startTime === undefined ? undefined : { pid, startTime }
}

/** True while exactly this process lives. */
export function isAlive(identity: ProcessIdentity): boolean {
  return identifyProcess(identity.pid)?.startTime === identity.startTime
}

/** Signals exactly this process. @returns false when it is gone already: no other process is ever signalled. */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (!isAlive(identity)) return false
  try {
    process.kill(identity.pid, signal)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}

/**
 * Parses the text of /proc/PID/stat (proc(5)): the name in parentheses may itself hold spaces and parentheses, so
 * the fields are counted from the last one. @returns undefined for a process that is dead or a zombie
 */
export function parseProcStat(text: string): string | undefined {
  const fields = text
    .slice(text.lastIndexOf(')') + 1)
    .trim()
    .split(/\s+/)
  const state = fields[0]
  // Field 22 of the whole line; the state is field 3 and the first one after the name.
  const startTime = fields[19]
  if (state === undefined || startTime === undefined || state === 'Z' || state === 'X') return undefined
  return /^\d+$/.test(startTime) ? startTime : undefined
}

function startTimeFromProc(pid: number): string | undefined {
  try {
    return parseProcStat(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    // Gone, or never there: both mean that no such process lives.
    return undefined
  }
}

function startTimeFromPs(pid: number): string | undefined {
  try {
    const text = execFileSync('ps', ['-o', 'state=,lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      stdio: 'pipe',
    }).trim()
    return text === '' || text.startsWith('Z') ? undefined : text.replace(/^\S+\s+/, '')
  } catch {
    // ps ends with 1 when no process matches.
    return undefined
  }
}
