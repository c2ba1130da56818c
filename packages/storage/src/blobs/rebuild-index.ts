import { existsSync } from 'node:fs'
import { type FileHandle, open, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type { Clock, Logger } from '@weft/core'
import { MAX_SHARD_LENGTH } from '@weft/wire'
import { fileMark, listBlobFiles } from './blob-files.ts'
import { type BlobHeader, decodeBlobHeader, headerSize } from './blob-header.ts'
import { type BlobPlace, COLUMNS, INDEX_FILE, INDEX_SCHEMA } from './blob-index.ts'
import { readNotes } from './blob-notes.ts'
import { LARGE_BLOB } from './blob-writer.ts'
import { FoundNotes, isCommitted } from './found-notes.ts'
import { LOG_HEAD, markOf } from './segment-log.ts'
import { scanRecords } from './scan-records.ts'
import { openingOf } from './sequence.ts'

/** ms between two words about how far it is. */
const REPORT = 2_000
/** Rows between two looks at other work. */
const SLICE = 2_000
/** The longest name of a peer, bytes. */
const MAX_PEER = 255
const STAGING = `
  CREATE TABLE staging.found (
    object BLOB NOT NULL, segment INTEGER NOT NULL, idx INTEGER NOT NULL, sequence INTEGER NOT NULL, length INTEGER NOT NULL,
    log INTEGER, place INTEGER NOT NULL, checksums BLOB NOT NULL, peer TEXT NOT NULL,
    PRIMARY KEY (object, segment, idx, sequence)) WITHOUT ROWID;
  CREATE TABLE staging.notes (
    object BLOB NOT NULL, sequence INTEGER NOT NULL, kind TEXT NOT NULL, peer TEXT NOT NULL, expires_at INTEGER NOT NULL,
    deletion TEXT NOT NULL, PRIMARY KEY (object, sequence)) WITHOUT ROWID;`

export interface RebuildOptions {
  readonly directory: string
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Makes the index anew from what files, logs and notes say of themselves. Only what was committed comes back, and nothing
 * that was removed since; whether its bytes are whole is found when they are read. The old index stays until the new one
 * is whole: a crash in between begins anew.
 */
export async function rebuildIndex(options: RebuildOptions): Promise<void> {
  const path = join(options.directory, INDEX_FILE)
  const [made, staging] = [`${path}.new`, `${path}.staging`]
  for (const leftover of [made, staging]) await rm(leftover, { force: true })
  const database = new DatabaseSync(made)
  try {
    database.exec(`PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; ${INDEX_SCHEMA}`)
    database.prepare('ATTACH ? AS staging').run(staging)
    database.exec(`PRAGMA staging.journal_mode = OFF; PRAGMA staging.synchronous = OFF; ${STAGING}`)
    await new IndexRebuild(database, options).run()
  } finally {
    database.close()
    await rm(staging, { force: true })
  }
  const file = await open(made, 'r+')
  await file.sync()
  await file.close()
  // Of the old one: it would be taken for a part of the new one.
  for (const leftover of [`${path}-wal`, `${path}-shm`]) await rm(leftover, { force: true })
  if (existsSync(path)) await rename(path, `${path}.damaged`)
  await rename(made, path)
}

class IndexRebuild {
  readonly #database: DatabaseSync
  readonly #options: RebuildOptions
  readonly #found: StatementSync
  readonly #progress = { entries: 0, bytes: 0, notes: 0, restored: 0 }
  #rows = 0
  #newest = 0
  #reportedAt: number

  constructor(database: DatabaseSync, options: RebuildOptions) {
    this.#database = database
    this.#options = options
    this.#found = database.prepare('INSERT OR REPLACE INTO staging.found VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)')
    this.#reportedAt = options.clock.monotonic()
  }

  async run(): Promise<void> {
    const { logger, clock } = this.#options
    const started = clock.monotonic()
    logger.error('the index of shards is lost or damaged: it is made anew from the shards')
    this.#database.exec('BEGIN')
    await this.#readNotes()
    await this.#readLogs()
    await this.#readFiles()
    await this.#restore()
    this.#database.prepare("INSERT INTO state VALUES ('opens', ?)").run(openingOf(this.#newest))
    this.#database.exec('COMMIT')
    const ms = Math.round(clock.monotonic() - started)
    logger.warn('the index of shards was made anew', { ...this.#progress, ms })
  }

  async #readNotes(): Promise<void> {
    const insert = this.#database.prepare('INSERT OR REPLACE INTO staging.notes VALUES (?, ?, ?, ?, ?, ?)')
    for await (const { note, sequence } of readNotes(this.#options.directory)) {
      const peer = note.kind === 'gone' ? '' : note.kind === 'removed' ? note.account : note.peer
      const deletion = note.kind === 'removed' ? JSON.stringify(note.deletion) : ''
      insert.run(note.object, sequence, note.kind, peer, note.kind === 'commit' ? note.expiresAt : 0, deletion)
      this.#newest = Math.max(this.#newest, sequence)
      this.#progress.notes++
      await this.#pause()
    }
  }

  async #readLogs(): Promise<void> {
    const directory = join(this.#options.directory, 'logs')
    for (const name of await readdir(directory).catch(() => [])) {
      if (!/^\d{1,15}\.log$/.test(name)) continue
      await this.#readLog(Number(name.slice(0, -4)), join(directory, name))
    }
  }

  async #readLog(log: number, path: string): Promise<void> {
    await using file = await open(path, 'r')
    const mark = await markOf(file)
    if (mark === undefined) return
    const { size } = await file.stat()
    const scan = scanRecords({
      file,
      from: LOG_HEAD,
      to: size,
      mark,
      longest: headerSize(LARGE_BLOB, '') + MAX_PEER,
      decode: (bytes, at) => decodeBlobHeader(bytes, at, mark),
      span: (header) => header.size + header.length,
    })
    for await (const { at, record } of scan) {
      const offset = at + record.size
      if (offset + record.length <= size) await this.#add(record, { log, offset })
    }
  }

  async #readFiles(): Promise<void> {
    for await (const { id, path } of listBlobFiles(join(this.#options.directory, 'large'))) {
      await using file = await open(path, 'r')
      const header = await headerAtEnd(file, fileMark(id))
      if (header !== undefined) await this.#add(header, { file: id })
    }
  }

  async #add(header: BlobHeader, place: BlobPlace): Promise<void> {
    const { name, length, peer, checksums, sequence } = header
    const [log, at] = 'file' in place ? [null, place.file] : [place.log, place.offset]
    this.#found.run(name.object, name.segment, name.index, sequence, length, log, at, checksums, peer)
    this.#newest = Math.max(this.#newest, sequence)
    this.#progress.entries++
    this.#progress.bytes += length
    await this.#pause()
  }

  /** Of each name the newest shard counts, if it was committed and is not gone. */
  async #restore(): Promise<void> {
    const notes = new FoundNotes(this.#database)
    const insert = this.#database.prepare(`INSERT INTO shards (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?, 0)`)
    const found = 'SELECT * FROM staging.found ORDER BY object, segment, idx, sequence DESC'
    let before = ''
    let entered = ''
    for (const row of this.#database.prepare(found).iterate()) {
      const { object, segment, idx, sequence, length, log, place, checksums, peer } = row as unknown as FoundRow
      const id = object.toHex()
      const name = `${id}/${segment}/${idx}`
      const isNewest = name !== before
      before = name
      if (!isNewest || !isCommitted(notes.of(object), peer, sequence)) continue
      insert.run(object, segment, idx, length, log, place, checksums, peer)
      if (id !== entered) notes.enterExpiry(object)
      entered = id
      this.#progress.restored++
      await this.#pause()
    }
    notes.enterTombstones()
  }

  async #pause(): Promise<void> {
    if (++this.#rows % SLICE !== 0) return
    await new Promise((resolve) => setImmediate(resolve))
    const { clock, logger } = this.#options
    if (clock.monotonic() - this.#reportedAt < REPORT) return
    this.#reportedAt = clock.monotonic()
    logger.info('the index of shards is being made anew', { ...this.#progress })
  }
}

interface FoundRow {
  readonly object: Uint8Array
  readonly segment: number
  readonly idx: number
  readonly sequence: number
  readonly length: number
  readonly log: number | null
  readonly place: number
  readonly checksums: Uint8Array
  readonly peer: string
}

/** The header behind the bytes of a file; undefined when the file is not as long as it says. */
async function headerAtEnd(file: FileHandle, mark: Uint8Array): Promise<BlobHeader | undefined> {
  const { size } = await file.stat()
  const most = headerSize(MAX_SHARD_LENGTH, '') + MAX_PEER
  const end = Buffer.alloc(Math.min(size, most))
  await file.read(end, 0, end.length, size - end.length)
  for (let at = end.lastIndexOf(mark); at !== -1; at = at === 0 ? -1 : end.lastIndexOf(mark, at - 1)) {
    const header = decodeBlobHeader(end, at, mark)
    if (header !== undefined && at + header.size === end.length && header.length + header.size === size) return header
  }
  return undefined
}
