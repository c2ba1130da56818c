import { randomBytes } from 'node:crypto'
import { type FileHandle, open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { concatBytes, equalBytes, utf8 } from '@weft/core'
import { diskError } from './blob-error.ts'
import { MARK_LENGTH } from './blob-header.ts'
import { type BlobNote, MAX_NOTE, decodeBlobNote, encodeBlobNote } from './blob-note.ts'
import { CoalescedSync } from './coalesced-sync.ts'
import { type ReadNote, mergeNotes } from './merge-notes.ts'
import { scanRecords } from './scan-records.ts'
import { type Sequence, readUint64, writeUint64 } from './sequence.ts'

const FILE = 'notes.log'
const MAGIC = utf8('weftnote')
/** Magic, mark, and the size that the file had when it was last written anew. */
const HEAD = MAGIC.length + MARK_LENGTH + 8
/** Grown by this beyond twice that size, bytes, the file is worth writing anew. */
const SLACK = 4 * 1024 * 1024

interface NotesFile {
  readonly handle: FileHandle
  readonly mark: Uint8Array
  /** Where the next note goes. */
  end: number
  /** Size when it was last written anew. */
  base: number
}

/**
 * What became of objects at this holder, one behind the other in a file beside the index: without it a lost index could
 * not be made anew without bringing back what was removed, or what was never committed. A note is on disk before what it
 * tells of is acknowledged; notes that come at about the same time share a flush.
 */
export class BlobNotes implements AsyncDisposable {
  readonly #directory: string
  readonly #sequence: Sequence
  readonly #sync = new CoalescedSync(() => this.#write())
  #file: NotesFile
  readonly #pending: Uint8Array[] = []
  #writing: Promise<void> = Promise.resolve()
  /** Set while the file is being exchanged. */
  #exchange: Promise<void> | undefined

  /** @param initial what is noted first where there is no file yet, or none that can be read. */
  static async open(directory: string, sequence: Sequence, initial: () => Iterable<BlobNote>): Promise<BlobNotes> {
    const file = await openNotes(join(directory, FILE))
    if (file !== undefined) return new BlobNotes(directory, sequence, file)
    const made = await makeNotes(directory, randomBytes(MARK_LENGTH), (mark) => encodeAll(mark, sequence, initial()))
    return new BlobNotes(directory, sequence, made)
  }

  private constructor(directory: string, sequence: Sequence, file: NotesFile) {
    this.#directory = directory
    this.#sequence = sequence
    this.#file = file
  }

  /** Resolves when the note is on disk. @throws WeftError E_DISK_FULL, E_DISK */
  async add(note: BlobNote): Promise<void> {
    this.#pending.push(encodeBlobNote(this.#file.mark, this.#sequence.next(), note))
    try {
      await this.#sync.sync()
    } catch (error) {
      throw diskError(error, 'writing a note about an object')
    }
  }

  /** Whether most of the file may be about objects that are gone. */
  get isLong(): boolean {
    return this.#file.end > 2 * this.#file.base + SLACK
  }

  /** Writes the file anew without the notes of objects that `isKept` says no to, and without those that later ones stand for. */
  async compact(isKept: (object: Uint8Array) => boolean): Promise<void> {
    const old = this.#file
    let at = HEAD
    const { promise: exchanged, resolve } = Promise.withResolvers<void>()
    const copy = async function* (until: () => number): AsyncGenerator<Uint8Array> {
      while (at < until()) {
        const end = until()
        yield* mergeNotes(keptIn(old, at, end, isKept), old.mark)
        at = end
      }
    }
    try {
      const made = await makeNotes(
        this.#directory,
        old.mark,
        async function* () {
          yield* copy(() => old.end)
        },
        async () => {
          this.#exchange = exchanged
          await this.#writing.catch(() => {})
          return copy(() => old.end)
        },
      )
      this.#file = made
      await old.handle.close()
    } finally {
      this.#exchange = undefined
      resolve()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#exchange
    await this.#writing.catch(() => {})
    await this.#file.handle.close()
  }

  async #write(): Promise<void> {
    await this.#exchange
    this.#writing = this.#writeOut(concatBytes(this.#pending.splice(0)))
    await this.#writing
  }

  async #writeOut(bytes: Uint8Array): Promise<void> {
    const { handle, end } = this.#file
    await writeAll(handle, bytes, end)
    await handle.datasync()
    this.#file.end = end + bytes.length
  }
}

