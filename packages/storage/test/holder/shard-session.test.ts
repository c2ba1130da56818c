import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { VirtualClock, seededRandom } from '@weft/core'
import type { ByteStream } from '@weft/overlay'
import { type MessageInitShape, ShardRequestSchema, create, encodeFrame, encodeMessage } from '@weft/wire'
import { holderFixture, until, newObject } from './holder-fixture.ts'

const random = seededRandom(5)
const MINUTE = 60_000

type RequestBody = NonNullable<MessageInitShape<typeof ShardRequestSchema>['body']>

function request(body: RequestBody): Uint8Array {
  return encodeFrame(encodeMessage(ShardRequestSchema, create(ShardRequestSchema, { body })))
}

/** Whether the stream is over once what is due now has happened. */
function watch(stream: ByteStream): { over: boolean } {
  const state = { over: false }
  void stream.closed.then(() => (state.over = true))
  return state
}

async function turns(count = 20): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve))
}

describe('shard session', () => {
  it('resets a stream on which nothing is asked for, but not one that is used now and then', async () => {
    const clock = new VirtualClock(Date.now())
    await using fixture = await holderFixture({ clock })
    const silent = watch(fixture.streams.connect(fixture.peer.id))
    const client = fixture.connect()
    for (let minutes = 0; minutes < 30; minutes += 9) {
      await client.stat(random.bytes(32), 0, 1)
      await turns()
      await clock.advance(9 * MINUTE)
    }
    await turns()
    assert.ok(silent.over)
    await client.stat(random.bytes(32), 0, 1)
    await turns()
    await clock.advance(10 * MINUTE)
    await until(() => client.failure !== undefined, 'the idle stream was reset')
  })

  it('resets a stream whose answers are not read', async () => {
    const clock = new VirtualClock(Date.now())
    await using fixture = await holderFixture({ clock })
    const object = newObject().publicKey
    const name = { object, segment: 0, index: 0 }
    await using owner = fixture.connect()
    await owner.put(name, random.bytes(800_000))
    const stream = fixture.streams.connect(fixture.peer.id)
    const state = watch(stream)
    for (let count = 0; count < 60; count++) await stream.write(request({ case: 'get', value: { name } }))
    await until(async () => {
      await clock.advance(MINUTE)
      return state.over
    }, 'the stream was reset')
  })

  it('lets go at once of a stream that asks for more than it reads', async () => {
    await using fixture = await holderFixture({ clock: new VirtualClock(Date.now()) })
    const object = newObject().publicKey
    const name = { object, segment: 0, index: 0 }
    await using owner = fixture.connect()
    await owner.put(name, random.bytes(800_000))
    const stream = fixture.streams.connect(fixture.peer.id)
    const state = watch(stream)
    for (let count = 0; count < 65; count++) await stream.write(request({ case: 'get', value: { name } }))
    await turns()
    assert.ok(!state.over)
    await stream.write(request({ case: 'get', value: { name } }))
    await until(() => state.over, 'the stream was reset')
  })
})
