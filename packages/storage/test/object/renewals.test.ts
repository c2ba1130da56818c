import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, after, test } from 'node:test'
import { VirtualClock, seededRandom, toHex } from '@weft/core'
import { SigningKey } from '@weft/crypto'
import { parseObjectRef } from '../../src/object/object-ref.ts'
import type { ObjectStorage } from '../../src/object/object-storage.ts'
import type { ObjectRenewal, StoredObject } from '../../src/storage.ts'
import { MemoryNetwork } from '../support/memory-network.ts'
import { chunksOf, testCoding, testStorage } from '../support/test-storage.ts'

const coding = testCoding()
after(() => coding[Symbol.asyncDispose]())

const bytes = seededRandom(1).bytes(100_000)
const DAY = 86_400_000

/** A network of nine holders whose node is in the map, so that it may ask for a year. */
function world(t: TestContext) {
  const clock = new VirtualClock(Date.now())
  const network = new MemoryNetwork(9)
  const directory = mkdtempSync(join(tmpdir(), 'weft-renewals-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const personKey = SigningKey.generate()
  const overlay = network.overlay()
  overlay.membership.isMember = () => true
  const open = (): ObjectStorage => testStorage(overlay, { coding, clock, directory, personKey })
  return { clock, network, overlay, open }
}

const put = (storage: ObjectStorage, data = bytes): Promise<StoredObject> =>
  storage.put(chunksOf(data, 65_536), { ttlMs: DAY, name: 'a name' })

const keyOf = ({ ref }: StoredObject): string => toHex(parseObjectRef(ref, 'test-net').object)

/** Goes on with the clock until the renewal is over, an hour at a time. */
async function over(storage: ObjectStorage, clock: VirtualClock, object: string): Promise<ObjectRenewal> {
  for (let at = 0; at < 100 && storage.renewal(object)?.state === 'open'; at++) {
    await clock.advance(3_600_000)
    // Streams in memory take turns of the loop, not time.
    for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve))
  }
  return storage.renewal(object) ?? assert.fail()
}

/** Ends of all records of the network and of what each holder keeps. */
function ends({ records, holders }: MemoryNetwork, stored: StoredObject): { records: number[]; holders: number[] } {
  return {
    records: [...records.values].filter(([key]) => key.startsWith(keyOf(stored))).map(([, { expiresAt }]) => expiresAt),
    holders: holders.map(({ expiries }) => expiries.get(keyOf(stored)) ?? 0),
  }
}

test('a renewed object is kept for longer: its records, at every holder, and in the list', async (t) => {
  const { clock, network, open } = world(t)
  await using storage = open()
  const stored = await put(storage)
  const until = clock.now() + 90 * DAY
  const renewal = await storage.renew(stored.object, 90 * DAY)
  assert.deepEqual([renewal.state, renewal.expiresAt, renewal.until], ['done', until, until])
  assert.deepEqual(renewal.records, { renewed: 2, total: 2 })
  assert.ok(renewal.holders.length === 9 && renewal.holders.every(({ state }) => state === 'renewed'))
  assert.deepEqual(ends(network, stored), { records: [until, until], holders: Array(9).fill(until) })
  assert.deepEqual(
    storage.list().map(({ expiresAt }) => expiresAt),
    [until],
  )
  assert.equal((await storage.stat(stored.ref)).expiresAt, until)
  assert.deepEqual(storage.renewal(stored.object), renewal)
})

test('what was renewed is in the list of the next start, and can be removed whole', async (t) => {
  const { clock, network, open } = world(t)
  const until = clock.now() + 90 * DAY
  let stored: StoredObject
  {
    await using storage = open()
    stored = await put(storage)
    await storage.renew(stored.object, 90 * DAY)
  }
  await using storage = open()
  assert.equal(storage.list()[0]?.expiresAt, until)
  assert.equal(storage.renewal(stored.object), undefined)
  const removal = await storage.remove(stored.object)
  assert.deepEqual([removal.state, removal.expiresAt, network.shardCount], ['done', until, 0])
})

