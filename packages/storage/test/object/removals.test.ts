import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, after, test } from 'node:test'
import { VirtualClock, fromBase64Url, isWeftError, seededRandom, systemRandom } from '@weft/core'
import { SigningKey } from '@weft/crypto'
import { signDeletion, verifyDeletion } from '../../src/holder/deletion-statement.ts'
import { ObjectIndex } from '../../src/object/object-index.ts'
import { parseObjectRef } from '../../src/object/object-ref.ts'
import type { ObjectStorage } from '../../src/object/object-storage.ts'
import type { ObjectRemoval, PutResult, StorageEvents, StoredObject } from '../../src/storage.ts'
import { MemoryNetwork } from '../support/memory-network.ts'
import { chunksOf, testCoding, testStorage } from '../support/test-storage.ts'

const coding = testCoding()
after(() => coding[Symbol.asyncDispose]())

const random = seededRandom(1)
const bytes = random.bytes(100_000)
const DAY = 86_400_000

/** A network, and storages that use one list after the other. */
function world(t: TestContext) {
  const clock = new VirtualClock(Date.now())
  const network = new MemoryNetwork(9)
  const directory = mkdtempSync(join(tmpdir(), 'weft-removals-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const personKey = SigningKey.generate()
  const list = join(directory, 'list')
  const open = (at = list): ObjectStorage => testStorage(network.overlay(), { coding, clock, directory: at, personKey })
  return { clock, network, directory, list, open }
}

const put = (storage: ObjectStorage, ttlMs = DAY): Promise<PutResult> =>
  storage.put(chunksOf(bytes, 65_536), { ttlMs, name: 'a name' })

/** Goes on with the clock until the removal is over, or so many times. */
async function over(storage: ObjectStorage, clock: VirtualClock, object: string, times = 100): Promise<ObjectRemoval> {
  for (let at = 0; at < times && storage.removal(object)?.state === 'open'; at++) {
    await clock.advance(3_600_000)
    // Streams in memory take turns of the loop, not time.
    for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve))
  }
  return storage.removal(object) ?? assert.fail()
}

function verifyReceipts(removal: ObjectRemoval): void {
  const { object } = parseObjectRef(`weft://test-net/${removal.object}`, 'test-net')
  for (const { node, receipt } of removal.holders) {
    assert.ok(receipt)
    verifyDeletion({ ...receipt, object, holder: node, signature: fromBase64Url(receipt.signature) })
  }
}

test('a removed object is gone here and for others, and every holder says so', async (t) => {
  const { clock, network, open } = world(t)
  await using storage = open()
  await using reader = testStorage(network.overlay(), { coding, clock })
  const stored = await put(storage)
  const { warnings: _, ...other } = await put(storage)
  const events: StorageEvents['removal'][] = []
  storage.on('removal', (event) => void events.push(event))
  const removal = await storage.remove(stored.object)
  assert.deepEqual([removal.state, removal.withdrawn, removal.holders.length], ['done', true, 9])
  assert.ok(removal.holders.every(({ receipt }) => receipt?.shards === 1 && receipt.until === stored.expiresAt))
  verifyReceipts(removal)
  assert.equal(network.shardCount, 9)
  assert.deepEqual(storage.list(), [other])
  for (const one of [storage, reader]) {
    for (const asked of [() => one.get(stored.ref), () => one.stat(stored.ref)]) {
      await assert.rejects(asked, (error) => {
        assert.ok(isWeftError(error, 'E_OBJECT_REMOVED'))
        assert.ok(error.cause.includes(new Date(removal.removedAt).toISOString()))
        return true
      })
    }
  }
  assert.deepEqual(await storage.remove(stored.object), removal)
  assert.deepEqual(storage.removals(), [removal])
  const head = { object: stored.object, withdrawn: false, holders: 9, deleted: 0 }
  assert.deepEqual(events, [
    { ...head, state: 'open' },
    { ...head, state: 'done', withdrawn: true, deleted: 9 },
  ])
  // Withdrawn for as long as what was there before.
  const withdrawn = [...network.records.values.values()].filter(({ sequence }) => sequence === 2)
  assert.deepEqual(
    withdrawn.map(({ expiresAt }) => expiresAt),
    [stored.expiresAt, stored.expiresAt],
  )
})

test('what was removed stays so after a restart; what this node did not put is refused, and another person', async (t) => {
  const { open, list } = world(t)
  let removal: ObjectRemoval
  let ref: string
  {
    await using storage = open()
    const stored = await put(storage)
    ref = stored.ref
    removal = await storage.remove(stored.object)
  }
  await using storage = open()
  assert.deepEqual(storage.removal(removal.object), removal)
  assert.deepEqual(storage.list(), [])
  await assert.rejects(storage.get(ref), { code: 'E_OBJECT_REMOVED' })
  await assert.rejects(storage.remove('a'.repeat(52)), { code: 'E_OBJECT_UNKNOWN' })
  assert.throws(() => new ObjectIndex(list, SigningKey.generate(), systemRandom), { code: 'E_OBJECT_INDEX' })
  assert.equal(storage.removal('a'.repeat(52)), undefined)
})

