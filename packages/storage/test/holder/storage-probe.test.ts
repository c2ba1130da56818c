import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { VirtualClock, isWeftError } from '@weft/core'
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
})
