import { type FileHandle, open, readdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { ensureDirectory } from '@weft/core'
import { CoalescedSync } from './coalesced-sync.ts'

/** A log that has grown to this is closed to new shards, bytes. */
const MAX_LOG = 64 * 1024 * 1024

interface Log {
  readonly id: number
  readonly handle: FileHandle
  readonly sync: CoalescedSync
  /** Where the next shard goes. */
  end: number
  /** Bytes of shards that are still in use. */
  live: number
  /** Appends under way; the log is not removed under them. */
  writing: number
}

/**
 * Append-only logs for small shards: many share one flush. A log has no structure of its own; the index says what is
 * where, and what lies behind the last entry of the index never counted.
 */
export class SegmentLogs implements AsyncDisposable {
  readonly #directory: string
  readonly #logs: Map<number, Log>
  #active: Promise<Log> | undefined
  #nextId: number

  /** @param known what the index says of each log: where its last shard ends, and the bytes in use. */
  static async open(
    directory: string,
    known: ReadonlyMap<number, { end: number; live: number }>,
  ): Promise<SegmentLogs> {
    ensureDirectory(directory)
    const logs = new Map<number, Log>()
    let nextId = 1
    for (const name of await readdir(directory)) {
      const id = Number(name.replace(/\.log$/, ''))
      nextId = Math.max(nextId, Number.isSafeInteger(id) ? id + 1 : 1)
      const entry = known.get(id)
      if (entry === undefined) {
        await unlink(join(directory, name))
        continue
      }
      const handle = await open(join(directory, name), 'r+')
      // A torn tail was never acknowledged.
      if ((await handle.stat()).size > entry.end) await handle.truncate(entry.end)
      logs.set(id, logOf(id, handle, entry.end, entry.live))
    }
    for (const id of known.keys()) nextId = Math.max(nextId, id + 1)
    return new SegmentLogs(directory, logs, nextId)
  }

  private constructor(directory: string, logs: Map<number, Log>, nextId: number) {
    this.#directory = directory
    this.#logs = logs
    this.#nextId = nextId
  }

  /** Writes and flushes. The bytes count as in use until {@link forget}. */
  async append(bytes: Uint8Array): Promise<{ log: number; offset: number }> {
    const log = await this.#writable()
    const offset = log.end
    log.end += bytes.length
    log.live += bytes.length
    log.writing++
    try {
      let at = 0
      while (at < bytes.length) {
        at += (await log.handle.write(bytes, at, bytes.length - at, offset + at)).bytesWritten
      }
      await log.sync.sync()
      return { log: log.id, offset }
    } catch (error) {
      log.live -= bytes.length
      throw error
    } finally {
      log.writing--
    }
  }

  /** The file of a log, for reading; undefined when it is gone. */
  handle(log: number): FileHandle | undefined {
    return this.#logs.get(log)?.handle
  }

  /** Overwrites what a shard had with zeros, and flushes: its log may stay for long. */
  async erase(log: number, offset: number, length: number): Promise<void> {
    const entry = this.#logs.get(log)
    if (entry === undefined) return
    const zeros = new Uint8Array(length)
    entry.writing++
    try {
      let at = 0
      while (at < length) at += (await entry.handle.write(zeros, at, length - at, offset + at)).bytesWritten
      await entry.sync.sync()
    } finally {
      entry.writing--
    }
  }

  /** Takes note that a shard is no longer in use; removes the log with its last one. */
  async forget(log: number, bytes: number): Promise<void> {
    const entry = this.#logs.get(log)
    if (entry === undefined) return
    entry.live -= bytes
    if (entry.live > 0 || entry.writing > 0 || (await this.#active) === entry) return
    this.#logs.delete(log)
    await unlink(this.#path(log))
    await entry.handle.close()
  }

  /** Logs, other than the one that grows, of which less than half is in use: their shards are worth moving. */
  async sparse(): Promise<number[]> {
    const active = await this.#active
    return [...this.#logs.values()].filter((log) => log !== active && log.live * 2 < log.end).map(({ id }) => id)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#logs.values()].map(({ handle }) => handle.close()))
  }

  async #writable(): Promise<Log> {
    for (;;) {
      const active = await (this.#active ??= this.#create())
      if (active.end < MAX_LOG) return active
      this.#active = undefined
    }
  }

  async #create(): Promise<Log> {
    const id = this.#nextId++
    try {
      const handle = await open(this.#path(id), 'wx+', 0o600)
      const directory = await open(this.#directory, 'r')
      await directory.sync()
      await directory.close()
      const log = logOf(id, handle, 0, 0)
      this.#logs.set(id, log)
      return log
    } catch (error) {
      this.#active = undefined
      throw error
    }
  }

  #path(id: number): string {
    return join(this.#directory, `${id}.log`)
  }
}

function logOf(id: number, handle: FileHandle, end: number, live: number): Log {
  return { id, handle, sync: new CoalescedSync(() => handle.datasync()), end, live, writing: 0 }
}