test('an object without segments has one record to renew', async (t) => {
  const { clock, network, open } = world(t)
  await using storage = open()
  const stored = await put(storage, bytes.subarray(0, 100))
  const renewal = await storage.renew(stored.object, 90 * DAY)
  assert.deepEqual([renewal.state, renewal.records, renewal.holders], ['done', { renewed: 1, total: 1 }, []])
  assert.deepEqual(ends(network, stored).records, [clock.now() + 90 * DAY])
})

test('an object that lasts as long already is left as it is', async (t) => {
  const { network, open } = world(t)
  await using storage = open()
  const stored = await put(storage)
  network.records.onPut = () => assert.fail('nothing is to be written')
  const renewal = await storage.renew(stored.object, DAY / 2)
  assert.deepEqual([renewal.state, renewal.expiresAt], ['done', stored.expiresAt])
})

test('only what this node put is renewed, and only as long as a put may last', async (t) => {
  const { clock, overlay, open } = world(t)
  await using storage = open()
  const stored = await put(storage)
  await assert.rejects(storage.renew('a'.repeat(52), DAY), { code: 'E_OBJECT_UNKNOWN' })
  await assert.rejects(storage.renew(stored.object, 366 * DAY), { code: 'E_PUT_OPTION' })
  overlay.membership.isMember = () => false
  await assert.rejects(storage.renew(stored.object, 90 * DAY), { code: 'E_PUT_OPTION' })
  await clock.advance(2 * DAY)
  await assert.rejects(storage.renew(stored.object, DAY), { code: 'E_OBJECT_UNKNOWN' })
})

test('a holder that is away is told when it is back, and meanwhile by name; the list has the new end at once', async (t) => {
  const { clock, network, open } = world(t)
  await using storage = open()
  const stored = await put(storage)
  const away = network.holders[3]!
  away.up = false
  const until = clock.now() + 90 * DAY
  const first = await storage.renew(stored.object, 90 * DAY)
  assert.deepEqual([first.state, first.expiresAt], ['open', until])
  assert.deepEqual(
    first.holders.filter(({ state }) => state === 'waiting').map(({ node, fault }) => [node, fault?.code]),
    [[away.id, 'E_NODE_UNREACHABLE']],
  )
  away.up = true
  assert.equal((await over(storage, clock, stored.object)).state, 'done')
  assert.deepEqual(ends(network, stored).holders, Array(9).fill(until))
})

test('with fewer holders than repair leaves alone the list keeps the former end, until enough are back', async (t) => {
  const { clock, network, open } = world(t)
  await using storage = open()
  const stored = await put(storage)
  for (const holder of network.holders.slice(0, 4)) holder.up = false
  const first = await storage.renew(stored.object, 90 * DAY)
  assert.deepEqual([first.state, first.expiresAt, first.until], ['open', stored.expiresAt, clock.now() + 90 * DAY])
  assert.equal(storage.list()[0]?.expiresAt, stored.expiresAt)
  network.holders[0]!.up = true
  assert.equal((await storage.renew(stored.object, 90 * DAY)).expiresAt, first.until)
})

test('a holder that never comes back is told of as lost when its shards are over, and nobody asks it any more', async (t) => {
  const { clock, network, open } = world(t)
  await using storage = open()
  const stored = await put(storage)
  network.holders[3]!.up = false
  await storage.renew(stored.object, 90 * DAY)
  const renewal = await over(storage, clock, stored.object)
  assert.deepEqual([renewal.state, renewal.holders.filter(({ state }) => state === 'lost').length], ['partial', 1])
  assert.ok(clock.now() < stored.createdAt + 2 * DAY)
})

