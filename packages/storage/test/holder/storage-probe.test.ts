import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { VirtualClock, isWeftError } from '@weft/core'
import { sha256 } from '@weft/crypto'
import type { LeftShard } from '../../src/holder/left-shards.ts'
import { holderFixture } from './holder-fixture.ts'
import { Judge } from './judge.ts'

const HOUR = 3_600_000

async function refusal(judge: Judge): Promise<string> {
  try {
    await judge.run()
    return 'none'
  } catch (error) {
    assert.ok(isWeftError(error, 'E_STORAGE_NONCONFORMING'), String(error))
    return error.message
  }
}

describe('what a validator asks of a holder', () => {
  it('finds an honest one right, and leaves one shard with it, over addresses, renewals and restarts', async () => {
    const clock = new VirtualClock(Date.now())
    await using fixture = await holderFixture({ clock })
    using judge = new Judge(fixture, clock)
    const bytes = new Set<number>()
    const look = async (): Promise<void> => {
      await judge.run()
      assert.equal(fixture.holder.held().shards, 1)
      bytes.add(fixture.holder.held().bytes)
    }
    await look()
    await look()
    assert.equal(bytes.size, 1, 'the same shard as long as it is young')
    judge.restart()
    await fixture.restart()
    await look()
    await clock.advance(13 * HOUR)
    await look()
    await clock.advance(40 * 24 * HOUR)
    await look()
  })

  it('finds out who lost what was left, says since when, and judges it by what it keeps from then on', async () => {
    const clock = new VirtualClock(Date.now())
    await using fixture = await holderFixture({ clock })
    using judge = new Judge(fixture, clock)
    await judge.run()
    await clock.advance(20 * HOUR)
    await fixture.restart(() => rmSync(join(fixture.directory, 'shards'), { recursive: true }))
    assert.match(await refusal(judge), /lost or changed a shard that it took 20 h ago/)
    assert.equal(await refusal(judge), 'none')
    assert.equal(fixture.holder.held().shards, 1)
  })

  it('finds out who gives back other bytes, or another length', async () => {
    const changes: Record<string, (shard: LeftShard) => LeftShard> = {
      bytes: (shard) => ({ ...shard, digest: sha256(shard.digest) }),
      length: (shard) => ({ ...shard, length: shard.length + 1 }),
    }
    for (const change of Object.values(changes)) {
      await using fixture = await holderFixture()
      using judge = new Judge(fixture)
      await judge.run()
      judge.change(change)
      assert.match(await refusal(judge), /lost or changed a shard that it took less than an hour ago/)
      assert.equal(await refusal(judge), 'none')
    }
  })

  it('leaves nothing with who is no member, and asks who was one', async () => {
    const clock = new VirtualClock(Date.now())
    await using fixture = await holderFixture({ clock })
    using judge = new Judge(fixture, clock)
    await judge.run(false)
    assert.deepEqual([fixture.holder.held().shards, judge.left], [0, undefined])
    await judge.run()
    await clock.advance(20 * HOUR)
    await judge.run(false)
    assert.equal(fixture.holder.held().shards, 1)
    await fixture.restart(() => rmSync(join(fixture.directory, 'shards'), { recursive: true }))
    judge.restart()
    const lapsed = judge.run(false)
    await assert.rejects(lapsed, { code: 'E_STORAGE_NONCONFORMING' })
  })

  it('refuses nobody for its own disk, and leaves nothing that it could not write down', async () => {
    const clock = new VirtualClock(Date.now())
    await using fixture = await holderFixture({ clock })
    using judge = new Judge(fixture, clock)
    judge.restart((directory) =>
      writeFileSync(join(directory, 'left-shards.db'), 'no database, and longer than the head of one'.repeat(9)),
    )
    await judge.run()
    assert.equal(fixture.holder.held().shards, 0)
  })

  it('goes on with what it left while it cannot write, and neither takes it back nor leaves more', async () => {
    const clock = new VirtualClock(Date.now())
    await using fixture = await holderFixture({ clock })
    using judge = new Judge(fixture, clock)
    await judge.run()
    const { digest } = judge.left ?? assert.fail('nothing is written down')
    await clock.advance(20 * HOUR)
    using lock = judge.lock()
    await judge.run()
    assert.deepEqual([fixture.holder.held().shards, judge.left?.digest], [1, digest])
    lock[Symbol.dispose]()
    await judge.run()
    assert.equal(fixture.holder.held().shards, 1)
    assert.notDeepEqual(judge.left?.digest, digest)
  })

  it('does not ask for what has expired at a holder whose clock is ahead', async () => {
    const [clock, ahead] = [new VirtualClock(Date.now()), new VirtualClock(Date.now())]
    await using fixture = await holderFixture({ clock: ahead })
    using judge = new Judge(fixture, clock)
    await judge.run()
    const { expiresAt } = judge.left ?? assert.fail('nothing is written down')
    await clock.advance(expiresAt - clock.now() - 3_000)
    await ahead.advance(expiresAt - ahead.now() + 2_000)
    await fixture.holder.store.sweep()
    assert.equal(fixture.holder.held().shards, 0)
    await judge.run()
    assert.equal(fixture.holder.held().shards, 1)
  })
})
