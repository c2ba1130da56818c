import { chmodSync, closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { WeftError, isDiskFull, messageOf, ensureDirectory } from '@weft/core'
import { StatementCache } from './statement-cache.ts'

/** SQLITE_CORRUPT and SQLITE_NOTADB (sqlite.org/rescode.html). */
const DAMAGED: readonly unknown[] = [11, 26]

/** A certificate as it is kept: the newest of its key. */
export interface StoredCertificate {
  /** 32 bytes */
  readonly key: Uint8Array
  /** ms since the Unix epoch */
  readonly expiresAt: number
  /** The wire form (weft.v1.Certificate), votes included. */
  readonly certificate: Uint8Array
}

/** A node that this validator voted for by an invitation. */
export interface StoredSeat {
  /** 32 bytes: the node's key. */
  readonly key: Uint8Array
  /** ms since the Unix epoch: until when the node has this seat without a further vote. */
  readonly until: number
  /** It held a certificate when this validator voted for it once. */
  readonly joined: boolean
}

export interface StoredMap {
  /** The wire form (weft.v1.SignedMap). */
  readonly map: Uint8Array
  readonly entries: readonly Uint8Array[]
}

/**
 * What membership must not forget: the node's own certificate, the last map, and for validators the certificates they
 * know, the one map body that they signed in an epoch, and the seats of invitations. A write has returned only after fsync (WAL with
 * synchronous=FULL), so that a signature never leaves before the memory of it is safe.
 */
export class MembershipDatabase implements Disposable {
  readonly #database: DatabaseSync
  readonly #statements: StatementCache

  /** @param directory made if missing (0700); `membership.sqlite` in it has mode 0600. @throws WeftError E_STATE_UNWRITABLE, E_DISK_FULL, E_STATE_CORRUPT */
  constructor(directory: string) {
    const path = join(directory, 'membership.sqlite')
    try {
      ensureDirectory(directory)
      // sqlite would make it by the umask: made here first, its journals get the same mode.
      closeSync(openSync(path, 'a', 0o600))
      chmodSync(path, 0o600)
      this.#database = new DatabaseSync(path)
      this.#statements = new StatementCache(this.#database)
      this.#database.exec(`
        PRAGMA journal_mode = WAL;
        PRAGMA synchronous = FULL;
        CREATE TABLE IF NOT EXISTS own (id INTEGER PRIMARY KEY CHECK (id = 1), certificate BLOB NOT NULL) STRICT;
        CREATE TABLE IF NOT EXISTS signed (epoch INTEGER PRIMARY KEY, body_hash BLOB NOT NULL) STRICT;
        CREATE TABLE IF NOT EXISTS certificate (key BLOB PRIMARY KEY, expires_at INTEGER NOT NULL, certificate BLOB NOT NULL) STRICT;
        CREATE TABLE IF NOT EXISTS seat (invitation BLOB, key BLOB, until INTEGER NOT NULL, joined INTEGER NOT NULL, PRIMARY KEY (invitation, key)) STRICT;
        CREATE TABLE IF NOT EXISTS map (id INTEGER PRIMARY KEY CHECK (id = 1), map BLOB NOT NULL) STRICT;
        CREATE TABLE IF NOT EXISTS entry (position INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
      `)
    } catch (error) {
      throw stateError(path, error)
    }
  }

  ownCertificate(): Uint8Array | undefined {
    return blob(this.#statements.prepare('SELECT certificate FROM own').get()?.['certificate'])
  }

  saveOwnCertificate(certificate: Uint8Array): void {
    this.#write(() => this.#statements.prepare('INSERT OR REPLACE INTO own VALUES (1, ?)').run(certificate))
  }

  /** The newest epoch in which a map body was signed, with its hash. */
  lastSigned(): { readonly epoch: number; readonly bodyHash: Uint8Array } | undefined {
    const row = this.#statements.prepare('SELECT epoch, body_hash FROM signed ORDER BY epoch DESC LIMIT 1').get()
    const bodyHash = blob(row?.['body_hash'])
    return row === undefined || bodyHash === undefined ? undefined : { epoch: Number(row['epoch']), bodyHash }
  }

  /** Only the newest is kept: an older epoch is never signed again. */
  saveSigned(epoch: number, bodyHash: Uint8Array): void {
    this.#write(() => {
      this.#statements.prepare('INSERT INTO signed VALUES (?, ?)').run(epoch, bodyHash)
      this.#statements.prepare('DELETE FROM signed WHERE epoch < ?').run(epoch)
    })
  }

  /** The wire forms of all certificates that are kept. */
  certificates(): Uint8Array[] {
    const rows = this.#statements.prepare('SELECT certificate FROM certificate').all()
    return rows.flatMap((row) => blob(row['certificate']) ?? [])
  }

  saveCertificates(certificates: readonly StoredCertificate[]): void {
    this.#write(() => {
      for (const { key, expiresAt, certificate } of certificates) {
        this.#statements.prepare('INSERT OR REPLACE INTO certificate VALUES (?, ?, ?)').run(key, expiresAt, certificate)
      }
    })
  }

  /** @param now ms since the Unix epoch */
  dropExpiredCertificates(now: number): void {
    this.#write(() => this.#statements.prepare('DELETE FROM certificate WHERE expires_at <= ?').run(now))
  }

  /** The seat of a node by the invitation of this name, also one that is over. */
  seat(invitation: Uint8Array, key: Uint8Array): StoredSeat | undefined {
    const row = this.#statements
      .prepare('SELECT until, joined FROM seat WHERE invitation = ? AND key = ?')
      .get(invitation, key)
    return row === undefined ? undefined : { key, until: Number(row['until']), joined: row['joined'] === 1 }
  }

  /** Seats by the invitation of this name that nodes other than `key` have at `now`, ms since the Unix epoch. */
  seatsOfOthers(invitation: Uint8Array, key: Uint8Array, now: number): number {
    const row = this.#statements
      .prepare('SELECT COUNT(*) AS seats FROM seat WHERE invitation = ? AND key <> ? AND until > ?')
      .get(invitation, key, now)
    return Number(row?.['seats'])
  }

  /** Keeps a seat, and drops those of all invitations that were over at `now`, ms since the Unix epoch. */
  saveSeat(invitation: Uint8Array, { key, until, joined }: StoredSeat, now: number): void {
    this.#write(() => {
      this.#statements.prepare('DELETE FROM seat WHERE until <= ?').run(now)
      this.#statements
        .prepare('INSERT OR REPLACE INTO seat VALUES (?, ?, ?, ?)')
        .run(invitation, key, until, joined ? 1 : 0)
    })
  }

  map(): StoredMap | undefined {
    const map = blob(this.#statements.prepare('SELECT map FROM map').get()?.['map'])
    if (map === undefined) return undefined
    const rows = this.#statements.prepare('SELECT body FROM entry ORDER BY position').all()
    return { map, entries: rows.flatMap((row) => blob(row['body']) ?? []) }
  }

  /** @param entries undefined when they are the same as in the map before. */
  saveMap(map: Uint8Array, entries: readonly Uint8Array[] | undefined): void {
    this.#write(() => {
      this.#statements.prepare('INSERT OR REPLACE INTO map VALUES (1, ?)').run(map)
      if (entries === undefined) return
      this.#statements.prepare('DELETE FROM entry').run()
      entries.forEach((body, position) =>
        this.#statements.prepare('INSERT INTO entry VALUES (?, ?)').run(position, body),
      )
    })
  }

  [Symbol.dispose](): void {
    this.#database.close()
  }

  #write(task: () => void): void {
    try {
      this.#database.exec('BEGIN IMMEDIATE')
      try {
        task()
        this.#database.exec('COMMIT')
      } catch (error) {
        if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
        throw error
      }
    } catch (error) {
      throw stateError('membership.sqlite', error)
    }
  }
}

function blob(value: unknown): Uint8Array | undefined {
  return value instanceof Uint8Array ? value : undefined
}

function stateError(path: string, error: unknown): WeftError {
  const why = messageOf(error)
  if (isDiskFull(error)) {
    return new WeftError({
      code: 'E_DISK_FULL',
      cause: `The disk of the state of membership (${path}) is full.`,
      fix: 'Free space on it, or move the state directory to a larger disk (WEFT_HOME or --home).',
      retryable: true,
      origin: error,
    })
  }
  if (DAMAGED.includes((error as { errcode?: unknown }).errcode)) {
    return new WeftError({
      code: 'E_STATE_CORRUPT',
      cause: `The state of membership (${path}) is damaged: ${why}.`,
      // Without the memory of what it signed, a validator could sign a second map of the same epoch.
      fix: 'Check the disk. Then move the file away, wait for two map epochs if this node is a validator, and start it again: it is admitted anew under the same key.',
      origin: error,
    })
  }
  return new WeftError({
    code: 'E_STATE_UNWRITABLE',
    cause: `The state of membership (${path}) cannot be kept: ${why}.`,
    fix: 'Give the daemon a state directory that it may write to (WEFT_HOME or --home).',
    origin: error,
  })
}
