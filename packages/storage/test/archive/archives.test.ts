import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, test } from 'node:test'
import { type Clock, VirtualClock, concatBytes, systemClock, utf8 } from '@weft/core'
import type { Archives } from '../../src/archive/archives.ts'
import { MEMBER_KEYWORD } from '../../src/archive/archive-member.ts'
import { openArchives } from '../../src/archive/open-archives.ts'
import { tarEnd, tarHead, tarPadding } from '../../src/archive/tar-head.ts'
import { readTar } from '../../src/archive/tar-reader.ts'
import { type BucketWorld, bucketWorld, once, textOf } from '../buckets/bucket-fixture.ts'
import { chunksOf, readAll, testCoding } from '../support/test-storage.ts'

const coding = testCoding()
after(() => coding[Symbol.asyncDispose]())

const DAY = 86_400_000

type Machine = Awaited<ReturnType<BucketWorld['open']>> & { readonly archives: Archives }

async function machine(
  world: BucketWorld,
  at: string,
  options: { readonly networkId?: string; readonly clock?: Clock } = {},
): Promise<Machine> {
  const { networkId = world.network.overlay().networkId, clock = systemClock } = options
  const open = await world.open(undefined, at)
  const { storage, buckets } = open
  const archives = openArchives({
    storage,
    buckets,
    index: storage.index,
    networkId,
    longestTtl: () => 30 * DAY,
    clock,
  })
  return Object.assign(open, { archives })
}

async function exported(archives: Archives, options = {}): Promise<Uint8Array> {
  return readAll(archives.export(options).body)
}

/** The members, what is said of each changed. */
async function changed(archive: Uint8Array, change: (said: Record<string, unknown>) => void): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const { path, size, records, body } of readTar(chunksOf(archive, 4_096))) {
    const said = JSON.parse(records.get(MEMBER_KEYWORD) ?? '') as Record<string, unknown>
    change(said)
    parts.push(
      tarHead({ path, size, modifiedAt: 0, records: new Map([[MEMBER_KEYWORD, JSON.stringify(said)]]) }),
      ...(await Array.fromAsync(body())).map((piece) => piece.slice()),
      tarPadding(size),
    )
  }
  return concatBytes([...parts, tarEnd()])
}

const NONE = { adopted: 0, stored: 0, present: 0, left: 0 }

test('another machine owns what is in the network still, and the buckets have all versions again', async (t) => {
  const world = bucketWorld(t, systemClock, coding)
  const big = randomBytes(300_000)
  await using first = await machine(world, 'first')
  const { ref, object } = await first.storage.put(chunksOf(big, 65_536), { name: 'big', class: 'tiny' })
  const small = await first.storage.put(once('small'), { name: '../ünï\n', class: 'tiny' })
  await first.buckets.create('kept')
  await first.buckets.change('kept', { versioning: 'enabled', tags: new Map([['a', 'b']]) })
  const meta = { contentType: 'text/plain', metadata: new Map([['who', 'me']]), tags: new Map([['t', '1']]) }
  await first.buckets.put('kept', 'k', once('one'), { meta })
  await first.buckets.put('kept', 'k', once('two'))
  await first.buckets.remove('kept', 'k')
  await first.buckets.put('kept', 'k/../x', once(''))
  const archive = await exported(first.archives)

  await using second = await machine(bucketWorld(t, systemClock, coding, world.network), 'first')
  const report = await second.archives.import(chunksOf(archive, 10_000))
  assert.deepEqual(report.objects, { ...NONE, adopted: 2 })
  assert.deepEqual(
    second.storage
      .list()
      .map(({ name }) => name)
      .filter((name) => !name.startsWith('bucket:'))
      .toSorted(),
    ['../ünï\n', 'big'],
  )
  assert.ok((await readAll((await second.storage.get(ref)).body)).every((byte, at) => byte === big[at]))
  const removal = await second.storage.remove(small.object)
  assert.equal(removal.withdrawn, true)
  // What was removed here does not come back.
  const again = await second.archives.import(chunksOf(archive, 10_000))
  assert.deepEqual(again.objects, { ...NONE, present: 1, left: 1 })
  assert.equal(again.left[0]?.fault.code, 'E_OBJECT_REMOVED')
  assert.equal(again.left[0]?.object, small.object)
  assert.ok(second.storage.index.holdersOf(object)?.length === 9)
})

