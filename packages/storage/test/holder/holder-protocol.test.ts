import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { VirtualClock, isWeftError, seededRandom } from '@weft/core'
import {
  FrameParser,
  ShardRequestSchema,
  ShardResponseSchema,
  create,
  decodeMessage,
  encodeFrame,
  encodeMessage,
} from '@weft/wire'
import fc from 'fast-check'
import { authorizePut } from '../../src/holder/shard-authorization.ts'
import { MiB, holderFixture, rejects, until, newObject } from './holder-fixture.ts'
import { files } from './shards.ts'

const random = seededRandom(1)

describe('the shard protocol of a holder', () => {
  it('answers what breaks the protocol with a fault and resets', async () => {
    await using fixture = await holderFixture()
    const name = { object: random.bytes(32), segment: 0, index: 0 }
    const request = (body: Parameters<typeof create<typeof ShardRequestSchema>>[1]) =>
      encodeFrame(encodeMessage(ShardRequestSchema, create(ShardRequestSchema, body)))
    const cases: [string, Uint8Array][] = [
      ['E_SHARD_TOO_LARGE', request({ body: { case: 'put', value: { name, length: BigInt(16 * MiB + 1) } } })],
      ['E_REQUEST_INVALID', request({ body: { case: 'put', value: { name, length: 0n } } })],
      ['E_REQUEST_INVALID', request({ body: { case: 'get', value: { name: { ...name, object: random.bytes(31) } } } })],
      ['E_REQUEST_INVALID', request({ body: { case: 'get', value: { name: { ...name, index: 256 } } } })],
      ['E_REQUEST_INVALID', request({ body: { case: 'stat', value: { object: name.object, count: 4097 } } })],
      ['E_REQUEST_INVALID', encodeFrame(new Uint8Array(0))],
      ['E_MESSAGE_MALFORMED', encodeFrame(Uint8Array.of(255, 255))],
      ['E_MESSAGE_UNKNOWN_FIELD', encodeFrame(Uint8Array.of(0x78, 1))],
      ['E_FRAME_TOO_LARGE', Uint8Array.of(255, 255, 255, 127)],
    ]
    for (const [code, bytes] of cases) {
      const stream = fixture.streams.connect(fixture.peer.id)
      await stream.write(bytes)
      const parser = new FrameParser(MiB)
      await assert.rejects(async () => {
        for await (const chunk of stream.incoming) parser.push(chunk)
        await stream.closed
        throw new Error('reset')
      })
      const frame = parser.takeFrame()
      assert.ok(frame !== undefined, code)
      const { body } = decodeMessage(ShardResponseSchema, frame, MiB)
      assert.equal(body.case === 'fault' ? body.value.code : body.case, code)
    }
    assert.equal(fixture.holder.held().shards, 0)
  })

  it('leaves nothing of a put that ends in the middle', async () => {
    await using fixture = await holderFixture()
    const client = fixture.connect()
    const controller = new AbortController()
    const owner = newObject()
    const object = owner.publicKey
    const authorization = authorizePut(owner, fixture.peer.id).signature
    const put = client.put({ object, segment: 0, index: 0 }, random.bytes(8 * MiB), controller.signal)
    controller.abort()
    await rejects(put, 'E_ABORTED')
    const stream = fixture.streams.connect(fixture.peer.id)
    const message = create(ShardRequestSchema, {
      body: { case: 'put', value: { name: { object, segment: 1, index: 0 }, length: 900_000n, authorization } },
    })
    await stream.write(encodeFrame(encodeMessage(ShardRequestSchema, message)))
    await stream.write(random.bytes(600_000))
    await until(() => readdirSync(join(fixture.directory, 'shards/large/new')).length > 0, 'the file was begun')
    await stream.closeWrite()
    await stream.closed
    await until(
      () => readdirSync(join(fixture.directory, 'shards/large/new')).length === 0 && files(fixture) === 0,
      'the files were removed',
    )
    assert.equal(fixture.holder.held().shards, 0)
  })

  it('resets a stream that stalls in the middle of a shard', async () => {
    const clock = new VirtualClock(Date.now())
    await using fixture = await holderFixture({ clock })
    const stream = fixture.streams.connect(fixture.peer.id)
    const message = create(ShardRequestSchema, {
      body: { case: 'put', value: { name: { object: random.bytes(32), segment: 0, index: 0 }, length: 900_000n } },
    })
    await stream.write(encodeFrame(encodeMessage(ShardRequestSchema, message)))
    await stream.write(random.bytes(10_000))
    const over = Promise.withResolvers<boolean>()
    stream.closed.then(() => over.resolve(true), over.reject)
    await until(async () => {
      await clock.advance(60_000)
      return Promise.race([over.promise, new Promise<boolean>((resolve) => setImmediate(resolve, false))])
    }, 'the stream was reset')
  })

  it('survives arbitrary bytes', async () => {
    await using fixture = await holderFixture({ limits: { streamsPerMember: 10_000 } })
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        const stream = fixture.streams.connect(fixture.peer.id)
        try {
          await stream.write(bytes)
          await stream.closeWrite()
          for await (const _ of stream.incoming);
        } catch (error) {
          assert.ok(isWeftError(error, 'E_STREAM_RESET'))
        }
      }),
      { numRuns: 200 },
    )
    await using client = fixture.connect()
    await client.stat(random.bytes(32), 0, 1)
  })
})
