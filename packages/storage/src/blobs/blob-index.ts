import { join } from 'node:path'
import { GroupCommitDatabase } from '@weft/overlay'
import type { ShardName } from '../holder/shard-name.ts'
import { alreadyHeld, removed } from './blob-error.ts'
import { headerSize } from './blob-header.ts'
import type { BlobNote } from './blob-note.ts'
import type { Deletion } from '../holder/deletion-statement.ts'
import { TOMBSTONES_SCHEMA, TOMBSTONE_LIMITS, type TombstoneLimits, Tombstones, accountOf } from './tombstones.ts'

export const INDEX_FILE = 'index.sqlite'

/** Where the bytes of a shard lie: a file of its own, or a part of a segment log. */
export type BlobPlace = { readonly file: number } | { readonly log: number; readonly offset: number }

export interface BlobEntry {
  readonly name: ShardName
  readonly length: number
  readonly place: BlobPlace
  /** CRC-32 of each 64 KiB, four bytes each. */
  readonly checksums: Uint8Array
  readonly committed: boolean
  /** Who put it. */
  readonly peer: string
  readonly corrupt: boolean
}

export const INDEX_SCHEMA = `
  CREATE TABLE IF NOT EXISTS shards (
    object BLOB NOT NULL, segment INTEGER NOT NULL, idx INTEGER NOT NULL, length INTEGER NOT NULL,
    log INTEGER, place INTEGER NOT NULL, checksums BLOB NOT NULL, committed INTEGER NOT NULL, peer TEXT NOT NULL,
    corrupt INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (object, segment, idx)) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS shards_by_log ON shards (log, place);
  CREATE INDEX IF NOT EXISTS shards_provisional ON shards (object) WHERE committed = 0;
  CREATE INDEX IF NOT EXISTS shards_corrupt ON shards (object, segment, idx) WHERE corrupt = 1;
  CREATE TABLE IF NOT EXISTS objects (object BLOB PRIMARY KEY, expires_at INTEGER NOT NULL) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS objects_by_expiry ON objects (expires_at);
  CREATE TABLE IF NOT EXISTS scrub (
    id INTEGER PRIMARY KEY CHECK (id = 0), object BLOB, segment INTEGER, idx INTEGER, started_at INTEGER NOT NULL,
    finished_at INTEGER);
  CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
  ${TOMBSTONES_SCHEMA}`
const OPENED = "INSERT INTO state VALUES ('opens', 1) ON CONFLICT (name) DO UPDATE SET value = value + 1;"
export const COLUMNS = 'object, segment, idx, length, log, place, checksums, committed, peer, corrupt'

type Row = Record<string, unknown>

/** Where a round of the scrubber is, kept over restarts. */
export interface ScrubRound {
  /** The last shard that was read; undefined at the begin. */
  readonly after: ShardName | undefined
  /** ms since the epoch. */
  readonly startedAt: number
  /** Of the last round that came to its end, ms since the epoch. */
  readonly finishedAt: number | undefined
}

interface ScrubRow {
  readonly object: Uint8Array | null
  readonly segment: number
  readonly idx: number
  readonly started_at: number
  readonly finished_at: number | null
}

/** The removal of an object by its owner. */
export interface Removal {
  readonly object: Uint8Array
  /** Who brought the owner's word, and whether it is in the map. */
  readonly peer: string
  readonly isMember: boolean
  /** ms since the epoch. */
  readonly now: number
  /** ms since the epoch: it is refused until then, or for as long as a shard of it would have been kept. */
  readonly until: number
}

/** Which shards are whole on this disk, and where. What is not in the index does not exist. */
export class BlobIndex implements AsyncDisposable {
  readonly #database: GroupCommitDatabase
  readonly #tombstones: Tombstones

  /** @throws WeftError E_DATABASE, E_DISK_FULL */
  static async open(directory: string, limits: TombstoneLimits = TOMBSTONE_LIMITS): Promise<BlobIndex> {
    return new BlobIndex(
      limits,
      await GroupCommitDatabase.open(
        join(directory, INDEX_FILE),
        INDEX_SCHEMA + OPENED,
        'start the node again: what is wrong with it is found then, and it is made anew from the shards beside it. Where it is not, stop the node, remove the file alone, and start it',
      ),
    )
  }

  private constructor(limits: TombstoneLimits, database: GroupCommitDatabase) {
    this.#database = database
    this.#tombstones = new Tombstones(database, limits)
  }

  /** How often it was opened, this time with it. */
  get opens(): number {
    return this.#database.prepare("SELECT value FROM state WHERE name = 'opens'").get()?.['value'] as number
  }

