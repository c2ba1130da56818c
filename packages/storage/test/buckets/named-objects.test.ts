import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, test } from 'node:test'
import { VirtualClock, isWeftError, seededRandom, systemRandom } from '@weft/core'
import { SigningKey } from '@weft/crypto'
import fc from 'fast-check'
import { CHECKSUM_NAMES, checksumOf } from '../../src/buckets/body-digests.ts'
import type { Buckets, ListOptions, Versioning } from '../../src/buckets/buckets.ts'
import { Catalog } from '../../src/buckets/catalog.ts'
import { readAll, chunksOf, testCoding } from '../support/test-storage.ts'
import { bucketWorld, once, textOf, turns } from './bucket-fixture.ts'
import { BucketModel } from './bucket-model.ts'

const coding = testCoding()
after(() => coding[Symbol.asyncDispose]())

const KEYS = ['a', 'a/b', 'a/b/c', 'a/\ue000', 'a/😀', 'b', 'b/', 'b//x', 'é']
const key = fc.constantFrom(...KEYS)
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('put'), key }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('remove'), key }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('removeVersion'), key, at: fc.nat({ max: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('copy'), key, to: key, at: fc.nat({ max: 2 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('versioning'), to: fc.constantFrom('enabled', 'suspended') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reopen') }) },
)

async function sameAsModel(buckets: Buckets, model: BucketModel): Promise<void> {
  const versions = buckets.listVersions('one').entries
  const expected = model
    .sorted()
    .flatMap(([name, all]) => all.map(({ version, text }, at) => [name, version, text === undefined, at === 0]))
  assert.deepEqual(
    versions.map((one) => [one.key, one.version, one.isDeleteMarker, one.isLatest]),
    expected,
  )
  for (const [name, all] of model.sorted()) {
    for (const { version, text } of all) {
      if (text === undefined) {
        assert.equal(buckets.head('one', name, version).isDeleteMarker, true)
      } else {
        const { entry, body } = await buckets.get('one', name, { version })
        assert.deepEqual([await textOf(body), entry.size, entry.version], [text, text.length, version])
        assert.equal(entry.etag, createHash('md5').update(text).digest('hex'))
      }
    }
    const [latest] = all
    if (latest?.text !== undefined) assert.equal(buckets.head('one', name).version, latest.version)
    else {
      assert.throws(
        () => buckets.head('one', name),
        (error) =>
          isWeftError(error, 'E_KEY_UNKNOWN') &&
          error.details['deleteMarker'] === true &&
          error.details['version'] === latest?.version,
      )
    }
  }
}

/** All pages of a listing. */
function pages(buckets: Buckets, options: ListOptions): string[] {
  const shown: string[] = []
  for (let after = options.after; ;) {
    const page = buckets.list('one', { ...options, ...(after !== undefined && { after }) })
    const both = [...page.entries.map((one) => one.key), ...page.prefixes]
    assert.ok(both.length <= (options.limit ?? 1_000))
    shown.push(...both.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))))
    if (page.next === undefined) return shown
    assert.equal(page.next, shown.at(-1))
    after = page.next
  }
}