test('an object whole in its record has no holders to ask', async (t) => {
  const { network, open } = world(t)
  await using storage = open()
  const { ref, object } = await storage.put(chunksOf(bytes.subarray(0, 10), 10))
  const { state, withdrawn, holders } = await storage.remove(object)
  assert.deepEqual([state, withdrawn, holders], ['done', true, []])
  await using reader = testStorage(network.overlay(), { coding })
  await assert.rejects(reader.get(ref), { code: 'E_OBJECT_REMOVED' })
})

test('a holder that was away is asked again until it answers, and again after a restart', async (t) => {
  const { clock, network, open } = world(t)
  const [first, second] = network.holders
  let object: string
  {
    await using storage = open()
    ;({ object } = await put(storage))
    first?.kill()
    second?.kill()
    const removal = await storage.remove(object)
    assert.deepEqual([removal.state, removal.withdrawn], ['open', true])
    const waiting = removal.holders.filter(({ state }) => state === 'waiting')
    assert.deepEqual(
      new Map(waiting.map(({ node, fault }) => [node as string, fault?.code])),
      new Map([first, second].map((holder) => [String(holder?.id), 'E_NODE_UNREACHABLE'])),
    )
    first!.up = true
    const again = await over(storage, clock, object, 3)
    assert.equal(again.holders.filter(({ state }) => state === 'deleted').length, 8)
    assert.equal(again.state, 'open')
  }
  second!.up = true
  await using storage = open()
  assert.equal(storage.removal(object)?.holders.filter(({ state }) => state === 'deleted').length, 8)
  const removal = await over(storage, clock, object)
  assert.equal(removal.state, 'done')
  verifyReceipts(removal)
  assert.equal(network.shardCount, 0)
})

test('asking for the removal again asks at once those who did not answer', async (t) => {
  const { network, open } = world(t)
  await using storage = open()
  const { object } = await put(storage)
  network.holders[0]?.kill()
  assert.equal((await storage.remove(object)).state, 'open')
  network.holders[0]!.up = true
  assert.equal((await storage.remove(object)).state, 'done')
})

test('who never answers is asked until the shards are over', async (t) => {
  const { clock, network, open, list } = world(t)
  await using storage = open()
  const { object } = await put(storage)
  network.holders[4]?.kill()
  await storage.remove(object)
  assert.equal(isOpen(list, object), 1)
  const removal = await over(storage, clock, object, 30)
  assert.equal(removal.state, 'expired')
  assert.deepEqual(
    removal.holders.filter(({ state }) => state === 'silent').map(({ node }) => node),
    [network.holders[4]?.id],
  )
  assert.equal(isOpen(list, object), 0)
})

test('what a holder did not sign for this object counts for nothing', async (t) => {
  const { clock, network, open } = world(t)
  await using storage = open()
  const { object } = await put(storage)
  const [a, b, c, d, e] = network.holders
  a!.forge = (statement) => ({ ...statement, signature: new Uint8Array(64) })
  b!.forge = (statement) => signDeletion(b!.key, random.bytes(32), statement)
  c!.forge = (statement) => signDeletion(d!.key, statement.object, statement)
  d!.forge = () => undefined
  const stuck = Promise.withResolvers<void>()
  e!.gate = stuck.promise
  const removing = storage.remove(object)
  const left = (): number =>
    storage.removal(object)?.holders.filter(({ state, fault }) => state === 'waiting' && fault === undefined).length ??
    0
  while (left() !== 1) await new Promise((resolve) => setImmediate(resolve))
  await clock.advance(5_000)
  const removal = await removing
  const faultOf = (id: string | undefined): string | undefined =>
    removal.holders.find(({ node }) => node === id)?.fault?.code
  assert.deepEqual(
    [a, b, c, d, e].map((holder) => faultOf(holder?.id)),
    ['E_DELETION_STATEMENT', 'E_DELETION_STATEMENT', 'E_DELETION_STATEMENT', 'E_PROTOCOL', 'E_CALL_TIMEOUT'],
  )
  assert.equal(removal.holders.filter(({ state }) => state === 'deleted').length, 4)
  assert.equal(removal.state, 'open')
  stuck.resolve()
  for (const holder of network.holders) holder.forge = (statement) => statement
  assert.equal((await over(storage, clock, object)).state, 'done')
})

test('records that cannot be withdrawn keep nobody from being asked, and are withdrawn later', async (t) => {
  const { clock, network, open } = world(t)
  await using storage = open()
  for (const failing of [1, 2]) {
    const { object } = await put(storage)
    network.records.failPuts = failing
    const removal = await storage.remove(object)
    assert.deepEqual([removal.state, removal.withdrawn, removal.fault?.code], ['open', false, 'E_RECORD_QUORUM'])
    assert.ok(removal.holders.every(({ state }) => state === 'deleted'))
    const done = await over(storage, clock, object)
    assert.deepEqual([done.state, done.fault], ['done', undefined])
  }
})

