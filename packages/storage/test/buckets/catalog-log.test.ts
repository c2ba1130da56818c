import assert from 'node:assert/strict'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { VirtualClock, WeftError } from '@weft/core'
import type { Buckets } from '../../src/buckets/buckets.ts'
import { testCoding } from '../support/test-storage.ts'
import { type BucketWorld, bucketWorld, once, textOf, turns } from './bucket-fixture.ts'

const coding = testCoding()
after(() => coding[Symbol.asyncDispose]())

function world(t: Parameters<typeof bucketWorld>[0]): BucketWorld & { readonly clock: VirtualClock } {
  const clock = new VirtualClock(1e12)
  return Object.assign(bucketWorld(t, clock, coding), { clock })
}

/** All that a person sees of the buckets. */
async function seen(buckets: Buckets): Promise<unknown> {
  const all = []
  for (const bucket of buckets.all()) {
    const { entries } = buckets.listVersions(bucket.name)
    const texts = []
    for (const { key, version, isDeleteMarker } of entries) {
      if (!isDeleteMarker) texts.push(await textOf((await buckets.get(bucket.name, key, { version })).body))
    }
    const { uploads } = buckets.uploads(bucket.name)
    const parts = uploads.map(({ key, id }) => buckets.parts(bucket.name, key, id))
    all.push({ bucket, entries, texts, uploads, parts })
  }
  return all
}

async function fill(buckets: Buckets): Promise<void> {
  await buckets.create('one')
  await buckets.change('one', { versioning: 'enabled', tags: new Map([['a', 'b']]) })
  await buckets.put('one', 'secret name', once('first'), { meta: { metadata: new Map([['x', 'y']]) } })
  await buckets.put('one', 'secret name', once('second'))
  await buckets.copy({ bucket: 'one', key: 'secret name' }, { bucket: 'one', key: 'copy' })
  await buckets.setTags('one', 'copy', new Map([['t', 'u']]))
  await buckets.remove('one', 'secret name')
  const done = await buckets.startUpload('one', 'whole')
  const part = await buckets.putPart('one', 'whole', done.id, 3, once('in parts'))
  await buckets.completeUpload('one', 'whole', done.id, [part])
  const { id } = await buckets.startUpload('one', 'open')
  await buckets.putPart('one', 'open', id, 1, once('a part'))
  await buckets.create('two')
}

test('what was acknowledged is there on another machine with the key of the person, and can be removed there', async (t) => {
  const { open, network } = world(t)
  let before: unknown
  {
    await using first = await open()
    await fill(first.buckets)
    assert.equal(first.buckets.fault, undefined)
    before = await seen(first.buckets)
  }
  await using second = await open(undefined, 'second')
  const { buckets, storage } = second
  await assert.rejects(buckets.create('three'), { code: 'E_CATALOG_WRITER' })
  assert.equal(buckets.fault?.code, 'E_CATALOG_WRITER')
  assert.deepEqual(buckets.all(), [])
  await buckets.takeOver()
  assert.equal(buckets.fault, undefined)
  assert.deepEqual(await seen(buckets), before)
  assert.equal(storage.list().length, 4)
  for (const { key, version } of buckets.listVersions('one').entries) await buckets.remove('one', key, version)
  await buckets.abortUpload('one', 'open', buckets.uploads('one').uploads[0]!.id)
  await turns(() => storage.list().length === 0)
  assert.deepEqual(storage.list(), [])
  assert.equal(network.shardCount, 0)
})

test('of two machines with one key the one that does not write is refused, until it takes over', async (t) => {
  const { open } = world(t)
  await using first = await open()
  await using second = await open(undefined, 'second')
  await first.buckets.create('one')
  await assert.rejects(second.buckets.create('two'), { code: 'E_CATALOG_WRITER' })
  await second.buckets.takeOver()
  await second.buckets.put('one', 'k', once('by the second'))
  await assert.rejects(first.buckets.put('one', 'k', once('by the first')), { code: 'E_CATALOG_WRITER' })
  assert.equal(first.buckets.fault?.code, 'E_CATALOG_WRITER')
  assert.equal(second.buckets.fault, undefined)
  await first.buckets.takeOver()
  assert.equal(await textOf((await first.buckets.get('one', 'k')).body), 'by the second')
  await assert.rejects(second.buckets.remove('one', 'k'), { code: 'E_CATALOG_WRITER' })
})

