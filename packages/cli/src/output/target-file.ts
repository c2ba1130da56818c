import { randomBytes } from 'node:crypto'
import type { Stats } from 'node:fs'
import { type FileHandle, link, open, realpath, rename, stat, statfs, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { freeNow, isDiskFull, messageOf, WeftError } from '@weft/core'

/** Bytes gathered for one write call; as many again may be on their way to the disk while the next ones arrive. */
const BATCH = 1024 * 1024
/** Bytes written before the disk is told to take them: what is left to sync at the end is no more than a few of these. */
const SYNC_STEP = 16 * 1024 * 1024

export interface TargetOptions {
  /** Overwrites one that exists. */
  readonly force: boolean
  readonly mode?: number
}

/**
 * A file that appears under its name only when it is whole: written beside it under another name, fsynced, renamed.
 * Disposing without `commit` leaves nothing.
 */
export class TargetFile implements AsyncDisposable {
  readonly #path: string
  readonly #force: boolean
  readonly #temporary: string
  #file: FileHandle | undefined
  #expected: number | undefined
  #batch: Uint8Array[] = []
  #batched = 0
  #writing: Promise<void> = Promise.resolve()
  /** Bytes written since the disk was last told to take them. */
  #unsynced = 0
  #syncing: Promise<void> | undefined

  private constructor(path: string, force: boolean, temporary: string, file: FileHandle) {
    this.#path = path
    this.#force = force
    this.#temporary = temporary
    this.#file = file
  }

  /**
   * @param mode of the file where it is new; by default the umask of the person decides who may read it, as for any file
   * that a program writes
   * @throws WeftError E_FILE_EXISTS unless `force`, E_NOT_PERMITTED, E_DISK_FULL, E_FILE_WRITE
   */
  static async create(path: string, { force, mode = 0o666 }: TargetOptions): Promise<TargetFile> {
    const info = await statOf(path)
    if (info !== undefined && !info.isFile()) throw kindError(path, info.isDirectory())
    if (info !== undefined && !force) throw existsError(path)
    if ((await statOf(dirname(path))) === undefined) throw noDirectory(path)
    // What a link leads to is written, not the link.
    return TargetFile.#open(info === undefined ? path : await realpath(path), force, mode)
  }

  static async #open(path: string, force: boolean, mode: number): Promise<TargetFile> {
    const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.part`)
    try {
      return new TargetFile(path, force, temporary, await open(temporary, 'wx', mode))
    } catch (error) {
      throw writeError(path, error)
    }
  }

  /**
   * Says how many bytes will be written, before the first.
   * @throws WeftError E_DISK_FULL when the disk has less room than that
   */
  async expect(size: number): Promise<void> {
    this.#expected = size
    const free = await freeSpace(dirname(this.#path))
    if (free === undefined || free >= size) return
    throw new WeftError({
      code: 'E_DISK_FULL',
      cause: `The disk of ${this.#path} has ${free} bytes left; the file needs ${size}.`,
      fix: 'Make room on it, or choose another disk.',
      details: { path: this.#path, size, free },
    })
  }

  /**
   * Takes `bytes`, without a copy, and frees them once they are written (`freeNow`); waits while too many are on their way.
   * @throws WeftError E_DISK_FULL, E_FILE_WRITE, also for what was given before
   */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.#file === undefined) throw new Error('TargetFile: written after its end')
    this.#batch.push(bytes)
    this.#batched += bytes.length
    if (this.#batched >= BATCH) await this.#flush(this.#file)
  }

  /** Gives the file its name. Without `force` a file that appeared there meanwhile is not overwritten. */
  async commit(): Promise<void> {
    const file = this.#file
    if (file === undefined) throw new Error('TargetFile: committed twice')
    await this.#flush(file)
    await this.#writing
    await this.#syncing
    try {
      await file.sync()
      await file.close()
      this.#file = undefined
      if (this.#force) await rename(this.#temporary, this.#path)
      else await this.#linkAnew()
      await syncDirectory(dirname(this.#path))
    } catch (error) {
      throw error instanceof WeftError ? error : writeError(this.#path, error, this.#expected)
    }
  }

  /** Hands the batch to the disk when the one before is through. */
  async #flush(file: FileHandle): Promise<void> {
    const batch = this.#batch
    this.#batch = []
    this.#batched = 0
    await this.#writing
    this.#writing = this.#writeAll(file, batch)
    // Whoever writes or commits next sees the failure.
    this.#writing.catch(() => {})
  }

  /** Has the disk take what was written while more arrives. A disk that fails tells it once, so this failure counts. */
  #syncAhead(file: FileHandle): void {
    if (this.#unsynced < SYNC_STEP || this.#syncing !== undefined) return
    this.#unsynced = 0
    const syncing = file.datasync().then(
      () => {
        this.#syncing = undefined
      },
      (error: unknown) => {
        throw writeError(this.#path, error, this.#expected)
      },
    )
    // It stays, and commit sees it.
    syncing.catch(() => {})
    this.#syncing = syncing
  }

  async #writeAll(file: FileHandle, batch: readonly Uint8Array[]): Promise<void> {
    let rest = batch
    try {
      while (rest.length > 0) {
        const { bytesWritten } = await file.writev(rest)
        this.#unsynced += bytesWritten
        rest = behind(rest, bytesWritten)
      }
      for (const bytes of batch) freeNow(bytes)
      this.#syncAhead(file)
    } catch (error) {
      throw writeError(this.#path, error, this.#expected)
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
    await this.#writing.catch(() => {})
    await this.#syncing?.catch(() => {})
    await this.#file?.close()
    this.#file = undefined
    await unlink(this.#temporary).catch((error: unknown) => {
      // After a rename it is gone, as it should be.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    })
  }
}

/** What is left of the buffers after their first `written` bytes: a disk that fills up takes only a part. */
function behind(buffers: readonly Uint8Array[], written: number): readonly Uint8Array[] {
  let left = written
  return buffers.flatMap((bytes) => {
    const skipped = Math.min(left, bytes.length)
    left -= skipped
    return skipped === bytes.length ? [] : [bytes.subarray(skipped)]
  })
}

async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw writeError(path, error)
  }
}

function kindError(path: string, isDirectory: boolean): WeftError {
  return new WeftError({
    code: 'E_FILE_WRITE',
    cause: isDirectory ? `${path} is a directory.` : `${path} is no regular file.`,
    fix: isDirectory ? `Name a file in it: ${join(path, 'NAME')}` : `Write to it by the shell: - > ${path}`,
  })
}

function noDirectory(path: string): WeftError {
  return new WeftError({
    code: 'E_FILE_WRITE',
    cause: `The directory ${dirname(path)} does not exist.`,
    fix: 'Make it, or choose another place with -o.',
  })
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

/** Bytes that this user may still write there; undefined where the file system does not tell. */
async function freeSpace(directory: string): Promise<number | undefined> {
  try {
    const { blocks, bavail, bsize } = await statfs(directory)
    // File systems that do not count (some network ones) say zero of zero.
    return blocks === 0 ? undefined : bavail * bsize
  } catch {
    return undefined
  }
}

function existsError(path: string): WeftError {
  return new WeftError({
    code: 'E_FILE_EXISTS',
    cause: `${path} exists already.`,
    fix: 'Choose another name, or overwrite it with --force.',
  })
}

function writeError(path: string, error: unknown, size?: number): WeftError {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new WeftError({
      code: 'E_NOT_PERMITTED',
      cause: `You may not write ${path}.`,
      fix: 'Choose another place.',
      origin: error,
    })
  }
  if (isDiskFull(error)) {
    return new WeftError({
      code: 'E_DISK_FULL',
      cause: `The disk of ${path} is full: the file needs ${size === undefined ? 'more room than is left' : `${size} bytes`}.`,
      fix: 'Make room on it, or choose another disk.',
      details: { path, ...(size !== undefined && { size }) },
      origin: error,
    })
  }
  return new WeftError({
    code: 'E_FILE_WRITE',
    cause: `${path} cannot be written: ${messageOf(error)}`,
    fix: 'Choose another place.',
    origin: error,
  })
}
