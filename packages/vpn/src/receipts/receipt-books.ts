import { join } from 'node:path'
import { ensureDirectory, isWeftError, type Scope } from '@weft/core'
import { ReceiptAnswer } from '@weft/onion'
import { GroupCommitDatabase } from '@weft/overlay'
import { REDEEMED_EPOCHS } from './receipt-epoch.ts'

/** A spend that was verified. */
export interface Payment {
  readonly epoch: number
  readonly nonce: Uint8Array
  readonly spend: Uint8Array
}

/** Of payments to a hop, since its books begin. */
export interface BooksTotals {
  /** Kept, and not redeemed yet. */
  readonly owed: number
  readonly redeemed: number
  /** Those that their issuer did not take back: spent to somebody else before, most of all. */
  readonly refused: number
  /** Those that nobody took back in time. */
  readonly lapsed: number
}

/** What a hop is owed by issuers, has redeemed, and has seen before: nothing that it answered `taken` to is lost by a crash. */
export interface ReceiptBooks {
  /** `taken` once it is on disk; `spent` when a payment with this nonce was kept before; `noRoom`. */
  keep(payment: Payment): Promise<ReceiptAnswer>
  /**
   * Some that are to be redeemed of one issuer and epoch, by their nonces.
   * @param challenge digest that their tokens have
   * @param after nonce behind which they begin; empty: all
   */
  owed(challenge: Uint8Array, after: Uint8Array, most: number): readonly Payment[]
  /** What issuers answered. @returns how many of these are owed no more */
  settle(answers: readonly { readonly nonce: Uint8Array; readonly answer: number }[]): Promise<number>
  /** Forgets what nobody takes back any more. @param epoch the present one */
  prune(epoch: number): Promise<void>
  readonly totals: BooksTotals
}

/** Payments that wait to be redeemed (some 600 bytes each), and nonces of one epoch: beyond that a hop takes no more. */
const MOST_OWED = 200_000
const MOST_SEEN = 2_000_000

