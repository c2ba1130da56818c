import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { identifyProcess, type ProcessIdentity } from '@weft/core'

/**
 * Live processes of this user whose command line holds `--home DIRECTORY`: how nodes are found of which no record
 * was written, because whoever started them died in between.
 */
export function findProcessesByHome(directory: string): readonly ProcessIdentity[] {
  const pids = process.platform === 'linux' ? pidsFromProc(directory) : pidsFromPs(directory)
  return pids
    .filter((pid) => pid !== process.pid)
    .map((pid) => identifyProcess(pid))
    .filter((identity) => identity !== undefined)
}

/** True when the arguments name exactly this home, as two arguments or as one. */
export function namesHome(args: readonly string[], directory: string): boolean {
  return args.some((arg, index) => (arg === '--home' && args[index + 1] === directory) || arg === `--home=${directory}`)
}

function pidsFromProc(directory: string): number[] {
  const pids: number[] = []
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    try {
      const args = readFileSync(`/proc/${entry}/cmdline`, 'utf8').split('\0')
      if (isDaemon(args) && namesHome(args, directory)) pids.push(Number(entry))
    } catch {
      // Ended while we looked, or another user's.
    }
  }
  return pids
}

function pidsFromPs(directory: string): number[] {
  const text = execFileSync('ps', ['-axww', '-o', 'pid=,args='], { encoding: 'utf8', maxBuffer: 16 * 1024 * 1024 })
  const pids: number[] = []
  for (const line of text.split('\n')) {
    const [, pid, args] = /^\s*(\d+)\s+(.*)$/.exec(line) ?? []
    if (pid === undefined || args === undefined) continue
    if (isDaemon(args.split(' ')) && `${args} `.includes(`--home ${directory} `)) pids.push(Number(pid))
  }
  return pids
}

/** A person's editor or shell that mentions the directory is no node. */
function isDaemon(args: readonly string[]): boolean {
  return args.slice(1).some((arg) => /(^|\/)daemon(-main)?\.(js|ts)$/.test(arg))
}
