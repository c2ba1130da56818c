import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { VirtualClock, abortError, seededRandom } from '@weft/core'
import { SigningKey } from '@weft/crypto'
import { authorizeCommit, authorizePut, authorizeRelease } from '../../src/holder/shard-authorization.ts'
import { ShardClient } from '../../src/holder/shard-client.ts'
import { MiB, holderFixture, rejects, until, newObject } from './holder-fixture.ts'
import { later, small, large, files, got } from './shards.ts'

const random = seededRandom(1)
const HOUR = 3_600_000

describe('holder', () => {
  it('keeps what is committed across a restart, small and large', async () => {
    await using fixture = await holderFixture()
    const object = newObject()
    const name = { object: object.publicKey, segment: 0, index: 0 }
    {
      await using client = fixture.connect()
      await Promise.all([
        client.put(name, small),
        client.put({ ...name, segment: 1 }, [large.subarray(0, 5), large.subarray(5)]),
      ])
      await client.commit(authorizeCommit(object, later()))
    }
    await fixture.restart()
    assert.deepEqual(await got(fixture, name.object, 0, 0, small.length), small)
    assert.deepEqual(await got(fixture, name.object, 1, 0, large.length), large)
    await using client = fixture.connect()
    assert.deepEqual(await client.stat(name.object, 0, 4096), [
      { segment: 0, index: 0, length: small.length, corrupt: false },
      { segment: 1, index: 0, length: large.length, corrupt: false },
    ])
    const { shards, bytes, quotaBytes, damaged, fault, notice } = fixture.holder.held()
    assert.deepEqual([shards, bytes, quotaBytes, damaged], [2, small.length + large.length, 64 * MiB, 0])
    assert.deepEqual([fault, notice], [undefined, undefined])
  })

  it('answers many overlapping requests in order', async () => {
    await using fixture = await holderFixture()
    await using client = fixture.connect()
    const object = newObject()
    const shards = Array.from({ length: 40 }, (_, index) => random.bytes(1 + ((index * 37_123) % 600_000)))
    const name = (index: number) => ({ object: object.publicKey, segment: 0, index })
    const puts = shards.map((shard, index) => client.put(name(index), shard))
    const committed = client.commit(authorizeCommit(object, later()))
    const backs = shards.map(async (shard, index) => {
      const into = new Uint8Array(shard.length)
      await client.get(name(index), into)
      return into
    })
    await Promise.all([...puts, committed])
    assert.deepEqual(await Promise.all(backs), shards)
  })

  it('drops what was not committed after the grace, and at once on release', async () => {
    const clock = new VirtualClock(Date.now())
    await using fixture = await holderFixture({ clock })
    const object = newObject()
    const name = { object: object.publicKey, segment: 0, index: 0 }
    {
      await using client = fixture.connect()
      await client.put(name, large)
    }
    await until(async () => {
      await clock.advance(15_000)
      return fixture.holder.held().shards === 0
    }, 'the abandoned shard was dropped')
    await using client = fixture.connect()
    await client.put(name, large)
    await client.commit(authorizeCommit(object, clock.now() + HOUR))
    await client.release(authorizeRelease(object))
    await rejects(client.get(name, new Uint8Array(large.length)), 'E_SHARD_NOT_FOUND')
    await until(() => files(fixture) === 0, 'the file was removed')
  })

  it('lets a second stream go on where a broken one ended, and commits both', async () => {
    await using fixture = await holderFixture()
    const object = newObject()
    const name = { object: object.publicKey, segment: 0, index: 0 }
    const first = fixture.connect()
    await first.put(name, large)
    first.abort(abortError())
    await using second = fixture.connect()
    await second.put({ ...name, segment: 1 }, small)
    await second.commit(authorizeCommit(object, later()))
    assert.equal((await second.stat(name.object, 0, 2)).length, 2)
  })

  it('removes objects when they expire; an older commit does not shorten their life', async () => {
    const clock = new VirtualClock(Date.now())
    await using fixture = await holderFixture({ clock })
    await using client = fixture.connect()
    const object = newObject()
    await client.put({ object: object.publicKey, segment: 0, index: 0 }, large)
    await client.commit(authorizeCommit(object, clock.now() + 2 * HOUR))
    await client.commit(authorizeCommit(object, clock.now() + HOUR))
    await clock.advance(1.5 * HOUR)
    await fixture.holder.store.sweep()
    assert.equal(fixture.holder.held().shards, 1)
    await clock.advance(HOUR)
    await until(() => fixture.holder.held().shards === 0 && files(fixture) === 0, 'the object was removed')
  })

  it('takes commits and releases from the owner alone', async () => {
    await using fixture = await holderFixture()
    await using client = fixture.connect()
    const [object, thief] = [newObject(), newObject()]
    await client.put({ object: object.publicKey, segment: 0, index: 0 }, small)
    const expiresAt = later()
    const commit = authorizeCommit(object, expiresAt)
    await rejects(client.commit({ ...commit, expiresAt: expiresAt + 1 }), 'E_SIGNATURE_INVALID')
    await rejects(
      client.commit({ ...authorizeCommit(thief, expiresAt), object: object.publicKey }),
      'E_SIGNATURE_INVALID',
    )
    await rejects(client.release({ ...authorizeRelease(thief), object: object.publicKey }), 'E_SIGNATURE_INVALID')
    await rejects(client.release({ object: object.publicKey, signature: commit.signature }), 'E_SIGNATURE_INVALID')
    await rejects(client.commit(authorizeCommit(object, Date.now() - 1)), 'E_EXPIRED')
    await rejects(client.commit(authorizeCommit(object, Date.now() + 401 * 24 * HOUR)), 'E_LIFETIME')
    await rejects(client.commit(authorizeCommit(thief, expiresAt)), 'E_SHARD_NOT_FOUND')
    await client.commit(commit)
  })

  it('takes shards of an object only from those to whom its owner gave its word', async () => {
    await using fixture = await holderFixture()
    const [object, other] = [SigningKey.generate(), SigningKey.generate()]
    const squatter = SigningKey.generate()
    const name = { object: object.publicKey, segment: 1, index: 0 }
    await using client = new ShardClient(fixture.streams.connect(squatter.id))
    await rejects(client.put(name, small), 'E_SIGNATURE_INVALID')
    // Words that were overheard, or are of somebody else.
    for (const word of [authorizePut(object, fixture.peer.id), authorizePut(other, squatter.id)]) {
      client.authorize(word)
      await rejects(client.put(name, large), 'E_SIGNATURE_INVALID')
    }
    client.authorize({ ...authorizePut(object, squatter.id), signature: authorizeCommit(object, later()).signature })
    await rejects(client.put(name, small), 'E_SIGNATURE_INVALID')
    assert.equal(fixture.holder.held().shards, 0)
    await using owner = new ShardClient(fixture.streams.connect(fixture.peer.id))
    owner.authorize(authorizePut(object, fixture.peer.id))
    await owner.put(name, small)
    // The word is for one object.
    await rejects(owner.put({ ...name, object: other.publicKey }, small), 'E_SIGNATURE_INVALID')
  })

  it('never lets one peer replace what another put, nor anybody what is committed', async () => {
    await using fixture = await holderFixture()
    const object = newObject()
    const name = { object: object.publicKey, segment: 0, index: 0 }
    await using owner = fixture.connect()
    await using other = fixture.connect(SigningKey.generate())
    await owner.put(name, small)
    await rejects(other.put(name, large), 'E_SHARD_EXISTS')
    await owner.put(name, large)
    await owner.commit(authorizeCommit(object, later()))
    await rejects(owner.put(name, small), 'E_SHARD_EXISTS')
    await rejects(other.put(name, small), 'E_SHARD_EXISTS')
    assert.deepEqual(await got(fixture, name.object, 0, 0, large.length), large)
    assert.equal(fixture.holder.held().bytes, large.length)
    // What a stranger adds to the object is not covered by the owner's word.
    await other.put({ ...name, index: 1 }, small)
    await owner.commit(authorizeCommit(object, later()))
    assert.equal(fixture.holder.store.provisional().length, 1)
  })

  it('keeps a shard that is put on the same stream while its object is being committed', async () => {
    const clock = new VirtualClock(Date.now())
    await using fixture = await holderFixture({ clock })
    await using client = fixture.connect()
    const object = newObject()
    const name = { object: object.publicKey, segment: 0, index: 0 }
    await client.put(name, small)
    await Promise.all([
      client.commit(authorizeCommit(object, clock.now() + HOUR)),
      client.put({ ...name, index: 1 }, large),
    ])
    await clock.advance(60_000)
    assert.equal((await client.stat(name.object, 0, 1)).length, 2)
  })
})
