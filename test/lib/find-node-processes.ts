import { readdirSync, readFileSync } from 'node:fs'

/** Command lines of live processes that name anything below `directory`: independent of the code under test. */
export function findNodeProcesses(directory: string): string[] {
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return []
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
      return line.includes(`${directory}/`) && line.includes('daemon') ? [`${pid}: ${line}`] : []
    } catch {
      // It ended meanwhile.
      return []
    }
  })
}
