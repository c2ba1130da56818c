import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { WeftError, identifyProcess, isAlive, type ProcessIdentity } from '@weft/core'
import { unwritable } from './state-directory.ts'

/** Keeps two processes from starting or stopping the nodes of one directory at once; a dead holder's lock is void. */
export class UpLock implements Disposable {
  readonly #path: string

  private constructor(path: string) {
    this.#path = path
  }

  /** @throws WeftError E_DEVNET_BUSY while another live process starts this devnet; E_STATE_UNWRITABLE, E_DISK_FULL */
  static take(directory: string): UpLock {
    const path = join(directory, 'up.lock')
    // Twice: once more after a void lock was removed.
    for (const attempt of [0, 1]) {
      try {
        write(path)
        return new UpLock(path)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw unwritable(directory, error)
        const holder = readHolder(path)
        if (attempt === 1 || (holder !== undefined && isAlive(holder))) throw busyError(directory, holder)
        rmSync(path, { force: true })
      }
    }
    throw busyError(directory, undefined)
  }

  [Symbol.dispose](): void {
    rmSync(this.#path, { force: true })
  }
}

/** Whole or not at all. @throws the system's error */
function write(path: string): void {
  const file = openSync(path, 'wx', 0o600)
  try {
    writeSync(file, JSON.stringify(identifyProcess(process.pid)))
  } catch (error) {
    rmSync(path, { force: true })
    throw error
  } finally {
    closeSync(file)
  }
}

function readHolder(path: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as ProcessIdentity
  } catch {
    // Removed meanwhile, or its writer died between open and write.
    return undefined
  }
}

function busyError(directory: string, holder: ProcessIdentity | undefined): WeftError {
  return new WeftError({
    code: 'E_DEVNET_BUSY',
    cause: `Process ${holder?.pid ?? 'unknown'} is starting the devnet in ${directory} at this moment.`,
    fix: 'Wait until it is up, or name another directory with --dir.',
    retryable: true,
  })
}
