import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock, silentLogger } from '@weft/core'
import { SigningKey, sha256 } from '@weft/crypto'
import { MiB } from '@weft/wire'
import fc from 'fast-check'
import { BufferPool } from '../../src/object/buffer-pool.ts'
import type { HolderLinks } from '../../src/object/holder-links.ts'
import { MemoryBudget } from '../../src/object/memory-budget.ts'
import type { ObjectContext } from '../../src/object/object-context.ts'
import { SEGMENT_SIZE, plaintextLength, segmentLength, shardLengthOf } from '../../src/object/object-layout.ts'
import type { ObjectHead } from '../../src/object/object-records.ts'
import { type FetchedSegment, SegmentPipeline } from '../../src/object/segment-pipeline.ts'

const K = 3
const SEGMENTS = 6
const SEALED = (SEGMENTS - 1) * SEGMENT_SIZE + 1000
const CAPACITY = 84 * MiB
const HOLDERS = Array.from({ length: 9 }, (_, at) => new SigningKey(sha256(Uint8Array.of(at))))

const head: ObjectHead = {
  class: { name: 'tiny', k: K, n: 9 },
  sealed: SEALED,
  size: plaintextLength(SEALED) as number,
  segments: SEGMENTS,
  inline: undefined,
  sealKeys: new Uint8Array(0),
  expiresAt: 0,
  copies: 1,
  quorum: true,
}

interface Step {
  readonly kind: 'arrive' | 'decode'
  readonly segment: number
  readonly done: () => void
}

/** A get whose shards arrive, and whose segments are decoded, when the test says so. */
class SteppedGet {
  readonly waiting: Step[] = []
  readonly memory = new MemoryBudget(CAPACITY)
  readonly stop = new AbortController()
  readonly pipeline: SegmentPipeline
  /** Segments of which shards were asked for. */
  asked = 0
  /** Segments that were decoded, or are. */
  readonly decoded: number[] = []

  constructor() {
    const clock = new VirtualClock(0)
    const step = (kind: Step['kind'], segment: number): Promise<void> => {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.waiting.push({ kind, segment, done: resolve })
      return promise
    }
    const client = {
      get: ({ segment }: { segment: number }, _: Uint8Array, signal: AbortSignal): Promise<void> => {
        this.asked = Math.max(this.asked, segment + 1)
        return Promise.race([
          step('arrive', segment),
          new Promise<void>((_resolve, reject) => {
            signal.addEventListener('abort', () => reject(new Error('aborted')))
          }),
        ])
      },
    }
    const records = {
      readSegment: async (_: Uint8Array, __: ObjectHead, index: number) => {
        const length = segmentLength(SEALED, index)
        const shards = HOLDERS.map(({ id, publicKey }, at) => ({
          index: at,
          node: id,
          nodeKey: publicKey,
          root: publicKey,
        }))
        return { index, length, shardLength: shardLengthOf(length, K), shards, quorum: true }
      },
    }
    const coding = {
      verify: async () => true,
      decode: ({ segment }: { segment: number }) => {
        this.decoded.push(segment)
        return step('decode', segment)
      },
    }
    const context = {
      overlay: { self: '', peer: () => ({ state: 'connected' }), suspects: () => new Set() },
      records,
      coding,
      memory: this.memory,
      plaintexts: new BufferPool(CAPACITY, clock),
      shards: new BufferPool(CAPACITY, clock),
      clock,
      logger: silentLogger,
    } as unknown as ObjectContext
    const links = { failed: () => false, blame: () => {}, client: async () => client } as unknown as HolderLinks
    const bytes = new Uint8Array(32)
    const { signal } = this.stop
    const range = { offset: 0, length: head.size }
    this.pipeline = new SegmentPipeline({ context, links, object: bytes, dataKey: bytes, head, range, signal })
  }

  /** Lets everything that was said have its effect. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
  }

  /** Takes one of the steps that wait; false when there is none. */
  async take(pick: number, kind?: Step['kind']): Promise<boolean> {
    const fitting = this.waiting.filter((step) => kind === undefined || step.kind === kind)
    const step = fitting[pick % Math.max(1, fitting.length)]
    if (step === undefined) return false
    this.waiting.splice(this.waiting.indexOf(step), 1)
    step.done()
    await this.settle()
    return true
  }
}

/** Lets everything happen that waits only for the network and the coding thread. */
async function takeAll(get: SteppedGet): Promise<undefined> {
  do await get.settle()
  while (await get.take(0))
}

test('a segment is begun with the first shard of the one before it, and decoding makes room for the third', async () => {
  const get = new SteppedGet()
  const first = get.pipeline.next()
  await get.settle()
  assert.equal(get.asked, 1)
  await get.take(0)
  assert.equal(get.asked, 2)
  // All shards of both are here, but none is decoded: a third would be more than the budget.
  while (await get.take(0, 'arrive'));
  assert.equal(get.asked, 2)
  await get.take(0, 'decode')
  assert.equal(get.asked, 3)
  get.pipeline.release(await first)
  get.stop.abort()
  await get.take(0, 'decode')
  await get.pipeline.end()
  assert.equal(get.memory.used, 0)
  await assert.rejects(get.pipeline.next(), { code: 'E_ABORTED' })
})

test('a third segment is not decoded before the first was read, and ends with the get', async () => {
  const get = new SteppedGet()
  const next = get.pipeline.next()
  await takeAll(get)
  const first = await next
  // Of the third, only the shards are here.
  await takeAll(get)
  assert.equal(get.asked, 3)
  assert.deepEqual(get.decoded, [0, 1])
  get.pipeline.release(first)
  await get.settle()
  await takeAll(get)
  assert.deepEqual(get.decoded, [0, 1, 2])
  get.stop.abort()
  await get.pipeline.end()
  assert.equal(get.memory.used, 0)
})

test('in whatever order things happen, segments come in order, few ahead, within the budget, and all is given back', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat({ max: 20 }), { minLength: 5, maxLength: 60 }),
      fc.nat({ max: SEGMENTS }),
      async (picks, leaveAfter) => {
        const get = new SteppedGet()
        let at = 0
        const pick = (): number => picks[at++ % picks.length] as number
        for (let index = 0; index < leaveAfter; index++) {
          const got: FetchedSegment[] = []
          const waiting = get.pipeline.next().then((fetched) => got.push(fetched))
          await get.settle()
          while (got.length === 0) {
            assert.ok(get.asked <= index + 3, `segment ${get.asked - 1} was begun while ${index} was read`)
            assert.ok(get.memory.used <= CAPACITY)
            assert.ok(await get.take(pick()), 'nothing is under way')
          }
          await waiting
          const segment = got[0] as FetchedSegment
          assert.ok(get.decoded.length <= index + 2, 'more than one is decoded ahead')
          assert.equal(segment.plaintext.length, plaintextLength(segmentLength(SEALED, index)))
          for (let more = pick() % 4; more > 0; more--) await get.take(pick())
          get.pipeline.release(segment)
        }
        get.stop.abort()
        const ended = get.pipeline.end()
        await get.settle()
        while (await get.take(0));
        await ended
        assert.equal(get.memory.used, 0)
      },
    ),
    { numRuns: 25 },
  )
})