test('who stops waiting stops nothing', async (t) => {
  const { network, open } = world(t)
  await using storage = open()
  const { object } = await put(storage)
  const stop = new AbortController()
  const stuck = Promise.withResolvers<void>()
  network.holders[3]!.gate = stuck.promise
  network.holders[3]!.onRemove = () => stop.abort()
  await assert.rejects(storage.remove(object, { signal: stop.signal }), { code: 'E_ABORTED' })
  assert.deepEqual(storage.list(), [])
  stuck.resolve()
  assert.equal((await storage.remove(object)).state, 'done')
})

test('a node that is killed in any step goes on with it', async (t) => {
  const { clock, network, directory, list, open } = world(t)
  const copies: string[] = []
  /** What a killed node would find on its disk. */
  const copy = (): void => {
    const to = join(directory, `copy-${copies.length}`)
    cpSync(list, to, { recursive: true })
    copies.push(to)
  }
  let object: string
  {
    await using storage = open()
    ;({ object } = await put(storage))
    network.records.onPut = copy
    for (const holder of network.holders) holder.onRemove = copy
    const removing = storage.remove(object)
    copy()
    assert.equal((await removing).state, 'done')
    network.records.onPut = () => {}
    for (const holder of network.holders) holder.onRemove = () => {}
  }
  assert.equal(copies.length, 12, 'the mark alone, two records, nine holders')
  for (const at of copies) {
    await using storage = open(at)
    assert.deepEqual(storage.list(), [])
    assert.equal(storage.removal(object)?.state, 'open')
    const removal = await over(storage, clock, object)
    assert.deepEqual([removal.state, removal.withdrawn, removal.holders.length], ['done', true, 9])
    verifyReceipts(removal)
  }
})

test('a list of a version that did not write down the holders: they are read from the records first', async (t) => {
  const { network, list, open } = world(t)
  let stored: StoredObject
  {
    const real = Object.getOwnPropertyDescriptor(ObjectIndex.prototype, 'add')?.value as (
      ...given: AddArguments
    ) => void
    const add = t.mock.method(ObjectIndex.prototype, 'add', function (this: ObjectIndex, ...given: AddArguments) {
      real.call(this, given[0], given[1], undefined as never)
    })
    await using storage = open()
    stored = await put(storage)
    add.mock.restore()
  }
  await using storage = open()
  network.records.failPuts = 1
  assert.equal((await storage.remove(stored.object)).holders.length, 9)
  assert.equal((await storage.remove(stored.object)).state, 'done')
  assert.equal(isOpen(list, stored.object), 0)
  assert.equal(network.shardCount, 0)
})

test('nothing of the key of a removed object is left in the files', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'weft-index-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const person = SigningKey.generate()
  const path = join(directory, 'objects.sqlite')
  {
    using index = new ObjectIndex(directory, person, systemRandom)
    const objects = Array.from({ length: 200 }, (_, at) => entry(at))
    for (const object of objects) index.add(object, random.bytes(32), [])
    for (const { object } of objects.filter((_, at) => at % 5 === 0)) {
      const nonce = nonceOf(path, object)
      assert.ok(readBoth(path).includes(nonce))
      const begun = index.beginRemoval(object, 5) ?? assert.fail()
      await index.erase(object, begun.nonce)
      assert.ok(!readBoth(path).includes(nonce))
      assert.equal(index.beginRemoval(object, 5), undefined)
    }
    // Killed before it was erased: the next start does it.
    const last = objects[1]?.object ?? assert.fail()
    const nonce = nonceOf(path, last)
    index.beginRemoval(last, 5)
    assert.ok(readBoth(path).includes(nonce))
    const copy = join(directory, 'copy')
    for (const file of ['objects.sqlite', 'objects.sqlite-wal']) cpSync(join(directory, file), join(copy, file))
    using again = new ObjectIndex(copy, person, systemRandom)
    assert.ok(!readBoth(join(copy, 'objects.sqlite')).includes(nonce))
    assert.equal(again.list(0).length, 159)
  }
})

type AddArguments = Parameters<ObjectIndex['add']>

function entry(at: number): StoredObject {
  const ref = `weft://test-net/${at}#${random.bytes(24).toHex()}`
  const name = 'n'.repeat(1 + ((at * 37) % 900))
  return { ref, object: `object-${at}`, name, size: 9, class: 'tiny', createdAt: at, expiresAt: 9, private: false }
}

function readBoth(path: string): Buffer {
  return Buffer.concat([readFileSync(path), readFileSync(`${path}-wal`)])
}

/** The first bytes of what is sealed of a row. */
function nonceOf(path: string, object: string): Uint8Array {
  const database = new DatabaseSync(path, { readOnly: true })
  const row = database.prepare('SELECT sealed FROM objects WHERE object = ?').get(object)
  database.close()
  const sealed = row?.['sealed']
  assert.ok(sealed instanceof Uint8Array)
  return sealed.slice(0, 12)
}

/** Whether the list has the seed of a removed object still. */
function isOpen(list: string, object: string): unknown {
  const database = new DatabaseSync(join(list, 'objects.sqlite'), { readOnly: true })
  const row = database.prepare('SELECT open FROM removals WHERE object = ?').get(object)
  database.close()
  return row?.['open']
}
