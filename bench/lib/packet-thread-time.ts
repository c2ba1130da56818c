import { readFileSync, readdirSync } from 'node:fs'

/** Linux counts in hundredths of a second (USER_HZ). */
const TICKS_A_SECOND = 100
/** `comm` of proc(5) has 15 bytes. */
const THREAD = 'weft-packets'

export interface ProcessorTime {
  /** s in the process's own code, and in the kernel for it. */
  readonly user: number
  readonly kernel: number
}

/** Processor time of the packet threads of a daemon so far. @throws Error when it has none */
export function packetThreadTime(pid: number): ProcessorTime {
  const sum = { user: 0, kernel: 0 }
  let threads = 0
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8')
    // The name stands in brackets and may hold anything.
    const end = stat.lastIndexOf(')')
    if (stat.slice(stat.indexOf('(') + 1, end) !== THREAD) continue
    const fields = stat.slice(end + 2).split(' ')
    sum.user += Number(fields[11]) / TICKS_A_SECOND
    sum.kernel += Number(fields[12]) / TICKS_A_SECOND
    threads++
  }
  if (threads === 0) throw new Error(`process ${pid} has no thread ${THREAD}`)
  return sum
}
