import assert from 'node:assert/strict'
import { closeSync, globSync, mkdtempSync, openSync, rmSync, statSync, truncateSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { VirtualClock, seededRandom, silentLogger } from '@weft/core'
import type { DamagedShard } from '../../src/blobs/blob-store.ts'
import { BlobIndex } from '../../src/blobs/blob-index.ts'
import { Scrubber, type ScrubLimits } from '../../src/blobs/scrubber.ts'
import { rejects, until } from '../holder/holder-fixture.ts'
import { MiB, PEER, putShard, storeFixture } from './blob-store-fixture.ts'

const random = seededRandom(3)
const LENGTH = 1_000
const SHARDS = 200
const LIMITS: ScrubLimits = { bytesPerSecond: LENGTH, share: 1, everyMs: 86_400_000 }

/** Its reads take time as well. */
class SlowDisk extends VirtualClock {
  readMs = 0

  override monotonic(): number {
    return super.monotonic() + this.readMs
  }
}

/** An index of shards of which only the names are looked at. */
async function withIndex(run: (index: BlobIndex, clock: SlowDisk) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'weft-scrub-'))
  try {
    await using index = await BlobIndex.open(directory)
    await Promise.all(
      Array.from({ length: SHARDS }, (_, offset) =>
        index.add({
          name: { object: random.bytes(32), segment: 0, index: 0 },
          length: LENGTH,
          place: { log: 1, offset },
          checksums: new Uint8Array(4),
          committed: true,
          peer: PEER,
          corrupt: false,
        }),
      ),
    )
    await run(index, new SlowDisk(Date.UTC(2026, 0, 1)))
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

describe('the scrubber', () => {
  it('reads no more in a second than it may, and all in the end', async () => {
    await withIndex(async (index, clock) => {
      const scrubber = new Scrubber({ index, check: async () => true, clock, logger: silentLogger, limits: LIMITS })
      const stop = new AbortController()
      const running = scrubber.run(stop.signal)
      const begin = clock.now()
      await until(async () => {
        await clock.advance(1_000)
        assert.ok(scrubber.bytes <= LENGTH * (1 + (clock.now() - begin) / 1_000))
        return scrubber.bytes === SHARDS * LENGTH
      }, 'all shards were read')
      await until(async () => {
        await clock.advance(1_000)
        return index.scrubRound()?.finishedAt !== undefined
      }, 'the round was noted')
      // The next one begins a day after the begin of this one, and no sooner.
      await clock.advance(begin + LIMITS.everyMs - 1 - clock.now())
      assert.equal(scrubber.bytes, SHARDS * LENGTH)
      await until(async () => {
        await clock.advance(1)
        return scrubber.bytes > SHARDS * LENGTH
      }, 'the next round began')
      stop.abort()
      await assert.rejects(running)
    })
  })

  it('gives a busy disk ten times as long as a read took', async () => {
    await withIndex(async (index, clock) => {
      let reads = 0
      const check = async (): Promise<boolean> => {
        reads++
        clock.readMs += 3_000
        return true
      }
      const limits = { ...LIMITS, bytesPerSecond: 1e9, share: 1 / 10 }
      const stop = new AbortController()
      const running = new Scrubber({ index, check, clock, logger: silentLogger, limits }).run(stop.signal)
      await until(() => clock.nextDue !== undefined, 'it rests')
      assert.equal(reads, 1)
      assert.equal(Math.round(clock.nextDue! - clock.now()), 27_000)
      stop.abort()
      await assert.rejects(running)
    })
  })

  it('goes on where it was before a restart', async () => {
    await withIndex(async (index, clock) => {
      const seen: string[] = []
      const scrub = async (most: number): Promise<void> => {
        const stop = new AbortController()
        const check = async ({ name }: { name: { object: Uint8Array } }): Promise<boolean> => {
          seen.push(name.object.toHex())
          return true
        }
        const running = new Scrubber({ index, check, clock, logger: silentLogger, limits: LIMITS }).run(stop.signal)
        await until(async () => {
          await clock.advance(1_000)
          return seen.length >= most || index.scrubRound()?.finishedAt !== undefined
        }, 'it came so far')
        stop.abort()
        await assert.rejects(running)
      }
      await scrub(SHARDS / 2)
      assert.equal(index.scrubRound()?.finishedAt, undefined)
      const before = seen.length
      await scrub(SHARDS * 2)
      assert.equal(new Set(seen).size, SHARDS)
      // It is noted once a minute where it is: a minute's shards are read again at most.
      assert.ok(seen.length <= SHARDS + 61, `${seen.length} reads`)
      assert.ok(before >= SHARDS / 2)
    })
  })

  it('finds what is corrupt, short and missing; serves none of it; and gives its room to what is put', async () => {
    const clock = new VirtualClock(Date.now())
    const everyMs = 86_400_000
    await using fixture = await storeFixture({
      clock,
      quotaBytes: 4 * MiB,
      scrub: { bytesPerSecond: 1e9, share: 1, everyMs },
    })
    const object = random.bytes(32)
    const large = random.bytes(MiB)
    for (const segment of [0, 1, 2]) await putShard(fixture, object, segment, large)
    await putShard(fixture, object, 3, large.subarray(0, 9_000))
    await putShard(fixture, object, 4, large.subarray(0, 9_000))
    await fixture.store.commit(object, PEER, Date.now() + 1e9)
    await until(() => fixture.store.health.scrubbedAt !== undefined, 'the round at the start is over')
    const paths = globSync(join(fixture.directory, 'large/*/*')).filter((path) => statSync(path).isFile())
    assert.equal(paths.length, 3)
    flip(paths[0]!, 700_000)
    truncateSync(paths[1]!, 500_000)
    rmSync(paths[2]!)
    flip(globSync(join(fixture.directory, 'logs/*.log'))[0]!, 5_000)
    const found: DamagedShard[] = []
    fixture.store.on('damaged', (shard) => found.push(shard))
    clock.advance(everyMs).catch(() => {})
    await until(() => found.length === 4, 'it found all')
    assert.deepEqual(
      found.map(({ name }) => name.segment).toSorted((a, b) => a - b),
      [0, 1, 2, 3],
    )
    assert.ok(found.every(({ peer, committed }) => peer === PEER && committed))
    assert.equal(fixture.store.health.damaged, 4)
    const listed = fixture.store.damaged(undefined, 3)
    assert.equal(listed.length, 3)
    assert.deepEqual(
      fixture.store.damaged(listed.at(-1)!.name, 3).map(({ name }) => name.segment),
      [3],
    )
    for (const segment of [0, 1, 2, 3]) {
      assert.throws(() => fixture.store.read({ object, segment, index: 0 }), { code: 'E_SHARD_CORRUPT' })
    }
    // The quota has no room for this one beside them.
    const other = random.bytes(32)
    await putShard(fixture, other, 0, random.bytes(2 * MiB))
    assert.deepEqual([fixture.store.health.damaged, fixture.store.held.shards], [0, 2])
    assert.throws(() => fixture.store.read({ object, segment: 0, index: 0 }), { code: 'E_SHARD_NOT_FOUND' })
    await rejects(fixture.store.begin({ object, segment: 0, index: 0 }, 3 * MiB, PEER), 'E_QUOTA')
  })

  it('says of a file that is gone at the start that its shard is damaged', async () => {
    await using fixture = await storeFixture()
    const object = random.bytes(32)
    await putShard(fixture, object, 0, random.bytes(MiB))
    await fixture.store.commit(object, PEER, Date.now() + 1e9)
    await fixture.restart(() => {
      for (const path of globSync(join(fixture.directory, 'large/*/*'))) rmSync(path)
    })
    assert.deepEqual(
      fixture.store.damaged(undefined, 9).map(({ name }) => name.object.toHex()),
      [object.toHex()],
    )
    // It may be put anew.
    await putShard(fixture, object, 0, random.bytes(MiB))
    assert.equal(fixture.store.health.damaged, 0)
  })
})

function flip(path: string, at: number): void {
  const file = openSync(path, 'r+')
  writeSync(file, Uint8Array.of(0xa5, 0x5a, 0xa5), 0, 3, at)
  closeSync(file)
}
