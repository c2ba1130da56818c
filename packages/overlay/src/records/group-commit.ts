import { type FileHandle, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { WeftError, isDiskFull, messageOf } from '@weft/core'
import { StatementCache } from '../state/statement-cache.ts'

/** Changes in one transaction at most: bounds how long the main thread writes in one go (some 10 us each). */
const MAX_BATCH = 256
/** Changes that may wait for their turn; more are refused. */
const MAX_WAITING = 4096

interface Change {
  readonly apply: () => unknown
  readonly settle: PromiseWithResolvers<unknown>
}

/**
 * A SQLite database in WAL mode whose changes share transactions and fdatasync: those that come while one batch is
 * being synced make the next. SQLite runs on the calling thread, so it commits with synchronous=NORMAL (which syncs
 * only around checkpoints) and the write-ahead log is then fdatasynced off the main thread; a change is acknowledged
 * after that, which is what synchronous=FULL gives, without blocking for the disk (sqlite.org/wal.html, section 2.2).
 */
export class GroupCommitDatabase implements AsyncDisposable {
  readonly db: DatabaseSync
  readonly #statements: StatementCache
  readonly #log: FileHandle
  readonly #damaged: string
  readonly #waiting: Change[] = []
  /** Rows that the batches so far have written; all of those are on disk. */
  #synced: number
  #running: Promise<void> | undefined
  #failure: WeftError | undefined
  #closed = false

  /**
   * Opens or makes the database; `schema` is run each time.
   * @param damaged what a person does about a damaged file, as part of a fix: only the opener knows what its loss costs
   * @throws WeftError E_DATABASE, E_DISK_FULL
   */
  static async open(path: string, schema: string, damaged: string): Promise<GroupCommitDatabase> {
    let db: DatabaseSync | undefined
    try {
      db = new DatabaseSync(path)
      db.exec(
        'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 16777216; PRAGMA user_version;',
      )
      // Opening the log needs it to exist: the first statement that writes makes it.
      db.exec(
        `BEGIN IMMEDIATE; CREATE TABLE IF NOT EXISTS opened (at INTEGER); ${schema} DELETE FROM opened; INSERT INTO opened VALUES (0); COMMIT;`,
      )
      const log = await open(`${path}-wal`, 'r+')
      await log.datasync()
      const directory = await open(dirname(path), 'r')
      await directory.sync()
      await directory.close()
      return new GroupCommitDatabase(db, log, damaged)
    } catch (error) {
      db?.close()
      throw databaseError(path, damaged, error)
    }
  }

  private constructor(db: DatabaseSync, log: FileHandle, damaged: string) {
    this.db = db
    this.#statements = new StatementCache(db)
    this.#log = log
    this.#damaged = damaged
    this.#synced = this.#written()
  }

  /** A statement, prepared the first time; not for `iterate`. @throws the error of SQLite */
  prepare(sql: string): StatementSync {
    return this.#statements.prepare(sql)
  }

  /**
   * Runs `apply` in a transaction with others and resolves with its result once that is on disk, which costs a flush
   * only if one of them wrote. `apply` throws before it writes, or not at all: what it throws reaches its caller alone.
   * @throws WeftError E_DISK_FULL, E_DATABASE, E_BUSY (too many wait)
   */
  async change<T>(apply: () => T): Promise<T> {
    if (this.#failure !== undefined) throw this.#failure
    if (this.#closed) throw closed()
    if (this.#waiting.length >= MAX_WAITING) {
      throw new WeftError({
        code: 'E_BUSY',
        cause: `${MAX_WAITING} changes wait for the disk already.`,
        fix: 'Try again in a moment; if it stays so, the disk is too slow for the load.',
        retryable: true,
      })
    }
    const settle = Promise.withResolvers<unknown>()
    this.#waiting.push({ apply, settle })
    this.#running ??= this.#run()
    return (await settle.promise) as T
  }

  /** Syncs what waits, then closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    await this.#running
    await this.#log.close()
    this.db.close()
  }

  async #run(): Promise<void> {
    // What else arrives in this turn joins the first batch.
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, MAX_BATCH)
      try {
        const results = this.#commit(batch)
        const written = this.#written()
        // Every batch before this one is on disk already: one that wrote nothing has nothing to wait for.
        if (written !== this.#synced) await this.#sync()
        this.#synced = written
        for (const [at, { settle }] of batch.entries()) {
          const result = results[at] as { value: unknown } | { error: unknown }
          if ('error' in result) settle.reject(result.error)
          else settle.resolve(result.value)
        }
      } catch (error) {
        for (const { settle } of batch) settle.reject(error)
      }
    }
    this.#running = undefined
  }

  /** Rows written since the database was opened. */
  #written(): number {
    return this.#statements.prepare('SELECT total_changes() AS rows').get()?.['rows'] as number
  }

  #commit(batch: readonly Change[]): ({ value: unknown } | { error: unknown })[] {
    if (this.#failure !== undefined) throw this.#failure
    try {
      this.prepare('BEGIN IMMEDIATE').run()
      const results = batch.map(({ apply }) => {
        try {
          return { value: apply() }
        } catch (error) {
          // An error of SQLite may have undone part of the transaction: all of it has to go.
          if (!(error instanceof WeftError)) throw error
          return { error }
        }
      })
      this.prepare('COMMIT').run()
      return results
    } catch (error) {
      if (this.db.isTransaction) this.db.exec('ROLLBACK')
      throw databaseError(this.db.location() ?? '', this.#damaged, error)
    }
  }

  async #sync(): Promise<void> {
    try {
      await this.#log.datasync()
    } catch (error) {
      // After a failed sync the kernel may have dropped the pages: nothing written since can be trusted to be there.
      this.#failure = databaseError(this.db.location() ?? '', this.#damaged, error)
      throw this.#failure
    }
  }
}

function databaseError(path: string, damaged: string, error: unknown): WeftError {
  if (error instanceof WeftError) return error
  if (isDiskFull(error)) {
    return new WeftError({
      code: 'E_DISK_FULL',
      cause: `The disk that holds ${path} is full.`,
      fix: 'Free space on it, or move the state directory to a larger disk (WEFT_HOME).',
      retryable: true,
    })
  }
  return new WeftError({
    code: 'E_DATABASE',
    cause: `The database ${path} cannot be used: ${messageOf(error)}.`,
    fix: `Make its directory writable for the daemon; if the file is damaged, ${damaged}.`,
    origin: error,
  })
}

function closed(): WeftError {
  return new WeftError({
    code: 'E_ABORTED',
    cause: 'The node is stopping.',
    fix: 'Start it again with `weft start`.',
    retryable: true,
  })
}