test('records that cannot be written are written later; until then the list keeps the former end', async (t) => {
  const { clock, network, open } = world(t)
  await using storage = open()
  const stored = await put(storage)
  // The head is the second to be written.
  network.records.failPuts = 2
  const first = await storage.renew(stored.object, 90 * DAY)
  assert.deepEqual(
    [first.state, first.fault?.code, first.records, first.expiresAt],
    ['open', 'E_RECORD_QUORUM', { renewed: 1, total: 2 }, stored.expiresAt],
  )
  const renewal = await over(storage, clock, stored.object)
  assert.deepEqual([renewal.state, renewal.fault, renewal.expiresAt], ['done', undefined, first.until])
})

test('records that could not be written before they were over: the renewal failed', async (t) => {
  const { clock, network, open } = world(t)
  await using storage = open()
  const stored = await put(storage)
  network.records.onPut = () => {
    throw new Error('no record holder')
  }
  await storage.renew(stored.object, 90 * DAY)
  assert.equal((await over(storage, clock, stored.object)).state, 'failed')
  assert.deepEqual(storage.list(), [])
})

test('a node that was stopped goes on with what was not renewed', async (t) => {
  const { clock, network, open } = world(t)
  const away = network.holders[3]!
  away.up = false
  const until = clock.now() + 90 * DAY
  let stored: StoredObject
  {
    await using storage = open()
    away.up = true
    stored = await put(storage)
    away.up = false
    await storage.renew(stored.object, 90 * DAY)
  }
  away.up = true
  await using storage = open()
  assert.equal((await over(storage, clock, stored.object)).state, 'done')
  assert.deepEqual(ends(network, stored).holders, Array(9).fill(until))
})

test('a removal ends a renewal that is under way, and lasts as long as anybody was told', async (t) => {
  const { clock, network, open } = world(t)
  await using storage = open()
  const stored = await put(storage)
  const gate = Promise.withResolvers<void>()
  let writes = 0
  const written = Promise.withResolvers<void>()
  const putMutable = network.records.putMutable.bind(network.records)
  network.records.putMutable = async (...args) => {
    if (writes++ === 0) {
      written.resolve()
      await gate.promise
    }
    return putMutable(...args)
  }
  const until = clock.now() + 90 * DAY
  const renewing = storage.renew(stored.object, 90 * DAY)
  await written.promise
  const removing = storage.remove(stored.object)
  gate.resolve()
  const removal = await removing
  await renewing
  assert.deepEqual([removal.state, removal.expiresAt, network.shardCount], ['done', until, 0])
  assert.equal(storage.renewal(stored.object), undefined)
  // Superseded records are not brought back.
  assert.deepEqual(
    [...network.records.values].filter(([key]) => key.startsWith(keyOf(stored))).map(([, { sequence }]) => sequence),
    [2, 2],
  )
})

test('a later end takes the place of one that is not reached yet', async (t) => {
  const { clock, network, open } = world(t)
  await using storage = open()
  const stored = await put(storage)
  network.holders[3]!.up = false
  await storage.renew(stored.object, 30 * DAY)
  network.holders[3]!.up = true
  const renewal = await storage.renew(stored.object, 60 * DAY)
  assert.deepEqual([renewal.state, renewal.until], ['done', clock.now() + 60 * DAY])
  assert.deepEqual(ends(network, stored).holders, Array(9).fill(clock.now() + 60 * DAY))
})

test('an abort ends the wait alone', async (t) => {
  const { clock, network, open } = world(t)
  await using storage = open()
  const stored = await put(storage)
  const stop = new AbortController()
  network.records.onPut = () => stop.abort()
  await assert.rejects(storage.renew(stored.object, 90 * DAY, { signal: stop.signal }), { code: 'E_ABORTED' })
  network.records.onPut = () => {}
  assert.equal((await storage.renew(stored.object, 80 * DAY)).until, clock.now() + 90 * DAY)
  assert.equal(storage.renewal(stored.object)?.state, 'done')
})