  get({ object, segment, index }: ShardName): BlobEntry | undefined {
    const row = this.#database
      .prepare(`SELECT ${COLUMNS} FROM shards WHERE object = ? AND segment = ? AND idx = ?`)
      .get(object, segment, index)
    return row === undefined ? undefined : entryOf(row)
  }

  /** The entries of an object's segments [first, first + count), at most `limit`, in order of segment and index. */
  list(object: Uint8Array, first: number, count: number, limit: number): BlobEntry[] {
    return this.#database
      .prepare(
        `SELECT ${COLUMNS} FROM shards WHERE object = ? AND segment >= ? AND segment < ? ORDER BY segment, idx LIMIT ?`,
      )
      .all(object, first, first + count, limit)
      .map(entryOf)
  }

  /** All entries after `after` in the order of names, at most `limit`. For the scrubber. */
  page(after: ShardName | undefined, limit: number): BlobEntry[] {
    const { object, segment, index } = after ?? { object: new Uint8Array(0), segment: 0, index: 0 }
    return this.#database
      .prepare(
        `SELECT ${COLUMNS} FROM shards WHERE (object, segment, idx) > (?, ?, ?) ORDER BY object, segment, idx LIMIT ?`,
      )
      .all(object, segment, index, limit)
      .map(entryOf)
  }

  /** Committed shards that are whole and kept beyond `until`, after `after` in the order of names, at most `limit`. */
  committed(after: ShardName | undefined, limit: number, until: number): { name: ShardName; length: number }[] {
    const { object, segment, index } = after ?? { object: new Uint8Array(0), segment: 0, index: 0 }
    return this.#database
      .prepare(
        `SELECT object, segment, idx, length FROM shards JOIN objects USING (object) WHERE (object, segment, idx) > (?, ?, ?)
           AND committed = 1 AND corrupt = 0 AND expires_at > ? ORDER BY object, segment, idx LIMIT ?`,
      )
      .all(object, segment, index, until, limit)
      .map((row) => ({
        name: { object: row['object'] as Uint8Array, segment: row['segment'] as number, index: row['idx'] as number },
        length: row['length'] as number,
      }))
  }

  /** The shards in a log. */
  inLog(log: number): BlobEntry[] {
    return this.#database.prepare(`SELECT ${COLUMNS} FROM shards WHERE log = ? ORDER BY place`).all(log).map(entryOf)
  }

  /** What each peer has here. */
  held(): { peer: string; shards: number; bytes: number }[] {
    return this.#database
      .prepare('SELECT peer, count(*) AS shards, sum(length) AS bytes FROM shards GROUP BY peer')
      .all()
      .map((row) => ({
        peer: row['peer'] as string,
        shards: row['shards'] as number,
        bytes: row['bytes'] as number,
      }))
  }

  /** Ids of all files that hold a shard. */
  *files(): Generator<number> {
    for (const row of this.#database.db.prepare('SELECT place FROM shards WHERE log IS NULL').iterate()) {
      yield row['place'] as number
    }
  }

  /** Per log: where its last shard ends, and how many bytes are in use, headers with them. */
  logs(): Map<number, { end: number; live: number }> {
    const header = `${headerSize(0, '')} + length(peer) + length(checksums)`
    const rows = this.#database
      .prepare(
        `SELECT log, max(place + length) AS end, sum(length + ${header}) AS live FROM shards WHERE log IS NOT NULL GROUP BY log`,
      )
      .all()
    return new Map(
      rows.map((row) => [row['log'] as number, { end: row['end'] as number, live: row['live'] as number }]),
    )
  }

  /** Objects of which some shards are provisional, with whoever put them. */
  provisional(): { object: Uint8Array; peer: string; shards: number; bytes: number }[] {
    return this.#database
      .prepare(
        'SELECT object, peer, count(*) AS shards, sum(length) AS bytes FROM shards WHERE committed = 0 GROUP BY object, peer',
      )
      .all()
      .map((row) => ({
        object: row['object'] as Uint8Array,
        peer: row['peer'] as string,
        shards: row['shards'] as number,
        bytes: row['bytes'] as number,
      }))
  }

  /** Whether there is a shard or a tombstone of the object. */
  knows(object: Uint8Array): boolean {
    return (
      this.#database.prepare('SELECT 1 FROM shards WHERE object = ? LIMIT 1').get(object) !== undefined ||
      this.#tombstones.of(object) !== undefined
    )
  }

  /** What would be noted of all that is here. */
  *notes(): Generator<BlobNote> {
    const committed =
      'SELECT DISTINCT object, peer, expires_at FROM shards JOIN objects USING (object) WHERE committed = 1'
    for (const row of this.#database.db.prepare(committed).iterate()) {
      const { object, peer, expires_at: expiresAt } = row as { object: Uint8Array; peer: string; expires_at: number }
      yield { kind: 'commit', object, peer, expiresAt }
    }
    yield* this.#tombstones.notes()
  }

