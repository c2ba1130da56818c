import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { VirtualClock, isWeftError, seededRandom } from '@weft/core'
import { SigningKey } from '@weft/crypto'
import { authorizeCommit, authorizeRelease } from '../../src/holder/shard-authorization.ts'
import { type Fixture, MiB, holderFixture, rejects, until, newObject } from './holder-fixture.ts'
import { later, small, large } from './shards.ts'

const random = seededRandom(1)
const DAY = 86_400_000

describe('the limits of a holder', () => {
  it('refuses before writing what goes over a quota, and the stream goes on', async () => {
    await using fixture = await holderFixture({ quotaBytes: MiB, limits: { provisionalBytesPerPeer: 900_000 } })
    const object = newObject()
    const name = { object: object.publicKey, segment: 0, index: 0 }
    await using client = fixture.connect()
    await rejects(client.put(name, random.bytes(900_001)), 'E_QUOTA')
    await client.put(name, large)
    await rejects(client.put({ ...name, index: 1 }, large), 'E_QUOTA')
    await client.commit(authorizeCommit(object, later()))
    await rejects(client.put({ ...name, index: 1 }, large), 'E_QUOTA')
    await client.put({ ...name, index: 1 }, small)
    await using full = await holderFixture({ reserveBytes: 2 ** 50 })
    await using refused = full.connect()
    await rejects(refused.put(name, small), 'E_DISK_FULL')
    assert.deepEqual([full.holder.held().shards, full.holder.held().fault?.code], [0, 'E_DISK_FULL'])
  })

  it('counts what a shard costs beside its bytes', async () => {
    await using fixture = await holderFixture({ quotaBytes: 64 * 1024, limits: { provisionalBytesPerPeer: 10 * 1024 } })
    const put = (owner: SigningKey, client: ReturnType<Fixture['connect']>, index: number) =>
      client.put({ object: owner.publicKey, segment: 0, index }, Uint8Array.of(index))
    const stored = async (from: SigningKey): Promise<number> => {
      await using client = fixture.connect(from)
      const owner = newObject()
      for (let index = 0; ; index++) {
        try {
          await put(owner, client, index)
        } catch (error) {
          assert.ok(isWeftError(error, 'E_QUOTA'), String(error))
          return index
        }
        if (index % 10 === 9) await client.commit(authorizeCommit(owner, later()))
      }
    }
    // 513 of 65,536 bytes each.
    assert.equal(await stored(fixture.peer), 127)
    assert.equal(fixture.holder.held().bytes, 127)
    await fixture.restart()
    assert.equal(await stored(SigningKey.generate()), 0)
  })

  it('counts a shard of one byte against what a peer may have provisional', async () => {
    await using fixture = await holderFixture({ limits: { provisionalBytesPerPeer: 10 * 1024 } })
    const put = async (client: ReturnType<Fixture['connect']>, index: number): Promise<void> =>
      client.put({ object: newObject().publicKey, segment: 0, index }, Uint8Array.of(1))
    await using client = fixture.connect()
    for (let index = 0; index < 19; index++) await put(client, index)
    await rejects(put(client, 19), 'E_QUOTA')
    await using other = fixture.connect(SigningKey.generate())
    await put(other, 0)
  })

  it('bounds the objects that a peer has provisional, and forgets those that are over', async () => {
    const clock = new VirtualClock(Date.now())
    await using fixture = await holderFixture({ clock, limits: { provisionalObjectsPerPeer: 3 } })
    const put = async (client: ReturnType<Fixture['connect']>, object: SigningKey, segment = 0): Promise<void> =>
      client.put({ object: object.publicKey, segment, index: 0 }, small)
    {
      await using client = fixture.connect()
      // Committed and released objects make room while the stream goes on.
      for (let round = 0; round < 8; round++) {
        const object = newObject()
        await put(client, object)
        if (round % 2 === 0) await client.commit(authorizeCommit(object, clock.now() + 300 * DAY))
        else await client.release(authorizeRelease(object))
      }
      const objects = Array.from({ length: 3 }, () => newObject())
      for (const object of objects) await put(client, object)
      await rejects(put(client, newObject()), 'E_TOO_MANY_PUTS')
      // More of an object that is here already takes no place.
      await put(client, objects[0]!, 1)
      await using other = fixture.connect(SigningKey.generate())
      await put(other, newObject())
      await client.commit(authorizeCommit(objects[0]!, clock.now() + 300 * DAY))
      // A refused put of an object takes none either.
      for (let tries = 0; tries < 5; tries++) await rejects(put(client, objects[0]!, 1), 'E_SHARD_EXISTS')
      await put(client, newObject())
    }
    await until(async () => {
      await clock.advance(15_000)
      return fixture.holder.held().shards === 6
    }, 'the abandoned objects were dropped')
    await using again = fixture.connect()
    for (let count = 0; count < 3; count++) await put(again, newObject())
  })

  it('bounds the streams of a peer', async () => {
    await using fixture = await holderFixture({ limits: { streamsPerMember: 2 } })
    const [a, b] = [fixture.connect(), fixture.connect()]
    const third = fixture.connect()
    await rejects(third.stat(random.bytes(32), 0, 1), 'E_BUSY')
    await using other = fixture.connect(SigningKey.generate())
    await other.stat(random.bytes(32), 0, 1)
    await Promise.all([a.close(), b.close()])
    await until(async () => {
      await using again = fixture.connect()
      return await again.stat(random.bytes(32), 0, 1).then(
        () => true,
        () => false,
      )
    }, 'the closed streams made room')
  })
})