/** Where a spend has its challenge digest, which stands for issuer and epoch: behind type and nonce. */
const CHALLENGE = 'substr(spend, 35, 32)'

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS payments (nonce BLOB PRIMARY KEY, epoch INTEGER NOT NULL, spend BLOB) WITHOUT ROWID;
  DROP INDEX IF EXISTS payments_owed;
  CREATE INDEX IF NOT EXISTS payments_owed_by_challenge ON payments (${CHALLENGE}, nonce) WHERE spend IS NOT NULL;
  CREATE INDEX IF NOT EXISTS payments_by_epoch ON payments (epoch);
  CREATE TABLE IF NOT EXISTS totals (name TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;
`

type Count = 'redeemed' | 'refused' | 'lapsed'

/** Books in a file of SQLite. */
export class SqliteReceiptBooks implements ReceiptBooks {
  readonly #database: GroupCommitDatabase
  readonly #seen = new Map<number, number>()
  #owed = 0
  #counts: Omit<BooksTotals, 'owed'>

  /** @param scope closes it @throws WeftError E_DATABASE, E_DISK_FULL */
  static async open(directory: string, scope: Scope): Promise<SqliteReceiptBooks> {
    ensureDirectory(directory)
    const path = join(directory, 'books.sqlite')
    const damaged = 'stop the node and move it away: what it was owed and had not redeemed is lost'
    const database = await GroupCommitDatabase.open(path, SCHEMA, damaged)
    scope.use('receipt books', database)
    return new SqliteReceiptBooks(database)
  }

  private constructor(database: GroupCommitDatabase) {
    this.#database = database
    this.#counts = this.#read()
  }

  get totals(): BooksTotals {
    return { owed: this.#owed, ...this.#counts }
  }

  async keep({ epoch, nonce, spend }: Payment): Promise<ReceiptAnswer> {
    try {
      return await this.#change(() => {
        const known = this.#database.prepare('SELECT 1 FROM payments WHERE nonce = ?').get(nonce)
        if (known !== undefined) return ReceiptAnswer.spent
        const seen = this.#seen.get(epoch) ?? 0
        if (this.#owed >= MOST_OWED || seen >= MOST_SEEN) return ReceiptAnswer.noRoom
        this.#database.prepare('INSERT INTO payments VALUES (?, ?, ?)').run(nonce, epoch, spend)
        this.#seen.set(epoch, seen + 1)
        this.#owed++
        return ReceiptAnswer.taken
      })
    } catch {
      // What is not on disk was not taken. The client sends it again.
      return ReceiptAnswer.noRoom
    }
  }

  owed(challenge: Uint8Array, after: Uint8Array, most: number): readonly Payment[] {
    const sql = `SELECT nonce, epoch, spend FROM payments WHERE spend IS NOT NULL AND ${CHALLENGE} = ? AND nonce > ? ORDER BY nonce LIMIT ?`
    return this.#database
      .prepare(sql)
      .all(challenge, after, most)
      .map((row) => ({
        nonce: row['nonce'] as Uint8Array,
        epoch: row['epoch'] as number,
        spend: row['spend'] as Uint8Array,
      }))
  }

  async settle(answers: readonly { readonly nonce: Uint8Array; readonly answer: number }[]): Promise<number> {
    return this.#change(() => {
      const before = this.#owed
      for (const { nonce, answer } of answers) {
        // For later: the issuer has no room, or does not know yet.
        if (answer === ReceiptAnswer.none || answer === ReceiptAnswer.noRoom) continue
        const sql = 'UPDATE payments SET spend = NULL WHERE nonce = ? AND spend IS NOT NULL'
        if (this.#database.prepare(sql).run(nonce).changes === 0) continue
        this.#owed--
        this.#count(answer === ReceiptAnswer.taken ? 'redeemed' : 'refused', 1)
      }
      return before - this.#owed
    })
  }

  async prune(epoch: number): Promise<void> {
    const last = epoch - REDEEMED_EPOCHS
    if (![...this.#seen.keys()].some((one) => one <= last)) return
    await this.#change(() => {
      const sql = 'SELECT count(spend) AS owed FROM payments WHERE epoch <= ?'
      const owed = this.#database.prepare(sql).get(last)?.['owed'] as number
      this.#database.prepare('DELETE FROM payments WHERE epoch <= ?').run(last)
      for (const one of this.#seen.keys()) if (one <= last) this.#seen.delete(one)
      this.#owed -= owed
      if (owed > 0) this.#count('lapsed', owed)
    })
  }

  async #change<T>(apply: () => T): Promise<T> {
    try {
      return await this.#database.change(apply)
    } catch (error) {
      // What was counted for it is not on disk; nor can it be read of books that are closed.
      if (!isWeftError(error, 'E_ABORTED')) this.#counts = this.#read()
      throw error
    }
  }

  /** Counts what is on disk. */
  #read(): Omit<BooksTotals, 'owed'> {
    const counts = { redeemed: 0, refused: 0, lapsed: 0 }
    for (const row of this.#database.prepare('SELECT name, count FROM totals').all())
      counts[row['name'] as Count] = row['count'] as number
    this.#seen.clear()
    this.#owed = 0
    const sql = 'SELECT epoch, count(*) AS seen, count(spend) AS owed FROM payments GROUP BY epoch'
    for (const row of this.#database.prepare(sql).all()) {
      this.#seen.set(row['epoch'] as number, row['seen'] as number)
      this.#owed += row['owed'] as number
    }
    return counts
  }

  #count(name: Count, more: number): void {
    this.#counts = { ...this.#counts, [name]: this.#counts[name] + more }
    this.#database.prepare('INSERT OR REPLACE INTO totals VALUES (?, ?)').run(name, this.#counts[name])
  }
}
