import { readFileSync } from 'node:fs'

export interface ProcessResources {
  readonly rssBytes: number
  /** Memory that is of this process alone; undefined where the kernel does not tell. */
  readonly privateBytes: number | undefined
  readonly cpuMs: number
}

export function processResources(): ProcessResources {
  const { user, system } = process.cpuUsage()
  return {
    rssBytes: process.memoryUsage.rss(),
    privateBytes: privateBytes(),
    cpuMs: Math.round((user + system) / 1000),
  }
}

/** Sum of the Private_ lines of smaps_rollup, which are in KiB (proc_pid_smaps(5)). */
function privateBytes(): number | undefined {
  try {
    const lines = readFileSync('/proc/self/smaps_rollup', 'latin1').matchAll(/^Private_\w+: +(\d+) kB$/gm)
    return lines.reduce((sum, [, kibibytes]) => sum + Number(kibibytes) * 1024, 0)
  } catch {
    return undefined
  }
}
