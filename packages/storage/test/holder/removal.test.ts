import assert from 'node:assert/strict'
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { VirtualClock } from '@weft/core'
import { SigningKey } from '@weft/crypto'
import { ShardRequestSchema, create, encodeFrame, encodeMessage } from '@weft/wire'
import { BlobIndex } from '../../src/blobs/blob-index.ts'
import { verifyDeletion } from '../../src/holder/deletion-statement.ts'
import {
  authorizeCommit,
  authorizePut,
  authorizeRelease,
  authorizeRemove,
} from '../../src/holder/shard-authorization.ts'
import { type Fixture, holderFixture, newObject, rejects, until } from './holder-fixture.ts'
import { files, large, later, small } from './shards.ts'

/** Puts a small and a large shard and commits them. */
async function stored(fixture: Fixture, object: SigningKey, expiresAt: number): Promise<void> {
  await using client = fixture.connect()
  await client.put({ object: object.publicKey, segment: 0, index: 0 }, small)
  await client.put({ object: object.publicKey, segment: 1, index: 0 }, large)
  await client.commit(authorizeCommit(object, expiresAt))
}

function logsHold(fixture: Fixture, bytes: Uint8Array): boolean {
  return globSync(join(fixture.directory, 'shards/logs/*.log')).some((path) => readFileSync(path).includes(bytes))
}