/** The notes of a store, in the order in which they were made; none when there is no file that can be read. */
export async function* readNotes(directory: string): AsyncGenerator<{ note: BlobNote; sequence: number }> {
  const file = await openNotes(join(directory, FILE))
  if (file === undefined) return
  try {
    yield* notesIn(file, HEAD, file.end)
  } finally {
    await file.handle.close()
  }
}

async function* keptIn(
  file: NotesFile,
  from: number,
  to: number,
  isKept: (object: Uint8Array) => boolean,
): AsyncGenerator<ReadNote> {
  for await (const read of notesIn(file, from, to)) if (isKept(read.note.object)) yield read
}

async function* notesIn({ handle, mark }: NotesFile, from: number, to: number): AsyncGenerator<ReadNote> {
  const scan = scanRecords({
    file: handle,
    from,
    to,
    mark,
    longest: MAX_NOTE,
    decode: (bytes, at) => {
      const read = decodeBlobNote(bytes, at, mark)
      return read && { ...read, bytes: new Uint8Array(bytes.subarray(at, at + read.size)) }
    },
    span: ({ size }) => size,
  })
  for await (const { record } of scan) yield record
}

async function openNotes(path: string): Promise<NotesFile | undefined> {
  let handle: FileHandle
  try {
    handle = await open(path, 'r+')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  const head = Buffer.alloc(HEAD)
  const { bytesRead } = await handle.read(head, 0, HEAD, 0)
  if (bytesRead < HEAD || !equalBytes(head.subarray(0, MAGIC.length), MAGIC)) {
    await handle.close()
    return undefined
  }
  const view = new DataView(head.buffer, head.byteOffset, HEAD)
  const mark = Uint8Array.from(head.subarray(MAGIC.length, MAGIC.length + MARK_LENGTH))
  return { handle, mark, end: (await handle.stat()).size, base: readUint64(view, HEAD - 8) }
}

/** Writes a file under another name, flushes it, and gives it its own; `last` says what comes behind the rest, and nothing after it. */
async function makeNotes(
  directory: string,
  mark: Uint8Array,
  parts: (mark: Uint8Array) => Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  last: () => Promise<AsyncIterable<Uint8Array> | undefined> = async () => undefined,
): Promise<NotesFile> {
  const path = join(directory, FILE)
  const handle = await open(`${path}.new`, 'w+', 0o600)
  try {
    let end = await writeParts(handle, parts(mark), HEAD)
    const rest = await last()
    if (rest !== undefined) end = await writeParts(handle, rest, end)
    const head = new Uint8Array(HEAD)
    head.set(MAGIC)
    head.set(mark, MAGIC.length)
    writeUint64(new DataView(head.buffer), HEAD - 8, end)
    await writeAll(handle, head, 0)
    await handle.datasync()
    await rename(`${path}.new`, path)
    const parent = await open(directory, 'r')
    await parent.sync()
    await parent.close()
    return { handle, mark, end, base: end }
  } catch (error) {
    await handle.close()
    throw error
  }
}

async function writeParts(
  handle: FileHandle,
  parts: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  from: number,
): Promise<number> {
  let end = from
  let batch: Uint8Array[] = []
  const flush = async (): Promise<void> => {
    const bytes = concatBytes(batch)
    batch = []
    await writeAll(handle, bytes, end)
    end += bytes.length
  }
  for await (const part of parts) if (batch.push(part) === 1024) await flush()
  await flush()
  return end
}

function* encodeAll(mark: Uint8Array, sequence: Sequence, notes: Iterable<BlobNote>): Generator<Uint8Array> {
  for (const note of notes) yield encodeBlobNote(mark, sequence.next(), note)
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  let written = 0
  while (written < bytes.length) {
    written += (await handle.write(bytes, written, bytes.length - written, at + written)).bytesWritten
  }
}
