import { readFileSync, readdirSync } from 'node:fs'
import type { LinuxTunCalls } from './linux-tun.ts'

/** Closes a descriptor by which this very process holds the interface: a thread of it that ended before it could close it left it. */
export function freeOwn(calls: Pick<LinuxTunCalls, 'close'>, name: string): boolean {
  for (const fd of readdirSync('/proc/self/fdinfo')) {
    try {
      if (!new RegExp(`^iff:\\s*${name}$`, 'm').test(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))) continue
      calls.close(Number(fd))
      return true
    } catch {
      // It was closed meanwhile.
    }
  }
  return false
}
