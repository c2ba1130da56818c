import { type Logger, isWeftError, messageOf } from '@weft/core'
import { corrupt, diskError, notFound } from './blob-error.ts'
import type { BlobFiles } from './blob-files.ts'
import { type DescribeBlob, encodeBlobHeader, headerSize } from './blob-header.ts'
import type { BlobEntry, BlobPlace } from './blob-index.ts'
import { readBlob } from './blob-reader.ts'
import { type BlobSink, LARGE_BLOB, LargeBlobSink, SmallBlobSink } from './blob-writer.ts'
import type { ShardName } from '../holder/shard-name.ts'
import type { SegmentLogs } from './segment-log.ts'
import type { Sequence } from './sequence.ts'

export interface StoredBytesParts {
  readonly files: BlobFiles
  readonly logs: SegmentLogs
  readonly sequence: Sequence
  readonly logger: Logger
  /** Whether the index knows the shard still. */
  readonly isKnown: (name: ShardName) => boolean
}

/** The bytes of shards in files and logs: written, read and let go of by what the index says. */
export class StoredBytes {
  readonly #parts: StoredBytesParts

  constructor(parts: StoredBytesParts) {
    this.#parts = parts
  }

  /** Takes a new shard that `peer` puts. */
  sink(name: ShardName, length: number, peer: string): BlobSink {
    const { logs, files, sequence } = this.#parts
    const describe: DescribeBlob = (mark, checksums) =>
      encodeBlobHeader(mark, { name, length, peer, checksums, sequence: sequence.next() })
    return length < LARGE_BLOB ? new SmallBlobSink(logs, describe) : new LargeBlobSink(files, length, describe)
  }

  /** The bytes in pieces that were checked. @throws WeftError E_SHARD_CORRUPT, E_SHARD_NOT_FOUND when it goes meanwhile, E_DISK */
  async *read(entry: BlobEntry): AsyncGenerator<Uint8Array> {
    const { name, place } = entry
    try {
      if ('log' in place) {
        const file = this.#parts.logs.handle(place.log)
        if (file === undefined) throw corrupt(name)
        yield* readBlob(entry, file, place.offset)
      } else {
        await using file = await this.#open(name, place.file)
        yield* readBlob(entry, file, 0)
      }
    } catch (error) {
      // Overwritten or gone while it was read: removed by its owner.
      if (isWeftError(error, 'E_SHARD_CORRUPT') && !this.#parts.isKnown(name)) throw notFound(name)
      throw error
    }
  }

  /** Copies a shard of a log to the newest one, where it counts as put when it was. @throws WeftError as of {@link read} */
  async copy(entry: BlobEntry, place: { readonly log: number; readonly offset: number }): Promise<BlobPlace> {
    const { name, length, peer } = entry
    const header = await this.#parts.logs.header(place.log, place.offset, headerSize(length, peer))
    // Put by an earlier version, before there were headers.
    const sequence = header?.sequence ?? 0
    const sink = new SmallBlobSink(this.#parts.logs, (mark, checksums) =>
      encodeBlobHeader(mark, { name, length, peer, checksums, sequence }),
    )
    for await (const piece of this.read(entry)) await sink.write(piece)
    return (await sink.finish()).place
  }

  /** Overwrites what a removed shard had in a log; a file goes as a whole. */
  async erase({ place, length }: Pick<BlobEntry, 'place' | 'length'>): Promise<void> {
    if ('file' in place) return
    try {
      await this.#parts.logs.erase(place.log, place.offset, length)
    } catch (error) {
      this.#parts.logger.warn('bytes of a removed shard could not be overwritten', { error: messageOf(error) })
    }
  }

  /** Lets go of the bytes of a shard that the index has forgotten. */
  async remove({ place, length, peer }: Pick<BlobEntry, 'place' | 'length' | 'peer'>): Promise<void> {
    try {
      if ('file' in place) await this.#parts.files.remove(place.file)
      else await this.#parts.logs.forget(place.log, headerSize(length, peer) + length)
    } catch (error) {
      // The index does not know the bytes any more: the next start removes them.
      this.#parts.logger.warn('bytes of a removed shard are still on the disk', { error: messageOf(error) })
    }
  }

  /** Lets go of a shard that the index refused: its header with it, so that it does not come back without the index. */
  async refuse(entry: Pick<BlobEntry, 'place' | 'length' | 'peer'>): Promise<void> {
    const { place, length, peer } = entry
    if ('log' in place) {
      const size = headerSize(length, peer)
      await this.erase({ place: { log: place.log, offset: place.offset - size }, length: size + length })
    }
    await this.remove(entry)
  }

  async #open(name: ShardName, file: number): ReturnType<BlobFiles['open']> {
    try {
      return await this.#parts.files.open(file)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw diskError(error, 'opening a shard')
      throw corrupt(name)
    }
  }
}
