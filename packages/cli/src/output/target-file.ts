import { randomBytes } from 'node:crypto'
import { type FileHandle, link, open, rename, stat, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { messageOf, WeftError } from '@weft/core'

/**
 * A file that appears under its name only when it is whole: written beside it under another name, fsynced, renamed.
 * Disposing without `commit` leaves nothing.
 */
export class TargetFile implements AsyncDisposable {
  readonly #path: string
  readonly #force: boolean
  readonly #temporary: string
  #file: FileHandle | undefined

  private constructor(path: string, force: boolean, temporary: string, file: FileHandle) {
    this.#path = path
    this.#force = force
    this.#temporary = temporary
    this.#file = file
  }

  /** @throws WeftError E_FILE_EXISTS unless `force`, E_FILE_WRITE */
  static async create(path: string, force: boolean): Promise<TargetFile> {
    if (!force && (await exists(path))) throw existsError(path)
    const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.part`)
    try {
      // The umask of the person decides who may read it, as for any file that a program writes.
      return new TargetFile(path, force, temporary, await open(temporary, 'wx', 0o666))
    } catch (error) {
      throw writeError(path, error)
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#file === undefined) throw new Error('TargetFile: written after its end')
    let at = 0
    try {
      while (at < bytes.length) at += (await this.#file.write(bytes, at)).bytesWritten
    } catch (error) {
      throw writeError(this.#path, error)
    }
  }

  /** Gives the file its name. Without `force` a file that appeared there meanwhile is not overwritten. */
  async commit(): Promise<void> {
    const file = this.#file
    if (file === undefined) throw new Error('TargetFile: committed twice')
    try {
      await file.sync()
      await file.close()
      this.#file = undefined
      if (this.#force) await rename(this.#temporary, this.#path)
      else await this.#linkAnew()
      await syncDirectory(dirname(this.#path))
    } catch (error) {
      throw error instanceof WeftError ? error : writeError(this.#path, error)
    }
  }

  async #linkAnew(): Promise<void> {
    try {
      await link(this.#temporary, this.#path)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EEXIST') throw existsError(this.#path)
      // A file system without hard links: the check before is all there is.
      await rename(this.#temporary, this.#path)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file?.close()
    this.#file = undefined
    await unlink(this.#temporary).catch((error: unknown) => {
      // After a rename it is gone, as it should be.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    })
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch {
    // What cannot be looked at shows when the file is opened.
    return false
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

function existsError(path: string): WeftError {
  return new WeftError({
    code: 'E_FILE_EXISTS',
    cause: `${path} exists already.`,
    fix: 'Choose another name with -o, or overwrite it with --force.',
  })
}

function writeError(path: string, error: unknown): WeftError {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new WeftError({
      code: 'E_NOT_PERMITTED',
      cause: `You may not write ${path}.`,
      fix: 'Choose another place with -o.',
      origin: error,
    })
  }
  const fix = code === 'ENOSPC' ? 'Make room, or choose another disk with -o.' : 'Choose another place with -o.'
  return new WeftError({
    code: 'E_FILE_WRITE',
    cause: `${path} cannot be written: ${messageOf(error)}`,
    fix,
    origin: error,
  })
}
