import type { GroupCommitDatabase } from '@weft/overlay'
import type { BlobNote } from './blob-note.ts'
import type { Deletion } from '../holder/deletion-statement.ts'

/** How many removed objects a holder remembers. Each takes some 150 bytes of its index. */
export interface TombstoneLimits {
  readonly total: number
  /** Of those that one peer of the map removed, any other peer, and all of the others together. */
  readonly perMember: number
  readonly perStranger: number
  readonly strangers: number
}

/** 40 MB at most. A private removal comes from a stranger with one object. */
export const TOMBSTONE_LIMITS: TombstoneLimits = {
  total: 262_144,
  perMember: 32_768,
  perStranger: 2_048,
  strangers: 131_072,
}

export const TOMBSTONES_SCHEMA = `
  CREATE TABLE IF NOT EXISTS removed (
    object BLOB PRIMARY KEY, account TEXT NOT NULL, shards INTEGER NOT NULL, bytes INTEGER NOT NULL, at INTEGER NOT NULL,
    until INTEGER NOT NULL) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS removed_by_until ON removed (until);
`

/** In front of the account of a peer that was outside of the map when it removed the object. */
const STRANGER = '~'

/** Whom a tombstone counts for. */
export function accountOf(peer: string, isMember: boolean): string {
  return isMember ? peer : STRANGER + peer
}

/**
 * The objects that their owners removed, each until nothing that was signed for it can be valid any more. They are rows
 * of the index, so that no put or commit comes between the removal of an object and its tombstone; all but the
 * constructor is to be called within a change of it. Beyond the limits a removal leaves no tombstone: it takes no room
 * from those that are there.
 */
export class Tombstones {
  readonly #database: GroupCommitDatabase
  readonly #limits: TombstoneLimits
  readonly #counts = new Map<string, number>()
  #total = 0
  #strangers = 0

  constructor(database: GroupCommitDatabase, limits: TombstoneLimits) {
    this.#database = database
    this.#limits = limits
    const rows = database.prepare('SELECT account, count(*) AS objects FROM removed GROUP BY account').all()
    for (const row of rows) this.#count(row['account'] as string, row['objects'] as number)
  }

  of(object: Uint8Array): Deletion | undefined {
    const row = this.#database.prepare('SELECT shards, bytes, at, until FROM removed WHERE object = ?').get(object)
    return row === undefined ? undefined : (row as unknown as Deletion)
  }

  /** What would be noted of all of them. */
  *notes(): Generator<BlobNote> {
    const all = 'SELECT object, account, shards, bytes, at, until FROM removed'
    for (const row of this.#database.db.prepare(all).iterate()) {
      const { object, account, ...deletion } = row as unknown as Deletion & { object: Uint8Array; account: string }
      yield { kind: 'removed', object, account, deletion: { ...deletion } }
    }
  }

  /** Writes down what was deleted. The result is what is written: until 0 when there is no room for it. */
  keep(object: Uint8Array, account: string, deletion: Deletion): Deletion {
    const { shards, bytes, at, until } = deletion
    if (this.of(object) !== undefined) {
      this.#database
        .prepare('UPDATE removed SET shards = ?, bytes = ?, at = ?, until = ? WHERE object = ?')
        .run(shards, bytes, at, until, object)
      return deletion
    }
    if (!this.#hasRoom(account)) return { ...deletion, until: 0 }
    this.#database
      .prepare('INSERT INTO removed VALUES (?, ?, ?, ?, ?, ?)')
      .run(object, account, shards, bytes, at, until)
    this.#count(account, 1)
    return deletion
  }

  /** Forgets up to `limit` that are over; the result is how many. */
  sweep(now: number, limit: number): number {
    const over = this.#database.prepare('SELECT object, account FROM removed WHERE until <= ? LIMIT ?').all(now, limit)
    for (const row of over) {
      this.#database.prepare('DELETE FROM removed WHERE object = ?').run(row['object'] as Uint8Array)
      this.#count(row['account'] as string, -1)
    }
    return over.length
  }

  #hasRoom(account: string): boolean {
    const { total, perMember, perStranger, strangers } = this.#limits
    const own = this.#counts.get(account) ?? 0
    if (this.#total >= total) return false
    if (!account.startsWith(STRANGER)) return own < perMember
    return own < perStranger && this.#strangers < strangers
  }

  #count(account: string, by: number): void {
    const own = (this.#counts.get(account) ?? 0) + by
    if (own > 0) this.#counts.set(account, own)
    else this.#counts.delete(account)
    this.#total += by
    if (account.startsWith(STRANGER)) this.#strangers += by
  }
}