test('in another network all is stored anew: objects, versions, markers, parts and what is said of them', async (t) => {
  const world = bucketWorld(t, systemClock, coding)
  await using first = await machine(world, 'first')
  const bytes = randomBytes(200_000)
  await first.storage.put(chunksOf(bytes, 65_536), { name: 'one', class: 'tiny', ttlMs: 9 * DAY })
  const { buckets } = first
  await buckets.create('kept')
  await buckets.change('kept', { versioning: 'enabled', tags: new Map([['a', 'b']]), class: 'tiny' })
  const meta = { contentType: 'text/plain', metadata: new Map([['who', 'me']]), tags: new Map([['t', '1']]) }
  await buckets.put('kept', 'k', once('one'), { meta })
  await buckets.put('kept', 'k', once('two'))
  await buckets.remove('kept', 'k')
  const { id } = await buckets.startUpload('kept', 'parts')
  const part = randomBytes(5 * 1024 * 1024)
  const parts = [
    await buckets.putPart('kept', 'parts', id, 1, chunksOf(part, 65_536)),
    await buckets.putPart('kept', 'parts', id, 2, once('end')),
  ]
  await buckets.completeUpload('kept', 'parts', id, parts)
  await buckets.change('kept', { versioning: 'suspended' })
  const archive = await exported(first.archives)

  const elsewhere = bucketWorld(t, systemClock, coding)
  await using second = await machine(elsewhere, 'first', { networkId: 'wothernetwork' })
  // Half of it: what is whole stays, and the rest follows the next time.
  await assert.rejects(second.archives.import(chunksOf(archive.slice(0, archive.length - 4_000), 10_000)), {
    code: 'E_ARCHIVE_INVALID',
  })
  const report = await second.archives.import(chunksOf(archive, 10_000))
  assert.deepEqual(report.left, [])
  const names = (one: Machine): unknown[] =>
    one.buckets.listVersions('kept').entries.map((entry) => {
      const { key, isLatest, isDeleteMarker, size, etag, meta: said, parts: made } = entry
      return { key, isLatest, isDeleteMarker, size, etag, said, parts: made.map((one) => one.size) }
    })
  assert.deepEqual(names(second), names(first))
  assert.deepEqual([...second.buckets.bucket('kept').tags], [['a', 'b']])
  const marked = second.buckets.listVersions('kept').entries.find(({ size }) => size === 3)
  const { body } = await second.buckets.get('kept', 'k', marked === undefined ? {} : { version: marked.version })
  assert.equal(await textOf(body), 'two')
  const stored = second.storage.list().filter(({ name }) => name === 'one')
  assert.equal(stored.length, 2, 'an object has no name of its own: what was put anew is put anew again')
  const left = (stored[0]?.expiresAt ?? 0) - Date.now()
  assert.ok(left > 8.9 * DAY && left < 9.1 * DAY, String(left))
})

test('keys alone say where the bytes are; in another network they are left out', async (t) => {
  const world = bucketWorld(t, systemClock, coding)
  await using first = await machine(world, 'first')
  const { object } = await first.storage.put(once('hello'), { name: 'hello', class: 'tiny' })
  await first.buckets.create('kept')
  await first.buckets.put('kept', 'k', once('one'))
  const archive = await exported(first.archives, { content: false })
  assert.ok(!Buffer.from(archive).includes('"kept"'))
  await using second = await machine(world, 'second')
  assert.deepEqual((await second.archives.import(once(archive))).objects, { ...NONE, adopted: 1 })
  await using third = await machine(bucketWorld(t, systemClock, coding), 'first', { networkId: 'wothernetwork' })
  const { objects, left } = await third.archives.import(once(archive))
  assert.deepEqual([objects.left, left[0]?.object, left[0]?.fault.code], [1, object, 'E_ARCHIVE_CONTENT'])
})