test('versions, markers, copies and listings are those of a simple model of S3, over restarts', async (t) => {
  const listing = fc.record(
    {
      prefix: fc.constantFrom('', 'a', 'a/', 'b', 'x'),
      delimiter: fc.constantFrom('/', '/b', 'é'),
      after: fc.constantFrom(...KEYS, 'a/b/', 'b/x'),
      limit: fc.integer({ min: 1, max: 4 }),
    },
    { requiredKeys: [] },
  )
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 25 }),
      fc.array(listing, { maxLength: 8 }),
      async (steps, listings) => {
        const world = bucketWorld(t, new VirtualClock(1e12), coding)
        let open = await world.open()
        try {
          const model = new BucketModel()
          await open.buckets.create('one')
          let count = 0
          for (const one of steps) {
            const { buckets } = open
            if (one.do === 'reopen') {
              await open[Symbol.asyncDispose]()
              open = await world.open()
            } else if ('to' in one && one.do === 'versioning') {
              model.versioning = one.to as Versioning
              await buckets.change('one', { versioning: model.versioning })
            } else if (one.do === 'put' && 'key' in one) {
              const text = `text ${count++}`
              const { version } = await buckets.put('one', one.key, once(text))
              assert.equal(version === 'null', model.versioning !== 'enabled')
              model.add(one.key, version, text)
            } else if (one.do === 'remove' && 'key' in one) {
              const { version, isDeleteMarker } = await buckets.remove('one', one.key)
              assert.equal(isDeleteMarker, model.versioning !== 'off')
              if (version === undefined) model.drop(one.key, 'null')
              else model.add(one.key, version, undefined)
            } else if (one.do === 'removeVersion' && 'at' in one) {
              const chosen = model.keys.get(one.key)?.[one.at]
              const version = chosen?.version ?? 'f'.repeat(32)
              const isDeleteMarker = chosen !== undefined && chosen.text === undefined
              assert.deepEqual(await buckets.remove('one', one.key, version), { key: one.key, version, isDeleteMarker })
              model.drop(one.key, version)
            } else if ('to' in one && 'at' in one) {
              const from = model.keys.get(one.key)?.[one.at]
              const source = { bucket: 'one', key: one.key, version: from?.version ?? 'f'.repeat(32) }
              const copying = buckets.copy(source, { bucket: 'one', key: one.to })
              if (from?.text === undefined) await assert.rejects(copying)
              else model.add(one.to, (await copying).version, from.text)
            }
          }
          await sameAsModel(open.buckets, model)
          for (const options of listings) assert.deepEqual(pages(open.buckets, options), model.list(options))
          // What no version names is gone from the network as well: a head in the records for each text that is left.
          const texts = new Set([...model.keys.values()].flat().flatMap(({ text }) => text ?? []))
          const { storage } = open
          await turns(() => storage.list().length === texts.size)
          assert.equal(storage.list().length, texts.size)
        } finally {
          await open[Symbol.asyncDispose]()
        }
      },
    ),
    { numRuns: 25 },
  )
})

test('pages of versions go on where the one before ended, within a key as well', async (t) => {
  await using open = await bucketWorld(t, new VirtualClock(1e12), coding).open()
  const { buckets } = open
  await buckets.create('one')
  await buckets.change('one', { versioning: 'enabled' })
  for (const name of ['a', 'a', 'a', 'b/1', 'b/2', 'c']) await buckets.put('one', name, once(name))
  await buckets.remove('one', 'c')
  const seen: string[] = []
  let from: { after?: string; afterVersion?: string } = {}
  for (;;) {
    const page = buckets.listVersions('one', { ...from, limit: 2, delimiter: '/' })
    seen.push(...page.entries.map((one) => `${one.key}${one.isDeleteMarker ? ' deleted' : ''}`), ...page.prefixes)
    if (page.next === undefined) break
    from = { after: page.next, ...(page.nextVersion !== undefined && { afterVersion: page.nextVersion }) }
  }
  assert.deepEqual(seen, ['a', 'a', 'a', 'b/', 'c deleted', 'c'])
})

test('buckets: names, tags, deletion only when empty; another person cannot open the catalog', async (t) => {
  const world = bucketWorld(t, new VirtualClock(1e12), coding)
  {
    await using open = await world.open()
    const { buckets } = open
    for (const name of ['ab', 'A-b', 'a_b', '-ab', 'a..b', 'a'.repeat(64), '']) {
      await assert.rejects(buckets.create(name), { code: 'E_BUCKET_NAME' })
    }
    await buckets.create('two.x')
    const made = await buckets.create('one')
    assert.deepEqual(made, { name: 'one', createdAt: 1e12, versioning: 'off', tags: new Map(), class: undefined })
    await assert.rejects(buckets.create('one'), { code: 'E_BUCKET_EXISTS' })
    await buckets.change('one', { tags: new Map([['k', 'v']]), class: 'tiny' })
    const { id } = await buckets.startUpload('one', 'k')
    await assert.rejects(buckets.delete('one'), { code: 'E_BUCKET_NOT_EMPTY' })
    await buckets.abortUpload('one', 'k', id)
    await buckets.put('two.x', 'k', once('x'))
    await assert.rejects(buckets.delete('two.x'), { code: 'E_BUCKET_NOT_EMPTY' })
    await buckets.remove('two.x', 'k')
    await buckets.delete('two.x')
    assert.throws(() => buckets.bucket('two.x'), { code: 'E_BUCKET_UNKNOWN' })
    for (const bad of ['', 'a'.repeat(1025), '\ud800', 'é'.repeat(513)]) {
      await assert.rejects(buckets.put('one', bad, once('x')), { code: 'E_KEY_NAME' })
    }
  }
  await using open = await world.open()
  const { buckets } = open
  assert.deepEqual(
    buckets.all().map(({ name, tags, class: stored }) => [name, [...tags], stored]),
    [['one', [['k', 'v']], 'tiny']],
  )
  const other = { directory: world.directory, personKey: SigningKey.generate(), random: systemRandom }
  await assert.rejects(Catalog.open(other), { code: 'E_CATALOG' })
})

