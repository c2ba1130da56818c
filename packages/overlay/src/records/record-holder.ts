import { type Clock, WeftError } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import { type Record as RecordMessage, RecordSchema, decodeMessage, encodeMessage, METHODS } from '@weft/wire'
import { type VerifiedRecord, checkExpiry, compareVersions } from './record.ts'
import type { RecordKey } from './record-store.ts'
import type { RecordRow, RecordTable } from './record-table.ts'
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
  /** Outlives the holder: whoever made it closes it. */
  readonly table: RecordTable
  readonly clock: Clock
  readonly quota: RecordQuota
  readonly isMember: (id: DidKey) => boolean
}

/** A record as another holder would get it in re-placement. */
export interface HeldRecord {
  readonly rowid: number
  readonly key: RecordKey
  readonly message: RecordMessage
}

/**
 * The records that this member holds. A newer version replaces an older one and nothing else replaces anything; what
 * `put` acknowledged is on disk. A record outlives its own expiry here for as long as an older version of it that was
 * seen may still be valid: it is handed out as the guard that keeps the older one from coming back.
 */
export class RecordHolder {
  readonly #table: RecordTable
  readonly #clock: Clock
  readonly #quota: RecordQuota
  readonly #isMember: (id: DidKey) => boolean

  constructor(options: RecordHolderOptions) {
    this.#table = options.table
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
    await this.#table.change(() => this.#apply(record, bytes, member ? caller : STRANGER + caller))
  }

  /** The record as it was put, expired guards included; the reader verifies it. */
  get(key: RecordKey): RecordMessage | undefined {
    const bytes = this.getEncoded(key)
    return bytes === undefined ? undefined : decodeMessage(RecordSchema, bytes, METHODS['record.put'].maxRequest)
  }

  /** The same as the bytes of its message, for the wire. */
  getEncoded(key: RecordKey): Uint8Array | undefined {
    return this.#table.record(key)
  }

  /** Up to `limit` records behind `after` (a rowid, 0 to begin) that have not expired, in the order they were first put. */
  page(after: number, limit: number): HeldRecord[] {
    return this.#table.page(after, limit, this.#clock.now()).map(({ rowid, key, record }) => ({
      rowid,
      key,
      message: decodeMessage(RecordSchema, record, METHODS['record.put'].maxRequest),
    }))
  }

  /** Removes what is no longer needed. */
  async sweep(): Promise<void> {
    while ((await this.#table.change(() => this.#sweepBatch())) === SWEEP_BATCH);
  }

  #apply(record: VerifiedRecord, bytes: Uint8Array, account: string): void {
    const held = this.#table.row(record.key)
    if (held !== undefined) {
      const relation = compareVersions(record, held)
      if (relation === 'same') return
      if (relation === 'older' || relation === 'fork') throw conflict(relation, record, held)
    }
    const size = bytes.length + ROW_OVERHEAD
    this.#checkQuota(account, size, held)
    if (held !== undefined) this.#table.charge(accountsOf(held.account), -held.size)
    this.#table.charge(accountsOf(account), size)
    const guardUntil = Math.max(record.expiresAt, held?.guardUntil ?? 0)
    const { sequence, expiresAt, valueHash } = record
    this.#table.put(record.key, { sequence, expiresAt, valueHash, account, size, guardUntil }, bytes)
  }

  /** What replaces a record of the same account, or of the same kind of accounts, needs only what it is larger by. */
  #checkQuota(account: string, size: number, held: RecordRow | undefined): void {
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
    const usage = this.#table.usage([account, EVERYBODY, STRANGERS])
    for (const [of, most, freed, whose] of limits) {
      const growth = size - (freed ? (held?.size ?? 0) : 0)
      const used = usage.get(of) ?? 0
      if (growth > 0 && used + growth > most) throw quotaError(`${used} of ${most} bytes ${whose} are used`)
    }
  }

  #sweepBatch(): number {
    const overdue = this.#table.overdue(this.#clock.now(), SWEEP_BATCH)
    for (const { rowid, account, size } of overdue) {
      this.#table.remove(rowid)
      this.#table.charge(accountsOf(account), -size)
    }
    return overdue.length
  }
}

/** Whom the bytes of a record are charged to. */
function accountsOf(account: string): readonly string[] {
  return isStranger(account) ? [account, EVERYBODY, STRANGERS] : [account, EVERYBODY]
}

function isStranger(account: string): boolean {
  return account.startsWith(STRANGER)
}

function conflict(relation: 'older' | 'fork', record: VerifiedRecord, held: RecordRow): WeftError {
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
