import { existsSync, statSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isWeftError } from '@weft/core'
import { listBlobFiles } from './blob-files.ts'
import { BlobIndex, INDEX_FILE } from './blob-index.ts'
import { type RebuildOptions, rebuildIndex } from './rebuild-index.ts'
import type { PeerHeld } from './blob-space.ts'
import type { TombstoneLimits } from './tombstones.ts'

/** What SQLite says of a file that is no database, or a damaged one. */
const SQLITE_CORRUPT = 11
const SQLITE_NOTADB = 26

export interface OpenedIndex {
  readonly index: BlobIndex
  /** Ids of the files that it knows. */
  readonly files: ReadonlySet<number>
  /** Per log: where its last shard ends, and how many bytes are in use. */
  readonly logs: ReadonlyMap<number, { end: number; live: number }>
  /** What each peer has here. */
  readonly held: readonly PeerHeld[]
}

/**
 * Opens the index of a store, and makes it anew from the bytes beside it where it is lost or damaged.
 * @throws WeftError E_DATABASE, E_DISK_FULL
 */
export async function openIndex(options: RebuildOptions, limits: TombstoneLimits | undefined): Promise<OpenedIndex> {
  const { directory } = options
  if (isLost(join(directory, INDEX_FILE)) && (await hasBytes(directory))) await rebuildIndex(options)
  try {
    return await readWhole(directory, limits)
  } catch (error) {
    if (!isDamage(error)) throw error
    await rebuildIndex(options)
    return readWhole(directory, limits)
  }
}

/** All that is asked of the index at start reads every row: damage shows here. */
async function readWhole(directory: string, limits: TombstoneLimits | undefined): Promise<OpenedIndex> {
  const index = await BlobIndex.open(directory, limits)
  try {
    return { index, files: new Set(index.files()), logs: index.logs(), held: index.held() }
  } catch (error) {
    await index[Symbol.asyncDispose]()
    throw error
  }
}

/** SQLite takes an empty file for a new database. */
function isLost(path: string): boolean {
  return (statSync(path, { throwIfNoEntry: false })?.size ?? 0) === 0
}

async function hasBytes(directory: string): Promise<boolean> {
  if ((await readdir(join(directory, 'logs')).catch(() => [])).length > 0) return true
  for await (const _ of listBlobFiles(join(directory, 'large'))) return true
  return existsSync(join(directory, 'notes.log'))
}

function isDamage(error: unknown): boolean {
  const origin = isWeftError(error) ? error.origin : error
  const code = (origin as { errcode?: unknown } | undefined)?.errcode
  // Extended codes have the kind in their low byte.
  return typeof code === 'number' && [SQLITE_CORRUPT, SQLITE_NOTADB].includes(code & 0xff)
}