test('what a bucket has under a key is left as it is', async (t) => {
  const world = bucketWorld(t, systemClock, coding)
  await using first = await machine(world, 'first')
  await first.buckets.create('kept')
  await first.buckets.put('kept', 'k', once('theirs'))
  await first.buckets.put('kept', 'same', once('same'))
  const archive = await exported(first.archives)
  await using second = await machine(bucketWorld(t, systemClock, coding), 'first', { networkId: 'wothernetwork' })
  await second.buckets.create('kept')
  await second.buckets.put('kept', 'k', once('mine'))
  await second.buckets.put('kept', 'same', once('same'))
  const { versions, buckets, left } = await second.archives.import(once(archive))
  assert.deepEqual([versions, buckets], [{ ...NONE, present: 1, left: 1 }, 0])
  assert.deepEqual([left[0]?.name, left[0]?.fault.code], ['kept/k', 'E_ARCHIVE_KEY_EXISTS'])
  assert.equal(await textOf((await second.buckets.get('kept', 'k')).body), 'mine')
})

test('an object that cannot be read is exported with its keys, and one that breaks off is taken up again', async (t) => {
  const world = bucketWorld(t, systemClock, coding)
  await using first = await machine(world, 'first')
  const gone = await first.storage.put(once(randomBytes(10_000)), { name: 'gone', class: 'tiny' })
  const kept = randomBytes(150_000)
  await first.storage.put(chunksOf(kept, 50_000), { name: 'kept', class: 'tiny' })
  let breaks = 2
  const archives = openArchives({
    storage: {
      list: () => first.storage.list(),
      stat: first.storage.stat.bind(first.storage),
      put: first.storage.put.bind(first.storage),
      removal: first.storage.removal.bind(first.storage),
      get: async (ref, options) => {
        if (ref === gone.ref) throw await missing(first, ref)
        const reader = await first.storage.get(ref, options)
        const body = async function* (): AsyncGenerator<Uint8Array> {
          for await (const piece of reader.body) {
            yield piece.subarray(0, 10)
            if (breaks-- > 0) throw await missing(first, ref)
            yield piece.subarray(10)
          }
        }
        return { size: reader.size, body: body() }
      },
    },
    buckets: first.buckets,
    index: first.storage.index,
    networkId: world.network.overlay().networkId,
    longestTtl: () => 30 * DAY,
    clock: systemClock,
  })
  const said: Record<string, unknown>[] = []
  for await (const { records, body } of readTar(archives.export().body)) {
    const member = JSON.parse(records.get(MEMBER_KEYWORD) ?? '') as Record<string, unknown>
    said.push(member)
    const bytes = concatBytes((await Array.fromAsync(body())).map((piece) => piece.slice()))
    if (member['name'] === 'kept') assert.ok(Buffer.from(kept).equals(bytes))
  }
  const found = said.find(({ name }) => name === 'gone')
  assert.deepEqual([found?.['content'], found?.['why']], [false, 'E_OBJECT_NOT_FOUND'])
  assert.ok(breaks < 0)
})

async function missing({ storage }: Machine, ref: string): Promise<unknown> {
  const other = `${ref.slice(0, ref.lastIndexOf('/') + 1)}${'a'.repeat(52)}#${ref.slice(ref.indexOf('#') + 1)}`
  return storage.get(other).catch((error: unknown) => error)
}