  /** Objects that expired, at most `limit`. */
  expired(now: number, limit: number): Uint8Array[] {
    return this.#database
      .prepare('SELECT object FROM objects WHERE expires_at <= ? LIMIT ?')
      .all(now, limit)
      .map((row) => row['object'] as Uint8Array)
  }

  /**
   * Enters a shard whose bytes are on disk. It replaces one that is corrupt, or provisional of the same peer; the
   * result is what it replaced: its bytes may go now. @throws WeftError E_SHARD_EXISTS, E_OBJECT_REMOVED
   */
  add(entry: BlobEntry): Promise<readonly BlobEntry[]> {
    return this.#database.change(() => {
      this.refuseRemoved(entry.name.object)
      const before = this.get(entry.name)
      if (before !== undefined && !mayReplace(before, entry.peer)) throw alreadyHeld(entry.name)
      const { object, segment, index } = entry.name
      const [log, place] = 'file' in entry.place ? [null, entry.place.file] : [entry.place.log, entry.place.offset]
      this.#database
        .prepare(`INSERT OR REPLACE INTO shards (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)`)
        .run(object, segment, index, entry.length, log, place, entry.checksums, entry.committed ? 1 : 0, entry.peer)
      return before === undefined ? [] : [before]
    })
  }

  /** Moves the bytes of a shard; false when it is no longer where it was. */
  move(name: ShardName, from: BlobPlace, to: BlobPlace): Promise<boolean> {
    return this.#database.change(() => {
      const [fromLog, fromPlace] = 'file' in from ? [null, from.file] : [from.log, from.offset]
      const [toLog, toPlace] = 'file' in to ? [null, to.file] : [to.log, to.offset]
      const { changes } = this.#database
        .prepare(
          'UPDATE shards SET log = ?, place = ? WHERE object = ? AND segment = ? AND idx = ? AND log IS ? AND place = ?',
        )
        .run(toLog, toPlace, name.object, name.segment, name.index, fromLog, fromPlace)
      return Number(changes) === 1
    })
  }

  /**
   * Commits what `peer` put of the object and lengthens the life of what was committed before; an earlier expiry than
   * the one that holds changes nothing. Resolves with the number of committed shards; with 0 nothing is written.
   * @throws WeftError E_OBJECT_REMOVED
   */
  commit(object: Uint8Array, peer: string, expiresAt: number): Promise<number> {
    return this.#database.change(() => {
      this.refuseRemoved(object)
      this.#database
        .prepare('UPDATE shards SET committed = 1 WHERE object = ? AND committed = 0 AND peer = ?')
        .run(object, peer)
      const row = this.#database
        .prepare('SELECT count(*) AS shards FROM shards WHERE object = ? AND committed = 1')
        .get(object)
      const shards = row?.['shards'] as number
      if (shards > 0) {
        this.#database
          .prepare(
            'INSERT INTO objects VALUES (?, ?) ON CONFLICT (object) DO UPDATE SET expires_at = excluded.expires_at WHERE excluded.expires_at > expires_at',
          )
          .run(object, expiresAt)
      }
      return shards
    })
  }

  /** Forgets all shards of an object, which are the result. */
  release(object: Uint8Array): Promise<readonly BlobEntry[]> {
    return this.#database.change(() => {
      this.#database.prepare('DELETE FROM objects WHERE object = ?').run(object)
      return this.#remove('object = ?', object)
    })
  }

  /**
   * Forgets all shards of an object, which are the result, and keeps its tombstone in the same change. Of one that was
   * removed before it says what was said then, and what was found since.
   */
  remove({
    object,
    peer,
    isMember,
    now,
    until,
  }: Removal): Promise<{ deletion: Deletion; account: string; gone: readonly BlobEntry[] }> {
    return this.#database.change(() => {
      const before = this.#tombstones.of(object)
      const row = this.#database.prepare('DELETE FROM objects WHERE object = ? RETURNING expires_at').get(object)
      const gone = this.#remove('object = ?', object)
      const deletion = {
        shards: (before?.shards ?? 0) + gone.length,
        bytes: gone.reduce((sum, { length }) => sum + length, before?.bytes ?? 0),
        at: before === undefined || gone.length > 0 ? now : before.at,
        until: Math.max(until, before?.until ?? 0, (row?.['expires_at'] as number | undefined) ?? 0),
      }
      const account = accountOf(peer, isMember)
      return { deletion: this.#tombstones.keep(object, account, deletion), account, gone }
    })
  }

  /** @throws WeftError E_OBJECT_REMOVED */
  refuseRemoved(object: Uint8Array): void {
    const tombstone = this.#tombstones.of(object)
    if (tombstone !== undefined) throw removed(tombstone.until)
  }

  /** Forgets up to `limit` tombstones that are over; resolves with how many. */
  sweepRemoved(now: number, limit: number): Promise<number> {
    return this.#database.change(() => this.#tombstones.sweep(now, limit))
  }

  /** Forgets the provisional shards that `peer` put of an object, which are the result. */
  drop(object: Uint8Array, peer: string): Promise<readonly BlobEntry[]> {
    return this.#database.change(() => this.#remove('object = ? AND committed = 0 AND peer = ?', object, peer))
  }

  /** Marks shards whose files are gone as corrupt; resolves with how many were not before. */
  markLost(files: readonly number[]): Promise<number> {
    const mark = 'UPDATE shards SET corrupt = 1 WHERE log IS NULL AND place = ? AND corrupt = 0'
    return this.#database.change(() =>
      files.reduce((sum, file) => sum + Number(this.#database.prepare(mark).run(file).changes), 0),
    )
  }

  /** Resolves with whether the shard is still where it was, and was not marked before. */
  markCorrupt({ name, place }: BlobEntry): Promise<boolean> {
    const { object, segment, index } = name
    const [log, at] = 'file' in place ? [null, place.file] : [place.log, place.offset]
    return this.#database.change(() => {
      const { changes } = this.#database
        .prepare(
          'UPDATE shards SET corrupt = 1 WHERE object = ? AND segment = ? AND idx = ? AND log IS ? AND place = ? AND corrupt = 0',
        )
        .run(object, segment, index, log, at)
      return Number(changes) === 1
    })
  }

  /** Shards that are marked as corrupt. */
  corruptCount(): number {
    return this.#database.prepare('SELECT count(*) AS shards FROM shards WHERE corrupt = 1').get()?.['shards'] as number
  }

  /** The corrupt ones after `after` in the order of names, at most `limit`. */
  corruptPage(after: ShardName | undefined, limit: number): BlobEntry[] {
    const { object, segment, index } = after ?? { object: new Uint8Array(0), segment: 0, index: 0 }
    return this.#database
      .prepare(
        `SELECT ${COLUMNS} FROM shards WHERE corrupt = 1 AND (object, segment, idx) > (?, ?, ?) ORDER BY object, segment, idx LIMIT ?`,
      )
      .all(object, segment, index, limit)
      .map(entryOf)
  }

  /** Forgets up to `limit` corrupt shards, which are the result. */
  forgetCorrupt(limit: number): Promise<readonly BlobEntry[]> {
    return this.#database.change(() =>
      this.#remove(
        '(object, segment, idx) IN (SELECT object, segment, idx FROM shards WHERE corrupt = 1 LIMIT ?)',
        limit,
      ),
    )
  }

  /** Where the scrubber is; undefined before it ever began. */
  scrubRound(): ScrubRound | undefined {
    const row = this.#database.prepare('SELECT * FROM scrub').get()
    if (row === undefined) return undefined
    const { object, segment, idx, started_at: startedAt, finished_at: finishedAt } = row as unknown as ScrubRow
    const after = object === null ? undefined : { object, segment, index: idx }
    return { after, startedAt, finishedAt: finishedAt ?? undefined }
  }

  noteScrub({ after, startedAt, finishedAt }: ScrubRound): Promise<void> {
    return this.#database.change(() => {
      this.#database
        .prepare('INSERT OR REPLACE INTO scrub VALUES (0, ?, ?, ?, ?, ?)')
        .run(after?.object ?? null, after?.segment ?? null, after?.index ?? null, startedAt, finishedAt ?? null)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#database[Symbol.asyncDispose]()
  }

  #remove(where: string, ...values: (Uint8Array | string | number)[]): BlobEntry[] {
    return this.#database
      .prepare(`DELETE FROM shards WHERE ${where} RETURNING ${COLUMNS}`)
      .all(...values)
      .map(entryOf)
  }
}

/** Whether `peer` may put a shard where `before` is: never over a good committed one, nor over another peer's. */
export function mayReplace(before: BlobEntry, peer: string): boolean {
  return before.corrupt || (!before.committed && before.peer === peer)
}

function entryOf(row: Row): BlobEntry {
  const log = row['log'] as number | null
  const place = row['place'] as number
  return {
    name: { object: row['object'] as Uint8Array, segment: row['segment'] as number, index: row['idx'] as number },
    length: row['length'] as number,
    place: log === null ? { file: place } : { log, offset: place },
    checksums: row['checksums'] as Uint8Array,
    committed: row['committed'] === 1,
    peer: row['peer'] as string,
    corrupt: row['corrupt'] === 1,
  }
}
