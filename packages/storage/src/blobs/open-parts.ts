import { join } from 'node:path'
import { type Clock, type Logger, type Scope, ensureDirectory } from '@weft/core'
import { BlobFiles } from './blob-files.ts'
import type { BlobIndex } from './blob-index.ts'
import { BlobNotes } from './blob-notes.ts'
import type { PeerHeld, SpaceLimits } from './blob-space.ts'
import { DiskReserve } from './disk-reserve.ts'
import { openIndex } from './open-index.ts'
import type { ScrubLimits } from './scrubber.ts'
import { SegmentLogs } from './segment-log.ts'
import { Sequence } from './sequence.ts'
import type { TombstoneLimits } from './tombstones.ts'

export interface BlobStoreOptions extends SpaceLimits {
  readonly directory: string
  readonly clock: Clock
  readonly logger: Logger
  readonly scope: Scope
  /** How many removed objects it remembers. */
  readonly tombstones?: TombstoneLimits
  /**
   * ms since the epoch that others vouch for, which may be late; undefined while nobody does. Nothing expires that is not over
   * by this as well as by the clock. Left out: the clock is believed.
   */
  readonly networkTime?: () => number | undefined
  readonly scrub?: ScrubLimits
}

/** What lies in the directory of a store, in agreement with each other. */
export interface BlobStoreParts {
  readonly index: BlobIndex
  readonly files: BlobFiles
  readonly logs: SegmentLogs
  readonly sequence: Sequence
  readonly notes: BlobNotes
  readonly reserve: DiskReserve
  /** What each peer has here. */
  readonly held: readonly PeerHeld[]
}

/** @throws WeftError E_DISK, E_DISK_FULL, E_DATABASE, and errors of the file system */
export async function openParts(options: BlobStoreOptions): Promise<BlobStoreParts> {
  const { directory, scope, logger } = options
  ensureDirectory(directory)
  const reserve = scope.use('disk reserve', await DiskReserve.open(directory))
  const opened = await openIndex(options, options.tombstones)
  const { held } = opened
  const index = scope.use('shard index', opened.index)
  const files = scope.use('shard files', await BlobFiles.open(join(directory, 'large')))
  const lost = await files.reconcile(opened.files)
  const newlyLost = lost.length === 0 ? 0 : await index.markLost(lost)
  if (newlyLost > 0) logger.error('shards are gone from the disk', { shards: newlyLost })
  const logs = scope.use('shard logs', await SegmentLogs.open(join(directory, 'logs'), opened.logs))
  const sequence = new Sequence(index.opens)
  const notes = scope.use('shard notes', await BlobNotes.open(directory, sequence, () => index.notes()))
  return { index, files, logs, sequence, notes, reserve, held }
}