test('an archive that says what cannot be is refused, and nothing of that member stays', async (t) => {
  const world = bucketWorld(t, systemClock, coding)
  await using first = await machine(world, 'first')
  await first.storage.put(once('hello'), { name: 'hello', class: 'tiny' })
  await first.buckets.create('kept')
  await first.buckets.put('kept', 'k', once('one'))
  const archive = await exported(first.archives)
  const other = await first.storage.put(once('other'), { name: 'other', class: 'tiny' })
  await using second = await machine(bucketWorld(t, systemClock, coding, world.network), 'first')
  const wrong: readonly [string, (said: Record<string, unknown>) => void][] = [
    ['E_ARCHIVE_VERSION', (said) => said['kind'] === 'archive' && (said['version'] = 2)],
    ['E_ARCHIVE_INVALID', (said) => said['kind'] === 'object' && (said['object'] = other.object)],
    ['E_ARCHIVE_INVALID', (said) => said['kind'] === 'object' && (said['ref'] = other.ref)],
    ['E_ARCHIVE_INVALID', (said) => said['kind'] === 'object' && (said['seed'] = 'x')],
    ['E_ARCHIVE_INVALID', (said) => said['kind'] === 'object' && (said['size'] = 6)],
    ['E_ARCHIVE_INVALID', (said) => said['kind'] === 'object' && (said['class'] = 'huge')],
    ['E_ARCHIVE_INVALID', (said) => said['kind'] === 'object' && (said['holders'] = [1])],
    ['E_ARCHIVE_INVALID', (said) => said['kind'] === 'archive' && (said['kind'] = 'end')],
    ['E_ARCHIVE_INVALID', (said) => said['kind'] === 'version' && (said['bucket'] = 'others')],
    ['E_ARCHIVE_INVALID', (said) => said['kind'] === 'version' && (said['parts'] = [1])],
    ['E_ARCHIVE_INVALID', (said) => said['kind'] === 'bucket' && (said['tags'] = [['a']])],
    ['E_DIGEST', (said) => said['kind'] === 'version' && (said['etag'] = '0'.repeat(32))],
  ]
  for (const [code, change] of wrong) {
    await assert.rejects(
      second.archives.import(once(await changed(archive, change))),
      { code },
      `${code} ${change.toString()}`,
    )
  }
  assert.deepEqual(second.buckets.list('kept').entries, [])
  const short = await changed(archive, (said) => said['kind'] === 'end' && (said['objects'] = 3))
  await assert.rejects(second.archives.import(once(short)), { cause: /another number of members/ })
  await assert.rejects(second.archives.import(once(utf8('no archive'))), { code: 'E_ARCHIVE_INVALID' })
})

test('another machine of the same person takes the objects; its buckets come by a take-over', async (t) => {
  const world = bucketWorld(t, systemClock, coding)
  await using first = await machine(world, 'first')
  await first.storage.put(once('hello'), { name: 'hello', class: 'tiny' })
  await first.buckets.create('kept')
  const archive = await exported(first.archives)
  await using second = await machine(world, 'second')
  await assert.rejects(second.archives.import(once(archive)), { code: 'E_CATALOG_WRITER' })
  assert.deepEqual(
    second.storage.list().map(({ name }) => name),
    ['hello'],
  )
})

test('an expired object is put anew for 30 days', async (t) => {
  const clock = new VirtualClock(Date.now())
  const world = bucketWorld(t, clock, coding)
  await using first = await machine(world, 'first', { clock })
  await first.storage.put(once('hello'), { name: 'hello', class: 'tiny', ttlMs: DAY })
  const archive = await exported(first.archives)
  await clock.advance(2 * DAY)
  await using second = await machine(bucketWorld(t, clock, coding, world.network), 'first', { clock })
  const { objects } = await second.archives.import(once(archive))
  assert.deepEqual(objects, { ...NONE, stored: 1 })
  assert.equal(second.storage.list()[0]?.expiresAt, clock.now() + 30 * DAY)
})

test('an export and an import end by their signals', async (t) => {
  const world = bucketWorld(t, systemClock, coding)
  await using first = await machine(world, 'first')
  await first.storage.put(once('hello'), { name: 'hello', class: 'tiny' })
  const signal = AbortSignal.abort()
  await assert.rejects(exported(first.archives, { signal }), { code: 'E_ABORTED' })
  const archive = await exported(first.archives)
  await assert.rejects(first.archives.import(once(archive), { signal }), { code: 'E_ABORTED' })
})