describe('the removal of an object at its holder', () => {
  it('deletes all that is there, signs what that was, and leaves none of the bytes on the disk', async () => {
    await using fixture = await holderFixture()
    const [object, other] = [newObject(), newObject()]
    const expiresAt = later()
    await stored(fixture, object, expiresAt)
    await using client = fixture.connect()
    // Another object in the same log, so that the log stays.
    await client.put({ object: other.publicKey, segment: 0, index: 0 }, small.toReversed())
    assert.ok(logsHold(fixture, small))
    const statement = await client.remove(authorizeRemove(object, 0))
    verifyDeletion(statement)
    const { shards, bytes, until: refused } = statement
    assert.deepEqual([shards, bytes, refused], [2, small.length + large.length, expiresAt])
    assert.equal(files(fixture), 0)
    assert.ok(!logsHold(fixture, small))
    assert.ok(logsHold(fixture, small.toReversed()))
    assert.equal(fixture.holder.held().shards, 1)
  })

  it('says the same when it is asked again, and 0 when it had nothing', async () => {
    await using fixture = await holderFixture()
    const object = newObject()
    const expiresAt = later()
    await stored(fixture, object, expiresAt)
    const first = await fixture.connect().remove(authorizeRemove(object, expiresAt))
    await fixture.restart()
    assert.deepEqual(await fixture.connect().remove(authorizeRemove(object, expiresAt)), first)
    const none = await fixture.connect().remove(authorizeRemove(newObject(), expiresAt))
    assert.deepEqual([none.shards, none.bytes, none.until], [0, 0, expiresAt])
  })

  it('refuses what comes later of the object, from whomever, and after a restart', async () => {
    await using fixture = await holderFixture()
    const object = newObject()
    const expiresAt = later()
    await stored(fixture, object, expiresAt)
    await fixture.connect().remove(authorizeRemove(object, expiresAt))
    for (const from of [fixture.peer, SigningKey.generate()]) {
      await using client = fixture.connect(from)
      await rejects(client.put({ object: object.publicKey, segment: 0, index: 0 }, small), 'E_OBJECT_REMOVED')
      await rejects(client.commit(authorizeCommit(object, expiresAt)), 'E_OBJECT_REMOVED')
      // The stream goes on.
      await client.put({ object: newObject().publicKey, segment: 0, index: 0 }, small)
      await fixture.restart()
    }
    await rejects(fixture.connect().put({ object: object.publicKey, segment: 9, index: 9 }, small), 'E_OBJECT_REMOVED')
  })

  it('refuses a shard whose bytes are on the way meanwhile', async () => {
    await using fixture = await holderFixture()
    const object = newObject()
    const stream = fixture.streams.connect(fixture.peer.id)
    const { signature } = authorizePut(object, fixture.peer.id)
    const name = { object: object.publicKey, segment: 0, index: 0 }
    const put = create(ShardRequestSchema, {
      body: { case: 'put', value: { name, length: BigInt(large.length), authorization: signature } },
    })
    await stream.write(encodeFrame(encodeMessage(ShardRequestSchema, put)))
    await stream.write(large.subarray(0, 600_000))
    await until(() => globSync(join(fixture.directory, 'shards/large/new/*')).length > 0, 'the put began')
    await fixture.connect().remove(authorizeRemove(object, later()))
    await stream.write(large.subarray(600_000))
    const answer = Buffer.concat([(await stream.incoming[Symbol.asyncIterator]().next()).value as Uint8Array])
    assert.ok(answer.includes('E_OBJECT_REMOVED'))
    assert.equal(files(fixture), 0)
    assert.equal(fixture.holder.held().shards, 0)
    stream.abort(new Error('done'))
  })

  it('is no release: what an undone put left can be put again', async () => {
    await using fixture = await holderFixture()
    const object = newObject()
    await stored(fixture, object, later())
    await fixture.connect().release(authorizeRelease(object))
    await stored(fixture, object, later())
    assert.equal(fixture.holder.held().shards, 2)
  })

  it('is refused without the word of the owner', async () => {
    await using fixture = await holderFixture()
    const object = newObject()
    await stored(fixture, object, later())
    const { signature } = authorizeRemove(SigningKey.generate(), 5)
    const forged = { object: object.publicKey, expiresAt: 5, signature }
    await rejects(fixture.connect().remove(forged), 'E_SIGNATURE_INVALID')
    const released = authorizeRelease(object)
    await rejects(fixture.connect().remove({ ...released, expiresAt: 5 }), 'E_SIGNATURE_INVALID')
    assert.equal(fixture.holder.held().shards, 2)
  })

  it('is forgotten when nothing that was signed for the object can be valid any more', async () => {
    const clock = new VirtualClock(Date.now())
    await using fixture = await holderFixture({ clock })
    const object = newObject()
    const expiresAt = clock.now() + 3_600_000
    await stored(fixture, object, expiresAt)
    const far = await fixture.connect().remove(authorizeRemove(object, Number.MAX_SAFE_INTEGER))
    assert.equal(far.until, clock.now() + 400 * 86_400_000)
    const second = newObject()
    const { until: refused } = await fixture.connect().remove(authorizeRemove(second, expiresAt))
    await clock.advance(refused - clock.now() - 1)
    await fixture.holder.store.sweep()
    const name = { object: second.publicKey, segment: 0, index: 0 }
    await rejects(fixture.connect().put(name, small), 'E_OBJECT_REMOVED')
    await clock.advance(1)
    await fixture.holder.store.sweep()
    await fixture.connect().put(name, small)
  })

  it('of more objects than it remembers for a peer is carried out all the same, and says that nothing is refused', async (context) => {
    const directory = mkdtempSync(join(tmpdir(), 'weft-index-'))
    context.after(() => rmSync(directory, { recursive: true, force: true }))
    const limits = { total: 5, perMember: 3, perStranger: 1, strangers: 2 }
    const remove = async (index: BlobIndex, at: number, peer: string, isMember: boolean): Promise<number> => {
      const object = new Uint8Array(32).fill(at)
      const { deletion } = await index.remove({ object, peer, isMember, now: 10, until: 20 })
      return deletion.until
    }
    {
      await using index = await BlobIndex.open(directory, limits)
      assert.deepEqual(
        [await remove(index, 1, 'a', false), await remove(index, 2, 'a', false), await remove(index, 3, 'b', false)],
        [20, 0, 20],
      )
      assert.equal(await remove(index, 4, 'c', false), 0, 'the part of strangers is taken')
      assert.deepEqual(
        [await remove(index, 5, 'm', true), await remove(index, 6, 'm', true), await remove(index, 7, 'm', true)],
        [20, 20, 20],
      )
      assert.equal(await remove(index, 8, 'n', true), 0, 'all are taken')
      assert.equal(await remove(index, 1, 'a', false), 20, 'what is remembered stays so')
    }
    await using again = await BlobIndex.open(directory, limits)
    assert.equal(await remove(again, 8, 'n', true), 0, 'a restart counts what is there')
    assert.equal(await again.sweepRemoved(20, 64), 5)
    assert.equal(await remove(again, 8, 'n', true), 20)
  })
})
