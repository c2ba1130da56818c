import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Clock, Scope, silentLogger, systemRandom } from '@weft/core'
import { SigningKey } from '@weft/crypto'
import type { OwnBuckets } from '../../src/buckets/named-objects.ts'
import { openBuckets } from '../../src/buckets/open-buckets.ts'
import { ownObjects } from '../../src/buckets/own-objects.ts'
import type { CodingPool } from '../../src/object/coding-pool.ts'
import { MemoryNetwork } from '../support/memory-network.ts'
import { testStorage } from '../support/test-storage.ts'

/** Buckets of one person over real storage, which may be closed and opened again. */
interface OpenBuckets extends AsyncDisposable {
  readonly buckets: OwnBuckets
  readonly storage: ReturnType<typeof testStorage>
}

export interface BucketWorld {
  readonly network: MemoryNetwork
  readonly directory: string
  readonly personKey: SigningKey
  /** @param at another state directory within that of the world: another machine */
  readonly open: (beforeWrite?: () => void, at?: string) => Promise<OpenBuckets>
}

/**
 * A network of nine holders and a state directory that outlives each opening.
 * @param network that of another world, where this one is of another person in it
 */
export function bucketWorld(
  t: { after(task: () => void): void },
  clock: Clock,
  coding: CodingPool,
  network = new MemoryNetwork(9),
): BucketWorld {
  const root = mkdtempSync(join(tmpdir(), 'weft-buckets-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  const personKey = SigningKey.generate()
  const open = async (beforeWrite?: () => void, at = 'first'): Promise<OpenBuckets> => {
    const directory = join(root, at)
    const storage = testStorage(network.overlay(), { coding, clock, directory, personKey })
    const scope = new Scope({ name: 'test', logger: silentLogger, clock })
    const buckets = await openBuckets({
      storage,
      records: network.records,
      ...ownObjects(storage, storage.index),
      longestTtl: () => 30 * 86_400_000,
      directory,
      personKey,
      clock,
      random: systemRandom,
      logger: silentLogger,
      scope,
      ...(beforeWrite && { beforeWrite }),
    })
    const close = async (): Promise<void> => {
      await scope.close()
      await storage[Symbol.asyncDispose]()
    }
    return { buckets, storage, [Symbol.asyncDispose]: close }
  }
  return { network, directory: join(root, 'first'), personKey, open }
}

export async function* once(bytes: Uint8Array | string): AsyncGenerator<Uint8Array> {
  yield typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes
}

export async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  return Buffer.concat(await Array.fromAsync(body)).toString()
}

/** Lets what is under way in the background come to its end: streams in memory take turns of the loop, not time. */
export async function turns(isOver: () => boolean, most = 10_000): Promise<void> {
  for (let turn = 0; turn < most && !isOver(); turn++) await new Promise((resolve) => setImmediate(resolve))
}