test('a body that is not what its digests say leaves nothing; metadata and checksums come back', async (t) => {
  const world = bucketWorld(t, new VirtualClock(1e12), coding)
  await using open = await world.open()
  const { buckets, storage } = open
  await buckets.create('one')
  const text = 'some bytes'
  const bytes = new TextEncoder().encode(text)
  const right = Object.fromEntries(
    CHECKSUM_NAMES.map((name) => [name, Buffer.from(checksumOf(name, bytes)).toString('base64')]),
  )
  for (const name of CHECKSUM_NAMES) {
    const wrong = { ...right, [name]: 'AAAAAA==' }
    await assert.rejects(buckets.put('one', 'k', once(text), { checksums: () => wrong }), {
      code: 'E_DIGEST',
      details: { algorithm: name },
    })
    let known = {}
    const trailing = async function* () {
      yield bytes
      known = wrong
    }
    const digests = { checksums: () => known, algorithms: CHECKSUM_NAMES }
    await assert.rejects(buckets.put('one', 'k', trailing(), digests), { code: 'E_DIGEST' })
  }
  await assert.rejects(buckets.put('one', 'k', once(text), { md5: '0'.repeat(32) }), { code: 'E_DIGEST' })
  const stop = new AbortController()
  const aborted = async function* () {
    yield bytes
    stop.abort()
    yield bytes
  }
  await assert.rejects(buckets.put('one', 'k', aborted(), { signal: stop.signal }), { code: 'E_ABORTED' })
  assert.deepEqual([storage.list(), buckets.list('one').entries], [[], []])
  const meta = {
    contentType: 'a/b',
    headers: new Map([['expires', 'x']]),
    metadata: new Map([['a', 'é']]),
    tags: new Map([['t', '1']]),
    class: 'tiny' as const,
  }
  await buckets.put('one', 'k', once(text), {
    meta,
    checksums: () => right,
    md5: createHash('md5').update(text).digest('hex'),
  })
  const entry = buckets.head('one', 'k')
  assert.deepEqual([entry.meta, entry.checksums, entry.size], [meta, right, 10])
  const tagged = await buckets.setTags('one', 'k', new Map([['t', '2']]))
  assert.deepEqual([tagged.version, [...tagged.meta.tags]], [entry.version, [['t', '2']]])
  assert.deepEqual(buckets.head('one', 'k'), tagged)
  const copy = await buckets.copy(
    { bucket: 'one', key: 'k' },
    { bucket: 'one', key: 'l' },
    { meta: { contentType: 'c/d' } },
  )
  assert.deepEqual([copy.meta.contentType, copy.meta.tags.size, copy.etag], ['c/d', 0, entry.etag])
  assert.equal(storage.list().length, 1)
})

test('of many conditional puts at once one is made, and the others leave nothing', async (t) => {
  await using open = await bucketWorld(t, new VirtualClock(1e12), coding).open()
  const { buckets, storage } = open
  await buckets.create('one')
  const at = (text: string, options: object) => buckets.put('one', 'k', once(text), options)
  const rounds = await Promise.allSettled(['a', 'b', 'c', 'd'].map((text) => at(text, { ifNoneMatch: ['*'] })))
  const made = rounds.filter((one) => one.status === 'fulfilled')
  assert.equal(made.length, 1)
  for (const one of rounds) if (one.status === 'rejected') assert.ok(isWeftError(one.reason, 'E_PRECONDITION'))
  const { etag } = made[0]!.value
  const next = await Promise.allSettled(['e', 'f', 'g'].map((text) => at(text, { ifMatch: [etag] })))
  assert.equal(next.filter((one) => one.status === 'fulfilled').length, 1)
  await turns(() => storage.list().length === 1)
  assert.equal(storage.list().length, 1)
})

test('what is read is removed when the reader is through', async (t) => {
  await using open = await bucketWorld(t, new VirtualClock(1e12), coding).open()
  const { buckets, storage } = open
  await buckets.create('one')
  const bytes = seededRandom(1).bytes(100_000)
  await buckets.put('one', 'k', chunksOf(bytes, 65_536))
  const { body } = await buckets.get('one', 'k', { range: { offset: 65_000, length: 30_000 } })
  await buckets.remove('one', 'k')
  await turns(() => storage.list().length === 0, 500)
  assert.equal(storage.list().length, 1)
  assert.equal(Buffer.compare(await readAll(body), bytes.subarray(65_000, 95_000)), 0)
  await turns(() => storage.list().length === 0)
  assert.equal(storage.list().length, 0)
})
