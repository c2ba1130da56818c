import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

export interface MemoryUsage {
  /** Resident set, bytes; pages shared between processes count in each of them. */
  readonly rssBytes: number
  /** Proportional set, bytes: shared pages divided among their users, so that sums are right. Linux only. */
  readonly pssBytes: number | undefined
}

/** What a process occupies now; undefined when it is gone. */
export function memoryUsage(pid: number): MemoryUsage | undefined {
  return process.platform === 'linux' ? memoryFromProc(pid) : memoryFromPs(pid)
}

/** Reads one `Name:  123 kB` line of a /proc file (proc(5)) as bytes. */
export function parseKilobytes(text: string, name: string): number | undefined {
  const match = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)
  return match?.[1] === undefined ? undefined : Number(match[1]) * 1024
}

function memoryFromProc(pid: number): MemoryUsage | undefined {
  const status = readText(`/proc/${pid}/status`)
  const rssBytes = status === undefined ? undefined : parseKilobytes(status, 'VmRSS')
  if (rssBytes === undefined) return undefined
  const rollup = readText(`/proc/${pid}/smaps_rollup`)
  return { rssBytes, pssBytes: rollup === undefined ? undefined : parseKilobytes(rollup, 'Pss') }
}

function memoryFromPs(pid: number): MemoryUsage | undefined {
  try {
    const text = execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8', stdio: 'pipe' })
    return { rssBytes: Number(text.trim()) * 1024, pssBytes: undefined }
  } catch {
    // ps ends with 1 when no process matches.
    return undefined
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // The process is gone, or its maps are not ours to read.
    return undefined
  }
}
