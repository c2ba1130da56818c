import { join } from 'node:path'
import { type Clock, type Scope, WeftError } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import { type Record as RecordMessage, RecordSchema, decodeMessage, encodeMessage, METHODS } from '@weft/wire'
import { GroupCommitDatabase } from './group-commit.ts'
import { type RecordVersion, type VerifiedRecord, checkExpiry, compareVersions } from './record.ts'
import type { RecordKey } from './record-store.ts'
import { MAX_STRANGER_LIFETIME_MS } from './stranger-lifetime.ts'

/** What a record costs beside its bytes: rows, indexes, page slack. */
const ROW_OVERHEAD = 512
/** Records removed in one transaction by the sweep. */
const SWEEP_BATCH = 256

export interface RecordQuota {
  /** Bytes of all records together. */
  readonly total: number
  /** Bytes that one certified member may have put. */
  readonly perMember: number
  /** Bytes that any other caller may have put, and all of those together: the rest stays for members. */
  readonly perStranger: number
  readonly strangers: number
}

const MiB = 1024 * 1024
export const DEFAULT_RECORD_QUOTA: RecordQuota = {
  total: 1024 * MiB,
  perMember: 256 * MiB,
  perStranger: 64 * MiB,
  strangers: 512 * MiB,
}

/**
 * Whose bytes they are, as the database names them: a member by its id, any other caller by its id behind this mark. A
 * record stays with the account that it was put under, whether its caller joins or leaves later.
 */
const STRANGER = '~'
/** The account of all callers together, and of all strangers. */
const EVERYBODY = ''
const STRANGERS = STRANGER

export interface RecordHolderOptions {
  readonly directory: string
  readonly clock: Clock
  readonly scope: Scope
  readonly quota: RecordQuota
  readonly isMember: (id: DidKey) => boolean
}

interface Row extends RecordVersion {
  readonly size: number
  readonly account: string
  readonly guardUntil: number
}

