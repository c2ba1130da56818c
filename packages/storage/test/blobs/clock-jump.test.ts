import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { VirtualClock } from '@weft/core'
import { authorizeCommit, authorizeRemove } from '../../src/holder/shard-authorization.ts'
import { type Fixture, holderFixture, newObject, rejects } from '../holder/holder-fixture.ts'
import { small } from '../holder/shards.ts'

const START = Date.UTC(2026, 0, 1)
const HOUR = 3_600_000

/** Its wall clock can be set, which no timer notices. */
class JumpingClock extends VirtualClock {
  ahead = 0

  override now(): number {
    return super.now() + this.ahead
  }
}

/** A holder with one shard that is committed for an hour, and the time that the network shows it. */
async function withShard(): Promise<{ fixture: Fixture; clock: JumpingClock; network: { time: number | undefined } }> {
  const clock = new JumpingClock(START)
  const network: { time: number | undefined } = { time: START }
  const fixture = await holderFixture({ clock, networkTime: () => network.time })
  const object = newObject()
  await using client = fixture.connect()
  await client.put({ object: object.publicKey, segment: 0, index: 0 }, small)
  await client.commit(authorizeCommit(object, START + HOUR))
  return { fixture, clock, network }
}

describe('a holder whose clock jumps', () => {
  it('keeps what is over by its own clock alone', async () => {
    const { fixture, clock, network } = await withShard()
    await using _ = fixture
    clock.ahead = 24 * HOUR
    network.time = START + HOUR - 1
    await fixture.holder.store.sweep()
    assert.equal(fixture.holder.held().shards, 1)
    network.time = undefined
    await fixture.holder.store.sweep()
    assert.equal(fixture.holder.held().shards, 1)
    network.time = START + HOUR
    await fixture.holder.store.sweep()
    assert.equal(fixture.holder.held().shards, 0)
  })

  it('keeps what is over by the network and not by its own clock', async () => {
    const { fixture, network } = await withShard()
    await using _ = fixture
    network.time = START + 24 * HOUR
    await fixture.holder.store.sweep()
    assert.equal(fixture.holder.held().shards, 1)
  })

  it('refuses a removed object for as long as the network says', async () => {
    const { fixture, clock, network } = await withShard()
    await using _ = fixture
    const object = newObject()
    await using client = fixture.connect()
    await client.remove(authorizeRemove(object, START + HOUR))
    clock.ahead = 24 * HOUR
    await fixture.holder.store.sweep()
    const name = { object: object.publicKey, segment: 0, index: 0 }
    await rejects(client.put(name, small), 'E_OBJECT_REMOVED')
    network.time = START + HOUR
    await fixture.holder.store.sweep()
    await client.put(name, small)
    assert.equal(fixture.holder.held().shards, 1)
  })
})
