import { randomBytes } from 'node:crypto'
import { type FileHandle, open, readdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { concatBytes, ensureDirectory, equalBytes, utf8 } from '@weft/core'
import { type BlobHeader, MARK_LENGTH, decodeBlobHeader } from './blob-header.ts'
import { CoalescedSync } from './coalesced-sync.ts'

/** A log that has grown to this is closed to new shards, bytes. */
const MAX_LOG = 64 * 1024 * 1024
const MAGIC = utf8('weftlog1')
/** Magic and mark. */
export const LOG_HEAD = MAGIC.length + MARK_LENGTH

interface Log {
  readonly id: number
  readonly handle: FileHandle
  /** Begins each header; undefined for a log without headers, of an earlier version. */
  readonly mark: Uint8Array | undefined
  readonly sync: CoalescedSync
  /** Where the next shard goes. */
  end: number
  /** Bytes of shards that are still in use, with their headers. */
  live: number
  /** Appends under way; the log is not removed under them. */
  writing: number
}

/**
 * Append-only logs for small shards: many share one flush. The index says what is where, and what lies behind the last
 * entry of the index never counted; the header in front of each shard is for a store that has lost its index.
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
      logs.set(id, logOf(id, handle, entry.end, entry.live, await markOf(handle)))
    }
    for (const id of known.keys()) nextId = Math.max(nextId, id + 1)
    return new SegmentLogs(directory, logs, nextId)
  }

  private constructor(directory: string, logs: Map<number, Log>, nextId: number) {
    this.#directory = directory
    this.#logs = logs
    this.#nextId = nextId
  }

  /** Writes a shard behind its header and flushes. Both count as in use until {@link forget}; `offset` is that of the shard. */
  async append(
    headerFor: (mark: Uint8Array) => Uint8Array,
    shard: Uint8Array,
  ): Promise<{ log: number; offset: number }> {
    const log = await this.#writable()
    const header = headerFor(log.mark ?? new Uint8Array(MARK_LENGTH))
    const bytes = concatBytes([header, shard])
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
      return { log: log.id, offset: offset + header.length }
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

  /** The header of `size` bytes in front of a shard; undefined when there is none that is whole. */
  async header(log: number, offset: number, size: number): Promise<BlobHeader | undefined> {
    const entry = this.#logs.get(log)
    if (entry?.mark === undefined || offset < size) return undefined
    const bytes = new Uint8Array(size)
    await entry.handle.read(bytes, 0, size, offset - size)
    return decodeBlobHeader(bytes, 0, entry.mark)
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
    let handle: FileHandle | undefined
    try {
      handle = await open(this.#path(id), 'wx+', 0o600)
      const mark = randomBytes(MARK_LENGTH)
      await handle.writeFile(concatBytes([MAGIC, mark]))
      const directory = await open(this.#directory, 'r')
      await directory.sync()
      await directory.close()
      const log = logOf(id, handle, LOG_HEAD, 0, mark)
      this.#logs.set(id, log)
      return log
    } catch (error) {
      this.#active = undefined
      await handle?.close()
      // The next start removes it otherwise.
      if (handle !== undefined) await unlink(this.#path(id)).catch(() => {})
      throw error
    }
  }

  #path(id: number): string {
    return join(this.#directory, `${id}.log`)
  }
}

/** What begins the headers of a log; undefined for one without headers. */
export async function markOf(handle: FileHandle): Promise<Uint8Array | undefined> {
  const head = new Uint8Array(LOG_HEAD)
  const { bytesRead } = await handle.read(head, 0, LOG_HEAD, 0)
  if (bytesRead < LOG_HEAD || !equalBytes(head.subarray(0, MAGIC.length), MAGIC)) return undefined
  return head.slice(MAGIC.length)
}

function logOf(id: number, handle: FileHandle, end: number, live: number, mark: Uint8Array | undefined): Log {
  return { id, handle, mark, sync: new CoalescedSync(() => handle.datasync()), end, live, writing: 0 }
}
