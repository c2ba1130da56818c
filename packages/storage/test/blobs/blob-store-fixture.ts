import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Clock, Scope, silentLogger, systemClock } from '@weft/core'
import { BlobStore } from '../../src/blobs/blob-store.ts'
import type { BlobStoreOptions } from '../../src/blobs/open-parts.ts'

export const MiB = 1024 * 1024
export const PEER = 'did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK'

/** A store on a directory of its own. */
export interface StoreFixture extends AsyncDisposable {
  readonly directory: string
  readonly store: BlobStore
  /** Closes it and opens it again. */
  restart(between?: () => void): Promise<void>
}

export async function storeFixture(options: Partial<BlobStoreOptions> & { clock?: Clock } = {}): Promise<StoreFixture> {
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'weft-store-'))
  let scope: Scope
  const open = (): Promise<BlobStore> => {
    scope = new Scope({ name: 'test' })
    return BlobStore.open({
      quotaBytes: 1024 * MiB,
      reserveBytes: 0,
      isMember: () => true,
      clock: systemClock,
      logger: silentLogger,
      ...options,
      directory,
      scope,
    })
  }
  let store = await open()
  return {
    directory,
    get store() {
      return store
    },
    async restart(between) {
      await scope.close()
      between?.()
      store = await open()
    },
    async [Symbol.asyncDispose]() {
      await scope.close()
      if (options.directory === undefined) rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** Puts a shard; provisional. */
export async function putShard(
  { store }: StoreFixture,
  object: Uint8Array,
  segment: number,
  bytes: Uint8Array,
  peer = PEER,
): Promise<void> {
  const put = await store.begin({ object, segment, index: 0 }, bytes.length, peer)
  await put.write(bytes)
  await put.finish()
}
