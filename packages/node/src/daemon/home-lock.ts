import { readFileSync, writeFileSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { WeftError } from '@weft/core'
import { stateUnwritable } from './state-directory.ts'

/** sqlite.org/rescode.html */
const SQLITE_BUSY = 5
const SQLITE_NOTADB = 26

/**
 * Holds the home for one daemon. The lock is an exclusive transaction of SQLite on an empty file, which is a lock of
 * the kernel on it: it goes when the process goes, however that ends, so there is no stale lock to recover from.
 */
export class HomeLock implements Disposable {
  readonly #database: DatabaseSync

  private constructor(database: DatabaseSync) {
    this.#database = database
  }

  /** @throws WeftError E_ALREADY_RUNNING with the pid of the holder; E_STATE_CORRUPT, E_STATE_UNWRITABLE, E_DISK_FULL */
  static async acquire(path: string, home: string): Promise<HomeLock> {
    const { DatabaseSync } = await import('node:sqlite')
    let database: DatabaseSync | undefined
    try {
      database = new DatabaseSync(path, { timeout: 0 })
      database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
    } catch (error) {
      database?.close()
      const { errcode } = error as { errcode?: number }
      if (errcode === SQLITE_BUSY) throw alreadyRunning(home, holderOf(path))
      if (errcode === SQLITE_NOTADB) throw damaged(path)
      throw stateUnwritable(home, error)
    }
    try {
      writeFileSync(pidFile(path), String(process.pid), { mode: 0o600 })
    } catch (error) {
      database.close()
      throw stateUnwritable(home, error)
    }
    return new HomeLock(database)
  }

  [Symbol.dispose](): void {
    this.#database.close()
  }
}

/** Beside the lock, as a file under a lock of SQLite must not be opened by anything else in its process. */
function pidFile(path: string): string {
  return `${path}.pid`
}

function holderOf(path: string): number | undefined {
  try {
    const pid = Number(readFileSync(pidFile(path), 'utf8'))
    return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined
  } catch {
    // The holder took the lock and has not written its pid yet.
    return undefined
  }
}

function alreadyRunning(home: string, pid: number | undefined): WeftError {
  return new WeftError({
    code: 'E_ALREADY_RUNNING',
    cause: `A daemon${pid === undefined ? '' : ` (pid ${pid})`} already runs with the home ${home}.`,
    fix: 'Use that one (weft status), stop it (weft stop), or choose another home with --home or WEFT_HOME.',
    details: pid === undefined ? {} : { pid },
  })
}

function damaged(path: string): WeftError {
  return new WeftError({
    code: 'E_STATE_CORRUPT',
    cause: `The lock of the home, ${path}, is damaged: something else wrote into it.`,
    fix: `Check the disk, and that no daemon runs with this home; then remove the file, which holds nothing: rm ${path}`,
  })
}
