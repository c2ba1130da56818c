import { readFileSync } from 'node:fs'

const MEGA = 1e6

/** Resident memory of a process, MB; Linux only, as the benches. */
export function rssOf(pid: number): number {
  const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return (Number(kilobytes) * 1024) / MEGA
}
