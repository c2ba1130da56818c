import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { WeftError } from '@weft/core'
import { identifyProcess, isAlive, type ProcessIdentity } from '../process/process-identity.ts'

/** Keeps two processes from starting or stopping the nodes of one directory at once; a dead holder's lock is void. */
export class UpLock implements Disposable {
  readonly #path: string

  private constructor(path: string) {
    this.#path = path
  }

  /** @throws WeftError E_DEVNET_BUSY while another live process starts this devnet */
  static take(directory: string): UpLock {
    const path = join(directory, 'up.lock')
    // Twice: once more after a void lock was removed.
    for (const attempt of [0, 1]) {
      try {
        const file = openSync(path, 'wx', 0o600)
        writeSync(file, JSON.stringify(identifyProcess(process.pid)))
        closeSync(file)
        return new UpLock(path)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
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