test('two that begin at once: one position has one entry, and the other machine is told', async (t) => {
  const { open } = world(t)
  await using first = await open()
  await using second = await open(undefined, 'second')
  const both = await Promise.allSettled([first.buckets.create('one'), second.buckets.create('two')])
  assert.deepEqual(both.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
})

test('without the network a change is kept here, said to be so, and carried over when it is back; over a restart as well', async (t) => {
  const { open, network, clock } = world(t)
  const put = network.records.putMutable.bind(network.records)
  const down = (): Promise<never> =>
    Promise.reject(new WeftError({ code: 'E_RECORD_QUORUM', cause: 'too few', fix: 'none' }))
  {
    await using first = await open()
    await first.buckets.create('one')
    network.records.putMutable = down
    await first.buckets.create('two')
    assert.equal(first.buckets.fault?.code, 'E_CATALOG_LOCAL')
    await first.buckets.create('three')
    network.records.putMutable = put
    await clock.advance(5_000)
    await turns(() => first.buckets.fault === undefined)
    assert.equal(first.buckets.fault, undefined)
    network.records.putMutable = down
    await first.buckets.create('four')
  }
  network.records.putMutable = put
  {
    await using again = await open()
    await again.buckets.create('five')
    assert.equal(again.buckets.fault, undefined)
  }
  await using second = await open(undefined, 'second')
  await second.buckets.takeOver()
  assert.deepEqual(
    second.buckets.all().map(({ name }) => name),
    ['five', 'four', 'one', 'three', 'two'],
  )
})

test('an entry that was sent and not noted is sent again as it was', async (t) => {
  const { open, network } = world(t)
  let killed = false
  const put = network.records.putMutable.bind(network.records)
  {
    await using first = await open(() => {
      if (killed) throw new Error('killed')
    })
    await first.buckets.create('one')
    network.records.putMutable = async (...all) => {
      const result = await put(...all)
      killed = true
      throw new WeftError({ code: 'E_RECORD_QUORUM', cause: `${result.acknowledged}`, fix: 'none' })
    }
    await first.buckets.create('two')
  }
  network.records.putMutable = put
  killed = false
  await using again = await open()
  await again.buckets.create('three')
  assert.equal(again.buckets.fault, undefined)
  await using second = await open(undefined, 'second')
  await second.buckets.takeOver()
  assert.equal(second.buckets.all().length, 3)
})

test('an older state of the network is not taken for the newest', async (t) => {
  const { open, network } = world(t)
  await using first = await open()
  await first.buckets.create('one')
  const older = new Map(network.records.values)
  await first.buckets.create('two')
  network.records.values.clear()
  for (const [key, value] of older) network.records.values.set(key, value)
  await assert.rejects(first.buckets.takeOver(), { code: 'E_CATALOG_ROLLBACK' })
  assert.equal(first.buckets.all().length, 2)
})

test('bodies stay where the catalog is lost and the log is not whole any more', async (t) => {
  const { open, network, directory } = world(t)
  let before: number
  {
    await using first = await open()
    await fill(first.buckets)
    before = first.storage.list().length
  }
  assert.ok(before > 0)
  for (const file of ['', '-wal', '-shm']) rmSync(join(directory, `buckets.sqlite${file}`), { force: true })
  for (const key of network.records.values.keys()) if (key.endsWith('/log')) network.records.values.delete(key)
  await using again = await open()
  await again.buckets.takeOver()
  await turns(() => again.storage.list().length < before, 500)
  assert.equal(again.storage.list().length, before)
})

test('neither the file nor the records show a name, and no two entries have an owner in common', async (t) => {
  const { open, network, directory } = world(t)
  await using first = await open()
  await fill(first.buckets)
  const files = ['buckets.sqlite', 'buckets.sqlite-wal'].map((name) => readFileSync(join(directory, name), 'latin1'))
  const records = [...network.records.values].map(([key, { value }]) => key + Buffer.from(value).toString('latin1'))
  for (const text of [...files, ...records]) assert.ok(!text.includes('secret name') && !text.includes('weft://'))
  const log = [...network.records.values].filter(([key]) => key.endsWith('/log'))
  assert.ok(log.length >= 10)
  assert.equal(new Set(log.map(([key]) => key)).size, log.length)
  assert.ok(log.every(([, { value }]) => (value.length - 28) % 512 === 0))
})
