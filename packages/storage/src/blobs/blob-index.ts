import { join } from 'node:path'
import { GroupCommitDatabase } from '@weft/overlay'
import type { ShardName } from '../holder/shard-name.ts'
import { alreadyHeld, removed } from './blob-error.ts'
import type { Deletion } from '../holder/deletion-statement.ts'
import { TOMBSTONES_SCHEMA, TOMBSTONE_LIMITS, type TombstoneLimits, Tombstones } from './tombstones.ts'

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

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS shards (
    object BLOB NOT NULL, segment INTEGER NOT NULL, idx INTEGER NOT NULL, length INTEGER NOT NULL,
    log INTEGER, place INTEGER NOT NULL, checksums BLOB NOT NULL, committed INTEGER NOT NULL, peer TEXT NOT NULL,
    corrupt INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (object, segment, idx)) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS shards_by_log ON shards (log, place);
  CREATE INDEX IF NOT EXISTS shards_provisional ON shards (object) WHERE committed = 0;
  CREATE TABLE IF NOT EXISTS objects (object BLOB PRIMARY KEY, expires_at INTEGER NOT NULL) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS objects_by_expiry ON objects (expires_at);
  ${TOMBSTONES_SCHEMA}`
const COLUMNS = 'object, segment, idx, length, log, place, checksums, committed, peer, corrupt'

type Row = Record<string, unknown>

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
        join(directory, 'index.sqlite'),
        SCHEMA,
        'do not remove it alone: it is the only map of the shards beside it. Restore it from a copy, or stop the node and remove the whole directory, which gives up its shards',
      ),
    )
  }

  private constructor(limits: TombstoneLimits, database: GroupCommitDatabase) {
    this.#database = database
    this.#tombstones = new Tombstones(database, limits)
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

  /** Per log: where its last shard ends, and how many bytes are in use. */
  logs(): Map<number, { end: number; live: number }> {
    const rows = this.#database
      .prepare(
        'SELECT log, max(place + length) AS end, sum(length) AS live FROM shards WHERE log IS NOT NULL GROUP BY log',
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
  remove({ object, peer, isMember, now, until }: Removal): Promise<{ deletion: Deletion; gone: readonly BlobEntry[] }> {
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
      return { deletion: this.#tombstones.keep(object, peer, isMember, deletion), gone }
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

  /** Forgets shards whose files are gone. */
  forgetFiles(files: readonly number[]): Promise<void> {
    return this.#database.change(() => {
      for (const file of files) this.#remove('log IS NULL AND place = ?', file)
    })
  }

  markCorrupt({ object, segment, index }: ShardName): Promise<void> {
    return this.#database.change(() => {
      this.#database
        .prepare('UPDATE shards SET corrupt = 1 WHERE object = ? AND segment = ? AND idx = ?')
        .run(object, segment, index)
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
