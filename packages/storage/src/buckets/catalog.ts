import { join } from 'node:path'
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from 'node:sqlite'
import { type Random, WeftError, ensureDirectory, messageOf } from '@weft/core'
import type { SigningKey } from '@weft/crypto'
import { SealedRows } from '../object/sealed-rows.ts'
import type { BodyPart, BucketRecord, Change, PartRecord, UploadRecord, VersionRecord } from './catalog-records.ts'
import { CATALOG_SCHEMA } from './catalog-schema.ts'
import { KeyIndex } from './key-index.ts'
import { LogTable, type LogState } from './log-table.ts'
import { type VersionMark, nullMark, withMark, withoutMark } from './version-mark.ts'

/** Rows that are opened at start before the rest of the process has its turn. */
const LOADED_AT_ONCE = 2_000
/** ms that the answer of a completed upload is kept for whoever asks again. */
const DONE_FOR = 7 * 24 * 3_600_000

/** A bucket in memory: what its listings need. */
export interface BucketState {
  readonly id: number
  record: BucketRecord
  readonly keys: KeyIndex
  /** Open ones and, for a while, completed ones, by id. */
  readonly uploads: Map<string, UploadState>
}

export interface UploadState {
  readonly id: number
  readonly record: UploadRecord
  /** What came of it. */
  readonly done: VersionRecord | undefined
}

export interface CatalogOptions {
  readonly directory: string
  readonly personKey: SigningKey
  readonly random: Random
  /** Called before each statement that writes; tests end the process there, as it were. */
  readonly beforeWrite?: () => void
}

type Row = Record<string, SQLOutputValue>

/**
 * Buckets, versions, uploads and parts, in one file of SQLite; names and all that is said of them sealed. The keys of all
 * versions are in memory, in order; what else is known of a version is read when it is asked for.
 */
export class Catalog implements Disposable {
  readonly #database: DatabaseSync
  readonly #rows: SealedRows
  readonly #buckets = new Map<string, BucketState>()
  readonly #statements = new Map<string, StatementSync>()
  readonly #beforeWrite: () => void
  readonly log: LogTable
  /** What is to be done in memory once the transaction is durable. */
  #effects: (() => void)[] = []
  #lastId = 0
  #versions = 0

  /** @throws WeftError E_CATALOG when the file cannot be opened or belongs to another person. */
  static async open(options: CatalogOptions): Promise<Catalog> {
    const path = join(options.directory, 'buckets.sqlite')
    let catalog: Catalog | undefined
    try {
      ensureDirectory(options.directory)
      catalog = new Catalog(path, options)
      await catalog.#load()
      return catalog
    } catch (error) {
      catalog?.[Symbol.dispose]()
      throw new WeftError({
        code: 'E_CATALOG',
        cause: `The catalog of named objects ${path} cannot be used: ${messageOf(error)}.`,
        fix: 'Check that the state directory is writable and that person.key is the one it was made with; else restore both from a backup.',
        origin: error,
      })
    }
  }

