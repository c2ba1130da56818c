import type { FileHandle } from 'node:fs/promises'
import { WeftError, concatBytes } from '@weft/core'
import { type BlobFiles, fileMark } from './blob-files.ts'
import type { BlobPlace } from './blob-index.ts'
import type { DescribeBlob } from './blob-header.ts'
import { BlockChecksums } from './block-checksums.ts'
import type { SegmentLogs } from './segment-log.ts'
import { diskError } from './blob-error.ts'

/** Shards below this go into a segment log, where many share one flush; above, each has a file. Bytes. */
export const LARGE_BLOB = 256 * 1024
/** Bytes gathered for one write call; another as much may be on its way to the disk. */
const WRITE_BATCH = 512 * 1024

export interface WrittenBlob {
  readonly place: BlobPlace
  readonly checksums: Uint8Array
}

/** Takes the bytes of one shard in pieces and puts them on disk. After `finish` or `discard` it is of no more use. */
export interface BlobSink {
  /** Keeps `chunk`, without a copy, until it is written; waits while too much is on its way. @throws WeftError E_DISK_FULL, E_DISK */
  write(chunk: Uint8Array): Promise<void>
  /** Flushes; the bytes are durable when this resolves. @throws WeftError E_DISK_FULL, E_DISK */
  finish(): Promise<WrittenBlob>
  /** Leaves nothing behind. */
  discard(): Promise<void>
}

/** Gathers a small shard in memory and appends it to a log. */
export class SmallBlobSink implements BlobSink {
  readonly #logs: SegmentLogs
  readonly #describe: DescribeBlob
  readonly #chunks: Uint8Array[] = []

  constructor(logs: SegmentLogs, describe: DescribeBlob) {
    this.#logs = logs
    this.#describe = describe
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#chunks.push(chunk)
  }

  async finish(): Promise<WrittenBlob> {
    const bytes = concatBytes(this.#chunks)
    const sums = new BlockChecksums(bytes.length)
    sums.update(bytes)
    const checksums = sums.bytes()
    try {
      return { place: await this.#logs.append((mark) => this.#describe(mark, checksums), bytes), checksums }
    } catch (error) {
      throw diskError(error, 'writing a shard')
    }
  }

  async discard(): Promise<void> {
    this.#chunks.length = 0
  }
}

/** Streams a large shard into a file of its own. */
export class LargeBlobSink implements BlobSink {
  readonly #files: BlobFiles
  readonly #id: number
  readonly #file: Promise<FileHandle>
  readonly #sums: BlockChecksums
  readonly #describe: DescribeBlob
  #batch: Uint8Array[] = []
  #batched = 0
  #written = 0
  #writing: Promise<void> = Promise.resolve()

  constructor(files: BlobFiles, length: number, describe: DescribeBlob) {
    this.#files = files
    this.#describe = describe
    this.#id = files.nextId()
    this.#file = files.create(this.#id)
    // Whoever writes or finishes sees the failure.
    this.#file.catch(() => {})
    this.#sums = new BlockChecksums(length)
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#sums.update(chunk)
    this.#batch.push(chunk)
    this.#batched += chunk.length
    if (this.#batched >= WRITE_BATCH) await this.#flushBatch()
  }

  async finish(): Promise<WrittenBlob> {
    try {
      const checksums = this.#sums.bytes()
      const header = this.#describe(fileMark(this.#id), checksums)
      this.#batch.push(header)
      this.#batched += header.length
      await this.#flushBatch()
      await this.#writing
      const file = await this.#file
      await file.datasync()
      await file.close()
      await this.#files.publish(this.#id)
      return { place: { file: this.#id }, checksums }
    } catch (error) {
      await this.discard()
      throw diskError(error, 'writing a shard')
    }
  }

  async discard(): Promise<void> {
    await this.#writing.catch(() => {})
    const file = await this.#file.catch(() => undefined)
    await file?.close().catch(() => {})
    await this.#files.discard(this.#id)
    await this.#files.remove(this.#id)
  }

  /** Hands the batch to the disk when the one before is through. */
  async #flushBatch(): Promise<void> {
    const batch = this.#batch
    const bytes = this.#batched
    this.#batch = []
    this.#batched = 0
    try {
      await this.#writing
    } catch (error) {
      throw diskError(error, 'writing a shard')
    }
    if (bytes === 0) return
    this.#writing = this.#writeOut(batch, bytes)
    this.#writing.catch(() => {})
  }

  async #writeOut(batch: readonly Uint8Array[], bytes: number): Promise<void> {
    const file = await this.#file
    const { bytesWritten } = await file.writev(batch, this.#written)
    if (bytesWritten < bytes) {
      // A short write is how a disk that fills up begins; the rest tells what is wrong.
      const rest = concatBytes(batch).subarray(bytesWritten)
      const second = await file.write(rest, 0, rest.length, this.#written + bytesWritten)
      if (second.bytesWritten < rest.length) throw shortWrite()
    }
    this.#written += bytes
  }
}

function shortWrite(): WeftError {
  return new WeftError({
    code: 'E_DISK_FULL',
    cause: 'The disk took only a part of the shard.',
    fix: "Free space on the holder's disk; meanwhile other holders take it.",
    retryable: true,
  })
}
