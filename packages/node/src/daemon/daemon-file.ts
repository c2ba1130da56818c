import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { stateUnwritable } from './state-directory.ts'

/** What a ready daemon says of itself in `daemon.json` in its home. */
export interface DaemonFile {
  readonly schemaVersion: 1
  readonly pid: number
  /** As of core's ProcessIdentity: with the pid it names the process for good. */
  readonly startTime: string | undefined
  readonly version: string
  readonly ports: Readonly<Record<string, number>>
}

/** Writes it whole or not at all; disposing removes it. @throws WeftError E_STATE_UNWRITABLE, E_DISK_FULL */
export function writeDaemonFile(path: string, home: string, file: DaemonFile): Disposable {
  const temporary = `${path}.new`
  try {
    writeFileSync(temporary, `${JSON.stringify(file)}\n`, { mode: 0o600 })
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw stateUnwritable(home, error)
  }
  return { [Symbol.dispose]: () => rmSync(path, { force: true }) }
}