  private constructor(path: string, { personKey, random, beforeWrite = () => {} }: CatalogOptions) {
    this.#rows = new SealedRows(personKey, random, 'weft:catalog:v1')
    this.#beforeWrite = beforeWrite
    this.#database = new DatabaseSync(path)
    this.#database.exec(CATALOG_SCHEMA)
    this.log = new LogTable(this.#database, this.#rows)
  }

  /** Versions and markers in all buckets. */
  get versions(): number {
    return this.#versions
  }

  /** The number that the next version gets. */
  get nextId(): number {
    return this.#lastId + 1
  }

  bucket(name: string): BucketState | undefined {
    return this.#buckets.get(name)
  }

  /** By name. */
  buckets(): readonly BucketState[] {
    return [...this.#buckets.values()].sort((a, b) => (a.record.name < b.record.name ? -1 : 1))
  }

  version(id: number): VersionRecord {
    const row = this.#get('SELECT entry FROM versions WHERE id = ?', id)
    return this.#rows.open(`version:${id}`, row?.['entry'] as Uint8Array) as VersionRecord
  }

  body(id: number): readonly BodyPart[] {
    const row = this.#get('SELECT body FROM versions WHERE id = ?', id)
    return this.#rows.open(`body:${id}`, row?.['body'] as Uint8Array) as BodyPart[]
  }

  /** Of an upload, by number. */
  parts(upload: number): PartRecord[] {
    const rows = this.#all('SELECT number, sealed FROM parts WHERE upload = ? ORDER BY number', upload)
    return rows.map(
      ({ number, sealed }) => this.#rows.open(`part:${upload}:${Number(number)}`, sealed as Uint8Array) as PartRecord,
    )
  }

  /** Objects of `Storage` that nothing names any more. */
  garbage(limit: number): string[] {
    return this.#all('SELECT object FROM garbage LIMIT ?', limit).map(({ object }) => object as string)
  }

  forgetGarbage(object: string): void {
    this.#run('DELETE FROM garbage WHERE object = ?', object)
  }

  /** Notes that an object of this name is about to be put. @see settleIntents */
  intend(name: string): void {
    this.#run('INSERT INTO intents (name) VALUES (?)', name)
  }

  withdrawIntent(name: string): void {
    this.#run('DELETE FROM intents WHERE name = ?', name)
  }

  /** An object that was put and that nothing is to name. */
  discard(intent: string, object: string): void {
    this.#transaction(() => {
      this.#run('INSERT OR IGNORE INTO garbage (object) VALUES (?)', object)
      this.withdrawIntent(intent)
    })
  }

