import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { equalBytes } from '@weft/core'
import type { Deletion } from '../holder/deletion-statement.ts'

/** One thing that was noted of an object. */
export interface FoundNote {
  readonly kind: 'commit' | 'drop' | 'gone' | 'removed'
  readonly sequence: number
  readonly peer: string
  /** Of a commit. */
  readonly expires_at: number
}

/**
 * Whether a shard that `peer` put was committed and is there still: a commit of that peer came behind it, with no drop of
 * what was not committed in between, and the object did not go since it was put.
 * @param notes of its object, in the order of their making
 */
export function isCommitted(notes: readonly FoundNote[], peer: string, sequence: number): boolean {
  let committed = false
  for (const note of notes) {
    if (note.sequence <= sequence) continue
    if (note.kind === 'gone' || note.kind === 'removed') return false
    if (note.peer !== peer) continue
    if (note.kind === 'commit') committed = true
    else if (!committed) return false
  }
  return committed
}

/** The notes beside a lost index, from which objects and tombstones are entered into the new one. */
export class FoundNotes {
  readonly #database: DatabaseSync
  readonly #notes: StatementSync
  readonly #expiry: StatementSync
  #object: Uint8Array = new Uint8Array(0)
  #current: readonly FoundNote[] = []

  constructor(database: DatabaseSync) {
    this.#database = database
    this.#notes = database.prepare(
      'SELECT kind, sequence, peer, expires_at FROM staging.notes WHERE object = ? ORDER BY sequence',
    )
    this.#expiry = database.prepare('INSERT OR REPLACE INTO objects VALUES (?, ?)')
  }

  /** Of one object, in the order of their making. */
  of(object: Uint8Array): readonly FoundNote[] {
    if (equalBytes(object, this.#object)) return this.#current
    this.#object = object
    this.#current = this.#notes.all(object) as unknown as FoundNote[]
    return this.#current
  }

  /** Enters how long an object is kept: until the latest expiry that was committed since it went last. */
  enterExpiry(object: Uint8Array): void {
    let expiresAt = 0
    for (const { kind, expires_at: until } of this.of(object)) {
      if (kind === 'gone' || kind === 'removed') expiresAt = 0
      else expiresAt = Math.max(expiresAt, until)
    }
    this.#expiry.run(object, expiresAt)
  }

  /** Enters a tombstone for each object that was removed, as it was noted last. */
  enterTombstones(): void {
    const enter = this.#database.prepare('INSERT OR REPLACE INTO removed VALUES (?, ?, ?, ?, ?, ?)')
    const removed = "SELECT object, peer, deletion FROM staging.notes WHERE kind = 'removed' ORDER BY object, sequence"
    for (const row of this.#database.prepare(removed).iterate()) {
      const { object, peer, deletion } = row as { object: Uint8Array; peer: string; deletion: string }
      const { shards, bytes, at, until } = JSON.parse(deletion) as Deletion
      enter.run(object, peer, shards, bytes, at, until)
    }
  }
}
