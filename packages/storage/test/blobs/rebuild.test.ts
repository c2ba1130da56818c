import assert from 'node:assert/strict'
import { globSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { SigningKey } from '@weft/crypto'
import { authorizeCommit, authorizeRelease, authorizeRemove } from '../../src/holder/shard-authorization.ts'
import { type Fixture, holderFixture, newObject, rejects } from '../holder/holder-fixture.ts'
import { files, got, large, later, small } from '../holder/shards.ts'

/** Puts a small and a large shard. */
async function put(fixture: Fixture, object: SigningKey): Promise<void> {
  await using client = fixture.connect()
  await client.put({ object: object.publicKey, segment: 0, index: 3 }, small)
  await client.put({ object: object.publicKey, segment: 1, index: 200 }, large)
}

async function commit(fixture: Fixture, object: SigningKey, expiresAt = later()): Promise<void> {
  await using client = fixture.connect()
  await client.commit(authorizeCommit(object, expiresAt))
}

async function has(fixture: Fixture, object: SigningKey): Promise<void> {
  assert.deepEqual(await got(fixture, object.publicKey, 0, 3, small.length), small)
  assert.deepEqual(await got(fixture, object.publicKey, 1, 200, large.length), large)
}

async function hasNone(fixture: Fixture, object: SigningKey): Promise<void> {
  await using client = fixture.connect()
  assert.deepEqual(await client.stat(object.publicKey, 0, 4096), [])
}

function loseIndex({ directory }: Fixture): void {
  for (const path of globSync(join(directory, 'shards/index.sqlite*'))) rmSync(path)
}

describe('a holder that lost its index', () => {
  it('has what was committed, and nothing that was not or is gone', async () => {
    await using fixture = await holderFixture()
    const [kept, open, released, removed, dropped] = Array.from({ length: 5 }, () => newObject()) as [
      SigningKey,
      SigningKey,
      SigningKey,
      SigningKey,
      SigningKey,
    ]
    for (const object of [kept, open, released, removed, dropped]) await put(fixture, object)
    const expiresAt = later()
    for (const object of [kept, released, removed]) await commit(fixture, object, expiresAt)
    await using client = fixture.connect()
    await client.release(authorizeRelease(released))
    const statement = await client.remove(authorizeRemove(removed, expiresAt))
    await fixture.holder.store.drop(dropped.publicKey, fixture.peer.id)
    await fixture.restart(() => loseIndex(fixture))
    await has(fixture, kept)
    for (const object of [open, released, removed, dropped]) await hasNone(fixture, object)
    assert.deepEqual(fixture.holder.held().shards, 2)
    assert.equal(files(fixture), 1)
    // Its tombstone is there as well, with what it said.
    await using again = fixture.connect()
    await rejects(again.put({ object: removed.publicKey, segment: 0, index: 3 }, small), 'E_OBJECT_REMOVED')
    assert.deepEqual(await again.remove(authorizeRemove(removed, expiresAt)), statement)
    // And it is a store like any other: what is put now survives the next loss.
    const next = newObject()
    await put(fixture, next)
    await commit(fixture, next)
    await fixture.restart(() => loseIndex(fixture))
    await has(fixture, kept)
    await has(fixture, next)
  })

  it('keeps each object for as long as its owner said last', async () => {
    await using fixture = await holderFixture()
    const object = newObject()
    await put(fixture, object)
    await commit(fixture, object, Date.now() + 60_000)
    const expiresAt = later()
    await commit(fixture, object, expiresAt)
    await fixture.restart(() => loseIndex(fixture))
    await using client = fixture.connect()
    assert.equal((await client.remove(authorizeRemove(object, 0))).until, expiresAt)
  })

  it('does not count what was dropped before the commit of a later put', async () => {
    await using fixture = await holderFixture()
    const object = newObject()
    await using client = fixture.connect()
    const name = { object: object.publicKey, segment: 0, index: 0 }
    // Another shard keeps the log, and so the bytes that were dropped.
    await put(fixture, newObject())
    await client.put({ ...name, segment: 7 }, small)
    await fixture.holder.store.drop(object.publicKey, fixture.peer.id)
    await client.put(name, small)
    await commit(fixture, object)
    await fixture.restart(() => loseIndex(fixture))
    await using again = fixture.connect()
    assert.deepEqual(
      (await again.stat(object.publicKey, 0, 4096)).map(({ segment }) => segment),
      [0],
    )
  })

  for (const [how, damage] of [
    ['is no database', (path: string) => writeFileSync(path, 'no database at all, but long enough to be read as one')],
    ['is empty', (path: string) => truncateSync(path, 0)],
    [
      'has a page that is damaged',
      (path: string) => {
        const bytes = readFileSync(path)
        writeFileSync(path, bytes.fill(0xa5, 4096))
      },
    ],
  ] as const) {
    it(`makes an index anew that ${how}`, async () => {
      await using fixture = await holderFixture()
      const object = newObject()
      await put(fixture, object)
      await commit(fixture, object)
      await fixture.restart(() => {
        const path = join(fixture.directory, 'shards/index.sqlite')
        // Where nothing was moved into the file yet, the log behind it is all there is.
        rmSync(`${path}-wal`, { force: true })
        damage(path)
      })
      await has(fixture, object)
    })
  }

  it('finds shards behind a damaged header, and believes no header that lies in a shard', async () => {
    await using fixture = await holderFixture()
    const objects = [newObject(), newObject()] as const
    for (const object of objects) await put(fixture, object)
    for (const object of objects) await commit(fixture, object)
    const [log] = globSync(join(fixture.directory, 'shards/logs/*.log')) as [string]
    const bytes = readFileSync(log)
    // The whole log as a shard of another object: headers and all, but the mark is known on this disk only.
    const copy = newObject()
    await using client = fixture.connect()
    const forged = Uint8Array.from(bytes)
    forged.fill(0, 8, 24)
    await client.put({ object: copy.publicKey, segment: 0, index: 0 }, forged)
    await commit(fixture, copy)
    await fixture.restart(() => {
      loseIndex(fixture)
      const now = readFileSync(log)
      now[24 + 20] = now[24 + 20]! ^ 1
      writeFileSync(log, now)
    })
    await rejects(got(fixture, objects[0].publicKey, 0, 3, small.length), 'E_SHARD_NOT_FOUND')
    await has(fixture, objects[1])
    assert.deepEqual(await got(fixture, copy.publicKey, 0, 0, forged.length), forged)
    assert.equal(fixture.holder.held().shards, 4)
  })

  it('begins anew after a crash in the middle of making it', async () => {
    await using fixture = await holderFixture()
    const object = newObject()
    await put(fixture, object)
    await commit(fixture, object)
    await fixture.restart(() => {
      loseIndex(fixture)
      writeFileSync(join(fixture.directory, 'shards/index.sqlite.new'), 'half of one')
      writeFileSync(join(fixture.directory, 'shards/index.sqlite.staging'), 'half of one')
    })
    await has(fixture, object)
  })

  it('has lost nothing that was moved out of a sparse log', async () => {
    await using fixture = await holderFixture()
    const objects = Array.from({ length: 4 }, () => newObject())
    for (const object of objects) await put(fixture, object)
    for (const object of objects) await commit(fixture, object)
    await fixture.restart()
    await using client = fixture.connect()
    for (const object of objects.slice(1)) await client.release(authorizeRelease(object))
    await fixture.holder.store.sweep()
    await fixture.restart(() => loseIndex(fixture))
    await has(fixture, objects[0]!)
    for (const object of objects.slice(1)) await hasNone(fixture, object)
  })

  it('writes its notes anew from the index when they are lost', async () => {
    await using fixture = await holderFixture()
    const [object, removed] = [newObject(), newObject()]
    for (const each of [object, removed]) await put(fixture, each)
    for (const each of [object, removed]) await commit(fixture, each)
    await using client = fixture.connect()
    await client.remove(authorizeRemove(removed, later()))
    await fixture.restart(() => rmSync(join(fixture.directory, 'shards/notes.log')))
    await fixture.restart(() => loseIndex(fixture))
    await has(fixture, object)
    await using again = fixture.connect()
    await rejects(again.put({ object: removed.publicKey, segment: 0, index: 3 }, small), 'E_OBJECT_REMOVED')
  })
})
