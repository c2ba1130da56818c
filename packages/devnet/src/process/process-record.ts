import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { isAlive, type ProcessIdentity } from '@weft/core'
import { writeFileAtomically } from '../lifecycle/write-file-atomically.ts'

const recordPath = (home: string): string => join(home, 'process.json')

/** Notes which process runs the node of this home. */
export function writeProcessRecord(home: string, identity: ProcessIdentity): void {
  writeFileAtomically(recordPath(home), `${JSON.stringify(identity)}\n`)
}

/** The live process of the node in this home, by its record; undefined when none is noted or it is gone. */
export function readProcessRecord(home: string): ProcessIdentity | undefined {
  try {
    const { pid, startTime } = JSON.parse(readFileSync(recordPath(home), 'utf8')) as ProcessIdentity
    const identity = { pid, startTime }
    return Number.isInteger(pid) && pid > 0 && isAlive(identity) ? identity : undefined
  } catch {
    // No record, or a torn one of an older version: findProcessesByHome() finds what it would have named.
    return undefined
  }
}

export function removeProcessRecord(home: string): void {
  rmSync(recordPath(home), { force: true })
}
