import { type FileHandle, open, readdir, rename, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { ensureDirectory, utf8 } from '@weft/core'
import { MARK_LENGTH } from './blob-header.ts'
import { CoalescedSync } from './coalesced-sync.ts'
import { writeUint64 } from './sequence.ts'

/** Directories that the files are spread over: few enough that the flushes of a directory are shared. */
const FANOUT = 16

interface Directory {
  readonly handle: FileHandle
  readonly sync: CoalescedSync
}

/** One file a shard: written under a temporary name, flushed, renamed, and the directory flushed. */
export class BlobFiles implements AsyncDisposable {
  readonly #root: string
  readonly #directories: readonly Directory[]
  #nextId = 1

  /** Opens the directories and removes what a crash left under temporary names. */
  static async open(root: string): Promise<BlobFiles> {
    const temporary = join(root, 'new')
    ensureDirectory(temporary)
    for (const name of await readdir(temporary)) await unlink(join(temporary, name))
    const directories = await Promise.all(
      Array.from({ length: FANOUT }, async (_, at) => {
        const path = join(root, at.toString(FANOUT))
        ensureDirectory(path)
        const handle = await open(path, 'r')
        return { handle, sync: new CoalescedSync(() => handle.sync()) }
      }),
    )
    const handle = await open(root, 'r')
    await handle.sync()
    await handle.close()
    return new BlobFiles(root, directories)
  }

  private constructor(root: string, directories: readonly Directory[]) {
    this.#root = root
    this.#directories = directories
  }

  /** A new id, never used before in this directory. */
  nextId(): number {
    return this.#nextId++
  }

  /** Opens a file to be written; it does not exist before {@link publish}. */
  create(id: number): Promise<FileHandle> {
    return open(this.#temporary(id), 'wx', 0o600)
  }

  /** Gives a written and flushed file its lasting name. */
  async publish(id: number): Promise<void> {
    await rename(this.#temporary(id), this.#path(id))
    await this.#directories[id % FANOUT]?.sync.sync()
  }

  /** Removes a file that was not published. */
  async discard(id: number): Promise<void> {
    await unlinkIfThere(this.#temporary(id))
  }

  open(id: number): Promise<FileHandle> {
    return open(this.#path(id), 'r')
  }

  /** Not flushed: after a crash, what the index does not know is removed. */
  async remove(id: number): Promise<void> {
    await unlinkIfThere(this.#path(id))
  }

  /** Removes files that are not known, and returns the known ids that have no file. */
  async reconcile(known: ReadonlySet<number>): Promise<number[]> {
    const missing = new Set(known)
    for (const id of known) this.#nextId = Math.max(this.#nextId, id + 1)
    for (let at = 0; at < FANOUT; at++) {
      const path = join(this.#root, at.toString(FANOUT))
      for (const name of await readdir(path)) {
        const id = Number(name)
        if (Number.isSafeInteger(id)) this.#nextId = Math.max(this.#nextId, id + 1)
        if (!missing.delete(id)) await unlinkIfThere(join(path, name))
      }
    }
    return [...missing]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#directories.map(({ handle }) => handle.close()))
  }

  #temporary(id: number): string {
    return join(this.#root, 'new', String(id))
  }

  #path(id: number): string {
    return join(this.#root, (id % FANOUT).toString(FANOUT), String(id))
  }
}

/** Begins the header at the end of a file: a header in another file, or in another place, is none. */
export function fileMark(id: number): Uint8Array {
  const mark = new Uint8Array(MARK_LENGTH)
  mark.set(utf8('weftfile'))
  writeUint64(new DataView(mark.buffer), 8, id)
  return mark
}

/** Paths and ids of all files of shards. */
export async function* listBlobFiles(root: string): AsyncGenerator<{ readonly id: number; readonly path: string }> {
  for (let at = 0; at < FANOUT; at++) {
    const directory = join(root, at.toString(FANOUT))
    for (const name of await readdir(directory).catch(() => [])) {
      if (/^\d{1,15}$/.test(name)) yield { id: Number(name), path: join(directory, name) }
    }
  }
}

async function unlinkIfThere(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
