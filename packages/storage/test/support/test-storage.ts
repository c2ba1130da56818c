import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Clock, silentLogger, systemClock, systemRandom } from '@weft/core'
import { SigningKey } from '@weft/crypto'
import type { Overlay } from '@weft/overlay'
import { NO_AUDITS } from '../../src/audit/audits.ts'
import { BufferPool } from '../../src/object/buffer-pool.ts'
import { CodingPool } from '../../src/object/coding-pool.ts'
import { MemoryBudget } from '../../src/object/memory-budget.ts'
import { ObjectIndex } from '../../src/object/object-index.ts'
import { ObjectRecords } from '../../src/object/object-records.ts'
import { ObjectStorage } from '../../src/object/object-storage.ts'
import type { OpenPrivate } from '../../src/storage.ts'

/** Threads for coding. Their start is most of what a short test costs, so the storages of a file may share them. */
export function testCoding(): CodingPool {
  return new CodingPool({ threads: 2, clock: systemClock })
}

export interface TestStorageOptions {
  /** Stays open when the storage closes; without it the storage has threads of its own. */
  readonly coding?: CodingPool
  readonly clock?: Clock
  readonly openPrivate?: OpenPrivate
  /** Of its list; stays. A temporary one goes with the storage. */
  readonly directory?: string
  readonly personKey?: SigningKey
}

/** The object side of storage on the given overlay, with its index in a temporary directory. */
export function testStorage(
  overlay: Overlay,
  options: TestStorageOptions = {},
): ObjectStorage & { readonly index: ObjectIndex } {
  const { clock = systemClock } = options
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'weft-objects-'))
  const coding = options.coding ?? testCoding()
  const index = new ObjectIndex(directory, options.personKey ?? SigningKey.generate(), systemRandom)
  const controller = new AbortController()
  const context = {
    overlay,
    self: overlay.self,
    openMs: 5_000,
    isPrivate: false,
    streams: overlay.streams,
    records: new ObjectRecords(overlay.records, clock),
    coding,
    memory: new MemoryBudget(96 * 1024 * 1024),
    plaintexts: new BufferPool(32 * 1024 * 1024, clock),
    shards: new BufferPool(96 * 1024 * 1024, clock),
    clock,
    random: systemRandom,
    logger: silentLogger,
    signal: controller.signal,
  }
  const storage = new ObjectStorage({
    context,
    index,
    openPrivate: options.openPrivate,
    held: () => ({
      shards: 0,
      bytes: 0,
      quotaBytes: 0,
      damaged: 0,
      scrubbedBytes: 0,
      scrubbedAt: undefined,
      fault: undefined,
      notice: undefined,
    }),
    audits: NO_AUDITS,
    close: async () => {
      controller.abort()
      await storage.settled()
      if (options.coding === undefined) await coding[Symbol.asyncDispose]()
      index[Symbol.dispose]()
      if (options.directory === undefined) rmSync(directory, { recursive: true, force: true })
    },
  })
  return Object.assign(storage, { index })
}

export async function* chunksOf(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

export async function readAll(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  return new Uint8Array(Buffer.concat(await Array.fromAsync(body)))
}
