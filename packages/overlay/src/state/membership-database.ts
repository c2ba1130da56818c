import { chmodSync, closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { WeftError, isDiskFull, messageOf, ensureDirectory } from '@weft/core'
import { sha256 } from '@weft/crypto'
import type { StoredAvailability } from '../absence/availability-store.ts'
import { KEPT_EPOCHS } from '../agreement/agreement-store.ts'
import { KEPT_BEACONS } from '../beacon/beacon-store.ts'
import type { Beacon } from '../beacon/beacon.ts'
import type { KeptRevocationVote, StoredRevocation, StoredRevocationVote } from '../revocation/revocation-database.ts'
import type { StoredSeat } from '../invitation/invitation-seats.ts'
import type { StoredRecovery } from '../terms/term-store.ts'
import type { MembershipStore, StoredCertificate, StoredChanges, StoredMap } from './membership-store.ts'
import { StatementCache } from './statement-cache.ts'

/** SQLITE_CORRUPT and SQLITE_NOTADB (sqlite.org/rescode.html). */
const DAMAGED: readonly unknown[] = [11, 26]

/**
 * The state of membership in a file of SQLite, in WAL mode. What this node answers for is on disk when a write returns
 * (synchronous=FULL), so that a signature never leaves before the memory of it is safe. What others hold as well (map,
 * beacons, certificates of others, how long members were there) is written whole or not at all, and the last of it may be
 * lost with the power (synchronous=NORMAL, sqlite.org/pragma.html#pragma_synchronous): it comes again with the next map,
 * and nothing waits for the disk.
 */
export class MembershipDatabase implements MembershipStore, Disposable {
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
        CREATE TABLE IF NOT EXISTS agreement (epoch INTEGER PRIMARY KEY, state BLOB NOT NULL) STRICT;
        CREATE TABLE IF NOT EXISTS evidence (validator BLOB PRIMARY KEY, evidence BLOB NOT NULL) STRICT;
        CREATE TABLE IF NOT EXISTS certificate (key BLOB PRIMARY KEY, expires_at INTEGER NOT NULL, certificate BLOB NOT NULL) STRICT;
        CREATE TABLE IF NOT EXISTS seat (invitation BLOB, key BLOB, until INTEGER NOT NULL, joined INTEGER NOT NULL, PRIMARY KEY (invitation, key)) STRICT;
        CREATE TABLE IF NOT EXISTS revocation (key BLOB PRIMARY KEY, ends_at INTEGER NOT NULL, revocation BLOB NOT NULL) STRICT;
        CREATE TABLE IF NOT EXISTS revocation_vote (id INTEGER PRIMARY KEY, hash BLOB NOT NULL, signer BLOB NOT NULL, body BLOB NOT NULL, signature BLOB NOT NULL, UNIQUE (hash, signer)) STRICT;
        CREATE TABLE IF NOT EXISTS revocation_opener (hash BLOB PRIMARY KEY, opener BLOB NOT NULL) STRICT;
        CREATE TABLE IF NOT EXISTS succession (number INTEGER PRIMARY KEY, succession BLOB NOT NULL) STRICT;
        CREATE TABLE IF NOT EXISTS handover (number INTEGER PRIMARY KEY, state BLOB NOT NULL) STRICT;
        CREATE TABLE IF NOT EXISTS rotation (number INTEGER PRIMARY KEY, value BLOB NOT NULL) STRICT;
        CREATE TABLE IF NOT EXISTS recovery (number INTEGER PRIMARY KEY, context TEXT NOT NULL, state BLOB NOT NULL) STRICT;
        CREATE TABLE IF NOT EXISTS beacon (epoch INTEGER PRIMARY KEY, value BLOB NOT NULL, previous INTEGER NOT NULL) STRICT;
        CREATE TABLE IF NOT EXISTS computed_beacon (id INTEGER PRIMARY KEY CHECK (id = 1), epoch INTEGER NOT NULL, value BLOB NOT NULL, previous INTEGER NOT NULL) STRICT;
        CREATE TABLE IF NOT EXISTS map (id INTEGER PRIMARY KEY CHECK (id = 1), map BLOB NOT NULL) STRICT;
        CREATE TABLE IF NOT EXISTS availability (part INTEGER PRIMARY KEY, watched INTEGER NOT NULL, members BLOB NOT NULL) STRICT;
        DROP TABLE IF EXISTS entry;
        CREATE TABLE IF NOT EXISTS map_entry (key BLOB PRIMARY KEY, body BLOB NOT NULL) STRICT, WITHOUT ROWID;
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

  lastSigned(): { readonly epoch: number; readonly bodyHash: Uint8Array } | undefined {
    const row = this.#statements.prepare('SELECT epoch, body_hash FROM signed ORDER BY epoch DESC LIMIT 1').get()
    const bodyHash = blob(row?.['body_hash'])
    return row === undefined || bodyHash === undefined ? undefined : { epoch: Number(row['epoch']), bodyHash }
  }

  saveSigned(epoch: number, bodyHash: Uint8Array): void {
    this.#write(() => {
      this.#statements.prepare('INSERT INTO signed VALUES (?, ?)').run(epoch, bodyHash)
      this.#statements.prepare('DELETE FROM signed WHERE epoch < ?').run(epoch)
    })
  }

  agreement(epoch: number): Uint8Array | 'spent' | undefined {
    const row = this.#statements.prepare('SELECT state FROM agreement WHERE epoch = ?').get(epoch)
    if (row !== undefined) return blob(row['state'])
    const kept = this.#statements.prepare('SELECT count(*) AS count, min(epoch) AS first FROM agreement').get()
    return Number(kept?.['count']) >= KEPT_EPOCHS && epoch < Number(kept?.['first']) ? 'spent' : undefined
  }

  saveAgreement(epoch: number, state: Uint8Array): void {
    this.#write(() => {
      this.#statements.prepare('INSERT OR REPLACE INTO agreement VALUES (?, ?)').run(epoch, state)
      this.#statements
        .prepare('DELETE FROM agreement WHERE epoch NOT IN (SELECT epoch FROM agreement ORDER BY epoch DESC LIMIT ?)')
        .run(KEPT_EPOCHS)
    })
  }

  /** The wire forms (weft.v1.AgreementEvidence) of what proves that validators said two things at once. */
  evidence(): Uint8Array[] {
    const rows = this.#statements.prepare('SELECT evidence FROM evidence').all()
    return rows.flatMap((row) => blob(row['evidence']) ?? [])
  }

  saveEvidence(validator: Uint8Array, evidence: Uint8Array): void {
    this.#write(() => this.#statements.prepare('INSERT OR IGNORE INTO evidence VALUES (?, ?)').run(validator, evidence))
  }

  certificateKeys(now: number): Uint8Array[] {
    const rows = this.#statements.prepare('SELECT key FROM certificate WHERE expires_at > ?').all(now)
    return rows.flatMap((row) => blob(row['key']) ?? [])
  }

  certificate(key: Uint8Array): Uint8Array | undefined {
    return blob(this.#statements.prepare('SELECT certificate FROM certificate WHERE key = ?').get(key)?.['certificate'])
  }

  saveCertificates(certificates: readonly StoredCertificate[]): void {
    this.#note(() => {
      for (const { key, expiresAt, certificate } of certificates) {
        this.#statements.prepare('INSERT OR REPLACE INTO certificate VALUES (?, ?, ?)').run(key, expiresAt, certificate)
      }
    })
  }

  dropExpiredCertificates(now: number): void {
    this.#note(() => this.#statements.prepare('DELETE FROM certificate WHERE expires_at <= ?').run(now))
  }

  seat(invitation: Uint8Array, key: Uint8Array): StoredSeat | undefined {
    const row = this.#statements
      .prepare('SELECT until, joined FROM seat WHERE invitation = ? AND key = ?')
      .get(invitation, key)
    return row === undefined ? undefined : { key, until: Number(row['until']), joined: row['joined'] === 1 }
  }

  seatsOfOthers(invitation: Uint8Array, key: Uint8Array, now: number): number {
    const row = this.#statements
      .prepare('SELECT COUNT(*) AS seats FROM seat WHERE invitation = ? AND key <> ? AND until > ?')
      .get(invitation, key, now)
    return Number(row?.['seats'])
  }

  saveSeat(invitation: Uint8Array, { key, until, joined }: StoredSeat, now: number): void {
    this.#write(() => {
      this.#statements.prepare('DELETE FROM seat WHERE until <= ?').run(now)
      this.#statements
        .prepare('INSERT OR REPLACE INTO seat VALUES (?, ?, ?, ?)')
        .run(invitation, key, until, joined ? 1 : 0)
    })
  }

  revocations(): Uint8Array[] {
    const rows = this.#statements.prepare('SELECT revocation FROM revocation').all()
    return rows.flatMap((row) => blob(row['revocation']) ?? [])
  }

  saveRevocation({ key, endsAt, revocation }: StoredRevocation): void {
    this.#write(() =>
      this.#statements.prepare('INSERT OR REPLACE INTO revocation VALUES (?, ?, ?)').run(key, endsAt, revocation),
    )
  }

  dropEndedRevocations(now: number): void {
    this.#write(() => this.#statements.prepare('DELETE FROM revocation WHERE ends_at <= ?').run(now))
  }

  revocationVotes(): KeptRevocationVote[] {
    const rows = this.#statements
      .prepare(
        'SELECT body, signer, signature, opener FROM revocation_vote LEFT JOIN revocation_opener USING (hash) ORDER BY id',
      )
      .all()
    return rows.flatMap((row) => {
      const [body, signer, signature] = [blob(row['body']), blob(row['signer']), blob(row['signature'])]
      if (body === undefined || signer === undefined || signature === undefined) return []
      return [{ body, signer, signature, opener: blob(row['opener']) }]
    })
  }

  saveRevocationVote({ body, signer, signature }: StoredRevocationVote, isOwn: boolean): void {
    const task = (): void => {
      const hash = sha256(body)
      this.#statements
        .prepare('INSERT OR IGNORE INTO revocation_vote (hash, signer, body, signature) VALUES (?, ?, ?, ?)')
        .run(hash, signer, body, signature)
      this.#statements.prepare('INSERT OR IGNORE INTO revocation_opener VALUES (?, ?)').run(hash, signer)
    }
    if (isOwn) this.#write(task)
    else this.#note(task)
  }

  dropRevocationVotes(hash: Uint8Array, signer?: Uint8Array): void {
    this.#note(() => {
      this.#statements
        .prepare('DELETE FROM revocation_vote WHERE hash = ? AND signer = coalesce(?, signer)')
        .run(hash, signer ?? null)
      this.#statements
        .prepare('DELETE FROM revocation_opener WHERE hash = ? AND hash NOT IN (SELECT hash FROM revocation_vote)')
        .run(hash)
    })
  }

  succession(number: number): Uint8Array | undefined {
    const row = this.#statements.prepare('SELECT succession FROM succession WHERE number = ?').get(number)
    return blob(row?.['succession'])
  }

  saveSuccession(number: number, succession: Uint8Array): void {
    this.#write(() =>
      this.#statements.prepare('INSERT OR REPLACE INTO succession VALUES (?, ?)').run(number, succession),
    )
  }

  recovery(number: number): StoredRecovery | undefined {
    const row = this.#statements.prepare('SELECT context, state FROM recovery WHERE number = ?').get(number)
    const state = blob(row?.['state'])
    return row === undefined || state === undefined ? undefined : { context: String(row['context']), state }
  }

  saveRecovery(number: number, { context, state }: StoredRecovery): void {
    this.#write(() => {
      this.#statements.prepare('DELETE FROM recovery WHERE number < ?').run(number)
      this.#statements.prepare('INSERT OR REPLACE INTO recovery VALUES (?, ?, ?)').run(number, context, state)
    })
  }

  handover(number: number): Uint8Array | undefined {
    return blob(this.#statements.prepare('SELECT state FROM handover WHERE number = ?').get(number)?.['state'])
  }

  saveHandover(number: number, state: Uint8Array): void {
    this.#write(() => {
      this.#statements.prepare('DELETE FROM handover WHERE number < ?').run(number)
      this.#statements.prepare('INSERT OR REPLACE INTO handover VALUES (?, ?)').run(number, state)
    })
  }

  rotation(number: number): Uint8Array | undefined {
    return blob(this.#statements.prepare('SELECT value FROM rotation WHERE number = ?').get(number)?.['value'])
  }

  saveRotation(number: number, value: Uint8Array | undefined): void {
    this.#write(() => {
      this.#statements.prepare('DELETE FROM rotation WHERE number <= ?').run(number)
      if (value !== undefined) this.#statements.prepare('INSERT INTO rotation VALUES (?, ?)').run(number, value)
    })
  }

  beacons(): readonly Beacon[] {
    const rows = this.#statements.prepare('SELECT epoch, value, previous FROM beacon ORDER BY epoch').all()
    return rows.flatMap((row) => beaconOf(row) ?? [])
  }

  saveBeacon({ epoch, value, previous }: Beacon): void {
    this.#note(() => {
      this.#statements.prepare('INSERT OR REPLACE INTO beacon VALUES (?, ?, ?)').run(epoch, value, previous)
      this.#statements
        .prepare('DELETE FROM beacon WHERE epoch <= (SELECT epoch FROM beacon ORDER BY epoch DESC LIMIT 1 OFFSET ?)')
        .run(KEPT_BEACONS)
    })
  }

  computedBeacon(): Beacon | undefined {
    return beaconOf(this.#statements.prepare('SELECT epoch, value, previous FROM computed_beacon').get())
  }

  saveComputedBeacon({ epoch, value, previous }: Beacon): void {
    this.#write(() =>
      this.#statements
        .prepare('INSERT OR REPLACE INTO computed_beacon VALUES (1, ?, ?, ?)')
        .run(epoch, value, previous),
    )
  }

  availability(): StoredAvailability[] {
    const rows = this.#statements.prepare('SELECT part, watched, members FROM availability ORDER BY part').all()
    return rows.flatMap((row) => {
      const members = blob(row['members'])
      return members === undefined ? [] : [{ part: Number(row['part']), watched: Number(row['watched']), members }]
    })
  }

  saveAvailability({ part, watched, members }: StoredAvailability, upTo: number): void {
    this.#note(() => {
      this.#statements.prepare('DELETE FROM availability WHERE part <= ?').run(upTo)
      this.#statements.prepare('INSERT OR REPLACE INTO availability VALUES (?, ?, ?)').run(part, watched, members)
    })
  }

  map(): StoredMap | undefined {
    const map = blob(this.#statements.prepare('SELECT map FROM map').get()?.['map'])
    if (map === undefined) return undefined
    const rows = this.#statements.prepare('SELECT body FROM map_entry ORDER BY key').all()
    return { map, entries: rows.flatMap((row) => blob(row['body']) ?? []) }
  }

  saveMap(map: Uint8Array, { whole, entries, removed }: StoredChanges): void {
    this.#note(() => {
      this.#statements.prepare('INSERT OR REPLACE INTO map VALUES (1, ?)').run(map)
      if (whole) this.#statements.prepare('DELETE FROM map_entry').run()
      const remove = this.#statements.prepare('DELETE FROM map_entry WHERE key = ?')
      for (const key of removed) remove.run(key)
      const put = this.#statements.prepare('INSERT OR REPLACE INTO map_entry VALUES (?, ?)')
      for (const { key, bytes } of entries) put.run(key, bytes)
    })
  }

  [Symbol.dispose](): void {
    this.#database.close()
  }

  /** As {@link #write}, without waiting for the disk. */
  #note(task: () => void): void {
    this.#database.exec('PRAGMA synchronous = NORMAL')
    try {
      this.#write(task)
    } finally {
      this.#database.exec('PRAGMA synchronous = FULL')
    }
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

function beaconOf(row: Record<string, unknown> | undefined): Beacon | undefined {
  const value = blob(row?.['value'])
  if (row === undefined || value === undefined) return undefined
  return { epoch: Number(row['epoch']), value, previous: Number(row['previous']) }
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
