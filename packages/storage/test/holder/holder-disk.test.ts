import assert from 'node:assert/strict'
import { closeSync, globSync, openSync, readdirSync, statSync, truncateSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { VirtualClock, WeftError } from '@weft/core'
import { authorizeCommit, authorizeRelease } from '../../src/holder/shard-authorization.ts'
import { holderFixture, rejects, until, newObject } from './holder-fixture.ts'
import { later, small, large, files, got } from './shards.ts'

describe('a holder and its disk', () => {
  it('tries again after another grace what a full disk did not let go of', async () => {
    const clock = new VirtualClock(Date.now())
    await using fixture = await holderFixture({ clock })
    const { store } = fixture.holder
    const drop = store.drop.bind(store)
    let refused = 0
    store.drop = async () => {
      refused++
      throw new WeftError({ code: 'E_DISK_FULL', cause: 'The disk is full.', fix: 'Free space on it.' })
    }
    {
      await using client = fixture.connect()
      await client.put({ object: newObject().publicKey, segment: 0, index: 0 }, large)
    }
    await until(async () => {
      await clock.advance(15_000)
      return refused === 2
    }, 'it was tried twice')
    store.drop = drop
    await until(async () => {
      await clock.advance(15_000)
      return fixture.holder.held().shards === 0
    }, 'the abandoned shard was dropped')
  })

  it('finds bytes that the disk changed, and says so in stat', async () => {
    await using fixture = await holderFixture()
    const object = newObject()
    const name = { object: object.publicKey, segment: 0, index: 0 }
    await using client = fixture.connect()
    for (const [segment, bytes] of [large, large, large, small].entries()) await client.put({ ...name, segment }, bytes)
    await client.commit(authorizeCommit(object, later()))
    const paths = globSync(join(fixture.directory, 'shards/large/*/*'))
      .filter((path) => statSync(path).isFile())
      .toSorted()
    const [log] = globSync(join(fixture.directory, 'shards/logs/*.log'))
    flip(paths[0]!, 1)
    truncateSync(paths[1]!, 699_000)
    flip(log!, 9_999)
    await rejects(client.get(name, new Uint8Array(large.length)), 'E_SHARD_CORRUPT')
    const corruptNow = async () => {
      await using again = fixture.connect()
      return (await again.stat(name.object, 0, 4)).filter(({ corrupt }) => corrupt).length
    }
    assert.equal(await corruptNow(), 1)
    // Damage behind the first piece can only end the stream; from then on it is known.
    await rejects(client.get({ ...name, segment: 1 }, new Uint8Array(large.length)), 'E_STREAM_RESET')
    assert.equal(await corruptNow(), 2)
    await using second = fixture.connect()
    await rejects(second.get({ ...name, segment: 1 }, new Uint8Array(large.length)), 'E_SHARD_CORRUPT')
    assert.equal(await fixture.holder.store.scrub(new AbortController().signal), 1)
    assert.equal(await corruptNow(), 3)
    assert.deepEqual([fixture.holder.held().damaged, fixture.holder.held().notice?.code], [3, 'E_SHARDS_DAMAGED'])
    await second.put({ ...name, segment: 0 }, large)
    assert.deepEqual(await got(fixture, name.object, 0, 0, large.length), large)
  })

  it('puts index and files in agreement at start', async () => {
    await using fixture = await holderFixture()
    const object = newObject()
    const name = { object: object.publicKey, segment: 0, index: 0 }
    {
      await using client = fixture.connect()
      await client.put(name, large)
      await client.put({ ...name, segment: 1 }, small)
      await client.commit(authorizeCommit(object, later()))
    }
    const [log] = globSync(join(fixture.directory, 'shards/logs/*.log'))
    const whole = statSync(log!).size
    for (const path of [
      log!,
      join(fixture.directory, 'shards/large/new/77'),
      join(fixture.directory, 'shards/large/3/99'),
    ]) {
      const file = openSync(path, 'a')
      writeSync(file, 'torn')
      closeSync(file)
    }
    await fixture.restart()
    assert.equal(statSync(log!).size, whole)
    assert.deepEqual(readdirSync(join(fixture.directory, 'shards/large/new')), [])
    assert.equal(files(fixture), 1)
    assert.deepEqual(await got(fixture, name.object, 1, 0, small.length), small)
  })

  it('moves what is left of a sparse log and removes the log', async () => {
    await using fixture = await holderFixture()
    const objects = Array.from({ length: 4 }, () => newObject())
    {
      await using client = fixture.connect()
      for (const object of objects) {
        await client.put({ object: object.publicKey, segment: 0, index: 0 }, small)
        await client.commit(authorizeCommit(object, later()))
      }
    }
    const [before] = globSync(join(fixture.directory, 'shards/logs/*.log'))
    await fixture.restart()
    {
      await using client = fixture.connect()
      for (const object of objects.slice(1)) await client.release(authorizeRelease(object))
    }
    await fixture.holder.store.sweep()
    const after = globSync(join(fixture.directory, 'shards/logs/*.log'))
    assert.equal(after.length, 1)
    assert.notEqual(after[0], before)
    assert.deepEqual(await got(fixture, objects[0]!.publicKey, 0, 0, small.length), small)
    await fixture.restart()
    assert.deepEqual(await got(fixture, objects[0]!.publicKey, 0, 0, small.length), small)
  })
})

function flip(path: string, at: number): void {
  const file = openSync(path, 'r+')
  writeSync(file, Uint8Array.of(0xa5), 0, 1, at)
  closeSync(file)
}