/** A record as another holder would get it in re-placement. */
export interface HeldRecord {
  readonly rowid: number
  readonly key: RecordKey
  readonly message: RecordMessage
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS records (
    key BLOB NOT NULL UNIQUE, sequence INTEGER NOT NULL, expires_at INTEGER NOT NULL, guard_until INTEGER NOT NULL,
    value_hash BLOB NOT NULL, caller TEXT NOT NULL, size INTEGER NOT NULL, record BLOB NOT NULL);
  CREATE INDEX IF NOT EXISTS records_by_guard ON records (guard_until);
  CREATE TABLE IF NOT EXISTS usage (caller TEXT PRIMARY KEY, bytes INTEGER NOT NULL) WITHOUT ROWID;
`

/**
 * The records that this member holds. A newer version replaces an older one and nothing else replaces anything; what
 * `put` acknowledged is on disk. A record outlives its own expiry here for as long as an older version of it that was
 * seen may still be valid: it is handed out as the guard that keeps the older one from coming back.
 */
export class RecordHolder {
  readonly #database: GroupCommitDatabase
  readonly #clock: Clock
  readonly #quota: RecordQuota
  readonly #isMember: (id: DidKey) => boolean

  /** @throws WeftError E_DATABASE, E_DISK_FULL */
  static async open(options: RecordHolderOptions): Promise<RecordHolder> {
    const database = await GroupCommitDatabase.open(
      join(options.directory, 'records.sqlite'),
      SCHEMA,
      'stop the node and remove it: other holders have copies',
    )
    options.scope.use('record holder', database)
    return new RecordHolder(options, database)
  }

  private constructor(options: RecordHolderOptions, database: GroupCommitDatabase) {
    this.#database = database
    this.#clock = options.clock
    this.#quota = options.quota
    this.#isMember = options.isMember
  }

  /**
   * Stores a verified record durably; well if it is held already.
   * @throws WeftError E_RECORD_CONFLICT, E_RECORD_EXPIRED, E_RECORD_LIFETIME, E_QUOTA, E_DISK_FULL, E_DATABASE, E_BUSY
   */
  async put(record: VerifiedRecord, caller: DidKey): Promise<void> {
    const member = this.#isMember(caller)
    checkExpiry(record.expiresAt, this.#clock.now(), member ? undefined : MAX_STRANGER_LIFETIME_MS)
    const bytes = encodeMessage(RecordSchema, record.message)
    await this.#database.change(() => this.#apply(record, bytes, member ? caller : STRANGER + caller))
  }

  /** The record as it was put, expired guards included; the reader verifies it. */
  get(key: RecordKey): RecordMessage | undefined {
    const bytes = this.getEncoded(key)
    return bytes === undefined ? undefined : decodeMessage(RecordSchema, bytes, METHODS['record.put'].maxRequest)
  }

  /** The same as the bytes of its message, for the wire. */
  getEncoded(key: RecordKey): Uint8Array | undefined {
    return this.#database.prepare('SELECT record FROM records WHERE key = ?').get(key)?.['record'] as
      | Uint8Array
      | undefined
  }

  /** Up to `limit` records behind `after` (a rowid, 0 to begin) that have not expired, in the order they were first put. */
  page(after: number, limit: number): HeldRecord[] {
    return this.#database
      .prepare('SELECT rowid, key, record FROM records WHERE rowid > ? AND expires_at > ? ORDER BY rowid LIMIT ?')
      .all(after, this.#clock.now(), limit)
      .map((row) => ({
        rowid: row['rowid'] as number,
        key: row['key'] as Uint8Array,
        message: decodeMessage(RecordSchema, row['record'] as Uint8Array, METHODS['record.put'].maxRequest),
      }))
  }

  /** Removes what is no longer needed. */
  async sweep(): Promise<void> {
    while ((await this.#database.change(() => this.#sweepBatch())) === SWEEP_BATCH);
  }

  #apply(record: VerifiedRecord, bytes: Uint8Array, account: string): void {
    const held = this.#row(record.key)
    if (held !== undefined) {
      const relation = compareVersions(record, held)
      if (relation === 'same') return
      if (relation === 'older' || relation === 'fork') throw conflict(relation, record, held)
    }
    const size = bytes.length + ROW_OVERHEAD
    this.#checkQuota(account, size, held)
    if (held !== undefined) this.#charge(held.account, -held.size)
    this.#charge(account, size)
    const guardUntil = Math.max(record.expiresAt, held?.guardUntil ?? 0)
    this.#database
      .prepare(
        `INSERT INTO records (key, sequence, expires_at, guard_until, value_hash, caller, size, record)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET sequence = excluded.sequence,
       expires_at = excluded.expires_at, guard_until = excluded.guard_until, value_hash = excluded.value_hash,
       caller = excluded.caller, size = excluded.size, record = excluded.record`,
      )
      .run(record.key, record.sequence, record.expiresAt, guardUntil, record.valueHash, account, size, bytes)
  }

  #row(key: RecordKey): Row | undefined {
    const row = this.#database
      .prepare('SELECT sequence, expires_at, guard_until, value_hash, caller, size FROM records WHERE key = ?')
      .get(key)
    if (row === undefined) return undefined
    return {
      sequence: row['sequence'] as number,
      expiresAt: row['expires_at'] as number,
      guardUntil: row['guard_until'] as number,
      valueHash: row['value_hash'] as Uint8Array,
      account: row['caller'] as string,
      size: row['size'] as number,
    }
  }

  /** What replaces a record of the same account, or of the same kind of accounts, needs only what it is larger by. */
  #checkQuota(account: string, size: number, held: Row | undefined): void {
    const { total, strangers, perStranger, perMember } = this.#quota
    const stranger = isStranger(account)
    const limits: [account: string, most: number, freed: boolean, whose: string][] = [
      [account, stranger ? perStranger : perMember, held?.account === account, 'that one caller may keep here'],
      [EVERYBODY, total, held !== undefined, 'for records'],
    ]
    if (stranger) {
      const freed = held !== undefined && isStranger(held.account)
      limits.push([STRANGERS, strangers, freed, 'for records of callers that are not members'])
    }
    const usage = this.#usage(account)
    for (const [of, most, freed, whose] of limits) {
      const growth = size - (freed ? (held?.size ?? 0) : 0)
      const used = usage.get(of) ?? 0
      if (growth > 0 && used + growth > most) throw quotaError(`${used} of ${most} bytes ${whose} are used`)
    }
  }

  /** Bytes put under an account, under all, and under those of strangers, where there are any. */
  #usage(account: string): Map<string, number> {
    const rows = this.#database
      .prepare('SELECT caller, bytes FROM usage WHERE caller IN (?, ?, ?)')
      .all(account, EVERYBODY, STRANGERS)
    return new Map(rows.map((row) => [row['caller'] as string, row['bytes'] as number]))
  }

  #charge(account: string, bytes: number): void {
    const add = 'ON CONFLICT (caller) DO UPDATE SET bytes = bytes + excluded.bytes'
    if (isStranger(account)) {
      this.#database
        .prepare(`INSERT INTO usage VALUES (?, ?), (?, ?), (?, ?) ${add}`)
        .run(account, bytes, EVERYBODY, bytes, STRANGERS, bytes)
    } else {
      this.#database.prepare(`INSERT INTO usage VALUES (?, ?), (?, ?) ${add}`).run(account, bytes, EVERYBODY, bytes)
    }
    if (bytes < 0) this.#database.prepare('DELETE FROM usage WHERE caller = ? AND bytes <= 0').run(account)
  }

  #sweepBatch(): number {
    const over = this.#database
      .prepare('SELECT rowid, caller, size FROM records WHERE guard_until <= ? LIMIT ?')
      .all(this.#clock.now(), SWEEP_BATCH)
    const remove = this.#database.prepare('DELETE FROM records WHERE rowid = ?')
    for (const row of over) {
      remove.run(row['rowid'] as number)
      this.#charge(row['caller'] as string, -(row['size'] as number))
    }
    return over.length
  }
}

function isStranger(account: string): boolean {
  return account.startsWith(STRANGER)
}

function conflict(relation: 'older' | 'fork', record: VerifiedRecord, held: Row): WeftError {
  return new WeftError({
    code: 'E_RECORD_CONFLICT',
    cause:
      relation === 'older'
        ? `The record has sequence ${record.sequence}; sequence ${held.sequence} is held here already.`
        : `Another value with the same sequence ${record.sequence} is held here already.`,
    fix: `Read the record, and write again with a sequence above ${held.sequence}.`,
    details: { held: held.sequence, offered: record.sequence },
  })
}

function quotaError(why: string): WeftError {
  return new WeftError({
    code: 'E_QUOTA',
    cause: `The record is refused: ${why}.`,
    fix: 'Wait until older records expire, or keep fewer.',
    retryable: true,
  })
}