  /**
   * At start: what was put and not named before the process ended is garbage.
   * @param objects of `Storage`, with the names that they were put by.
   */
  settleIntents(objects: readonly { readonly name: string; readonly object: string }[]): void {
    const intents = new Set(this.#all('SELECT name FROM intents').map(({ name }) => name as string))
    if (intents.size === 0) return
    this.#transaction(() => {
      for (const { name, object } of objects) {
        if (intents.has(name)) this.#run('INSERT OR IGNORE INTO garbage (object) VALUES (?)', object)
      }
      this.#run('DELETE FROM intents')
    })
  }

  /** Forgets what came of uploads that are over for long. */
  sweepUploads(now: number): void {
    const old = [...this.#buckets.values()].flatMap(({ uploads, record }) =>
      [...uploads.values()]
        .filter(({ done }) => done !== undefined && done.modifiedAt <= now - DONE_FOR)
        .map(({ record: { id } }) => ({ type: 'no-upload', bucket: record.name, upload: id }) as const),
    )
    if (old.length > 0) this.apply(old)
  }

  /** Makes all of these changes or none; durable when it returns. @param intent that is fulfilled by them. */
  apply(changes: readonly Change[], intents: readonly string[] = []): void {
    this.#transaction(() => {
      for (const change of changes) this.#apply(change)
      for (const intent of intents) this.withdrawIntent(intent)
      this.#beforeWrite()
      const operation = this.log.add(changes)
      this.#effects.push(() => this.log.added(operation))
    })
  }

  /** Changes that come from the log. */
  replay(changes: readonly Change[]): void {
    this.#transaction(() => {
      for (const change of changes) this.#apply(change)
    })
  }

  /** Forgets all buckets, and begins the log anew. What they named is left to {@link settleOrphans}. */
  async restart(state: LogState): Promise<void> {
    this.#transaction(() => {
      this.log.clear()
      this.log.writeState(state)
      for (const table of ['buckets', 'versions', 'uploads', 'parts', 'objects', 'garbage']) {
        this.#run(`DELETE FROM ${table}`)
      }
    })
    this.#buckets.clear()
    this.#versions = 0
    await this.#load()
  }

  /** Objects of `Storage` that were put for a bucket and that nothing names are garbage. */
  settleOrphans(objects: readonly string[]): void {
    this.#transaction(() => {
      for (const object of objects) {
        if (this.#get('SELECT 1 FROM objects WHERE object = ?', object) !== undefined) continue
        this.#run('INSERT OR IGNORE INTO garbage (object) VALUES (?)', object)
      }
    })
  }

  /** Writes of the log in one transaction. */
  together(run: () => void): void {
    this.#transaction(run)
  }

  [Symbol.dispose](): void {
    this.#database.close()
    this.#rows[Symbol.dispose]()
  }

  #apply(change: Change): void {
    switch (change.type) {
      case 'bucket':
        return this.#putBucket(change.bucket)
      case 'no-bucket':
        return this.#dropBucket(this.#state(change.name))
      case 'version':
        return this.#addVersion(this.#state(change.bucket), change.version, change.body)
      case 'meta':
        return this.#writeVersion({ ...this.version(change.id), meta: change.meta })
      case 'no-version':
        return this.#dropVersion(this.#state(change.bucket), change.key, change.id)
      case 'upload':
        return this.#addUpload(this.#state(change.bucket), change.upload)
      case 'part':
        return this.#addPart(this.#upload(change), change.part)
      case 'no-upload':
        return this.#endUpload(this.#state(change.bucket), this.#upload(change), change.done)
    }
  }

  #putBucket(record: BucketRecord): void {
    const old = this.#buckets.get(record.name)
    const id = old?.id ?? this.#take()
    const sealed = this.#rows.seal(`bucket:${id}`, record)
    this.#run(
      'INSERT INTO buckets (id, sealed) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET sealed = excluded.sealed',
      id,
      sealed,
    )
    this.#effects.push(() => {
      if (old !== undefined) old.record = record
      else this.#buckets.set(record.name, { id, record, keys: new KeyIndex(), uploads: new Map() })
    })
  }

  #dropBucket({ id, record, uploads }: BucketState): void {
    for (const upload of uploads.values()) this.#run('DELETE FROM uploads WHERE id = ?', upload.id)
    this.#run('DELETE FROM buckets WHERE id = ?', id)
    this.#effects.push(() => this.#buckets.delete(record.name))
  }

  #addVersion(bucket: BucketState, version: VersionRecord, body: readonly BodyPart[]): void {
    const { id, key, isDeleteMarker } = version
    const mark: VersionMark = { id, isNull: version.version === 'null', isDeleteMarker }
    const former = mark.isNull ? nullMark(bucket.keys.get(key)) : undefined
    for (const part of body) this.#use(part)
    if (former !== undefined) this.#dropVersion(bucket, key, former.id)
    const entry = this.#rows.seal(`version:${id}`, version)
    const sealedBody = this.#rows.seal(`body:${id}`, body)
    const marker = isDeleteMarker ? 1 : 0
    const name = this.#rows.seal(`key:${id}:${mark.isNull ? 1 : 0}:${marker}`, key)
    const insert = 'INSERT INTO versions (id, bucket, is_null, marker, name, entry, body) VALUES (?, ?, ?, ?, ?, ?, ?)'
    this.#run(insert, id, bucket.id, mark.isNull ? 1 : 0, marker, name, entry, sealedBody)
    this.#lastId = Math.max(this.#lastId, id)
    this.#effects.push(() => {
      this.#versions++
      bucket.keys.set(key, withMark(bucket.keys.get(key), mark))
    })
  }

  #writeVersion(version: VersionRecord): void {
    const { id } = version
    this.#run('UPDATE versions SET entry = ? WHERE id = ?', this.#rows.seal(`version:${id}`, version), id)
  }

  #dropVersion(bucket: BucketState, key: string, id: number): void {
    for (const part of this.body(id)) this.#unuse(part)
    this.#run('DELETE FROM versions WHERE id = ?', id)
    this.#effects.push(() => {
      this.#versions--
      bucket.keys.set(key, withoutMark(bucket.keys.get(key), id))
    })
  }

  #addUpload(bucket: BucketState, record: UploadRecord): void {
    const id = this.#take()
    const sealed = this.#rows.seal(`upload:${id}`, { record })
    this.#run('INSERT INTO uploads (id, bucket, sealed) VALUES (?, ?, ?)', id, bucket.id, sealed)
    this.#effects.push(() => bucket.uploads.set(record.id, { id, record, done: undefined }))
  }

  #addPart({ id }: UploadState, part: PartRecord): void {
    const name = `part:${id}:${part.number}`
    const former = this.#get('SELECT sealed FROM parts WHERE upload = ? AND number = ?', id, part.number)
    this.#use(part.body)
    if (former !== undefined) this.#unuse((this.#rows.open(name, former['sealed'] as Uint8Array) as PartRecord).body)
    const sealed = this.#rows.seal(name, part)
    this.#run('INSERT OR REPLACE INTO parts (upload, number, sealed) VALUES (?, ?, ?)', id, part.number, sealed)
  }

  #endUpload(bucket: BucketState, { id, record }: UploadState, done: VersionRecord | undefined): void {
    for (const { body } of this.parts(id)) this.#unuse(body)
    this.#run('DELETE FROM parts WHERE upload = ?', id)
    if (done === undefined) {
      this.#run('DELETE FROM uploads WHERE id = ?', id)
      this.#effects.push(() => bucket.uploads.delete(record.id))
    } else {
      this.#run('UPDATE uploads SET sealed = ? WHERE id = ?', this.#rows.seal(`upload:${id}`, { record, done }), id)
      this.#effects.push(() => bucket.uploads.set(record.id, { id, record, done }))
    }
  }

  #use({ object }: BodyPart): void {
    this.#run(
      'INSERT INTO objects (object, uses) VALUES (?, 1) ON CONFLICT (object) DO UPDATE SET uses = uses + 1',
      object,
    )
  }

  #unuse({ object }: BodyPart): void {
    this.#run('UPDATE objects SET uses = uses - 1 WHERE object = ?', object)
    if (this.#get('SELECT 1 FROM objects WHERE object = ? AND uses <= 0', object) === undefined) return
    this.#run('DELETE FROM objects WHERE object = ?', object)
    this.#run('INSERT OR IGNORE INTO garbage (object) VALUES (?)', object)
  }

  async #load(): Promise<void> {
    for (const { id, sealed } of this.#all('SELECT id, sealed FROM buckets')) {
      const record = this.#rows.open(`bucket:${Number(id)}`, sealed as Uint8Array) as BucketRecord
      this.#buckets.set(record.name, { id: Number(id), record, keys: new KeyIndex(), uploads: new Map() })
      this.#lastId = Math.max(this.#lastId, Number(id))
    }
    const byId = new Map([...this.#buckets.values()].map((bucket) => [bucket.id, bucket]))
    for (const { id, bucket, sealed } of this.#all('SELECT id, bucket, sealed FROM uploads')) {
      const upload = this.#rows.open(`upload:${Number(id)}`, sealed as Uint8Array) as Omit<UploadState, 'id'>
      const state = { id: Number(id), record: upload.record, done: upload.done }
      byId.get(Number(bucket))?.uploads.set(upload.record.id, state)
      this.#lastId = Math.max(this.#lastId, Number(id))
    }
    const page = 'SELECT id, bucket, is_null, marker, name FROM versions WHERE id > ? ORDER BY id LIMIT ?'
    for (let from = 0; ; await new Promise((resolve) => setImmediate(resolve))) {
      const rows = this.#all(page, from, LOADED_AT_ONCE)
      for (const { id, bucket, is_null: isNull, marker, name } of rows) {
        from = Number(id)
        const key = this.#rows.open(`key:${from}:${Number(isNull)}:${Number(marker)}`, name as Uint8Array) as string
        const keys = byId.get(Number(bucket))?.keys
        keys?.set(key, withMark(keys.get(key), { id: from, isNull: isNull === 1, isDeleteMarker: marker === 1 }))
      }
      this.#versions += rows.length
      this.#lastId = Math.max(this.#lastId, from)
      if (rows.length < LOADED_AT_ONCE) return
    }
  }

  #state(name: string): BucketState {
    const bucket = this.#buckets.get(name)
    if (bucket === undefined) throw new Error('a change names a bucket that is not there')
    return bucket
  }

  #upload({ bucket, upload }: { readonly bucket: string; readonly upload: string }): UploadState {
    const state = this.#state(bucket).uploads.get(upload)
    if (state === undefined) throw new Error('a change names an upload that is not there')
    return state
  }

  #take(): number {
    return ++this.#lastId
  }

  #transaction(run: () => void): void {
    this.#effects = []
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      run()
      this.#beforeWrite()
      this.#database.exec('COMMIT')
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      throw error
    }
    for (const effect of this.#effects.splice(0)) effect()
  }

  #run(sql: string, ...values: SQLInputValue[]): void {
    this.#beforeWrite()
    this.#prepare(sql).run(...values)
  }

  #get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#prepare(sql).get(...values)
  }

  #all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#prepare(sql).all(...values)
  }

  #prepare(sql: string): StatementSync {
    const statement = this.#statements.get(sql) ?? this.#database.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }
}
