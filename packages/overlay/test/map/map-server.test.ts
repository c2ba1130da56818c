import assert from 'node:assert/strict'
import { constants, zstdCompressSync } from 'node:zlib'
import { test } from 'node:test'
import fc from 'fast-check'
import { VirtualClock, equalBytes, seededRandom, wait } from '@weft/core'
import { METHODS, MapPageSchema } from '@weft/wire'
import { fetchEntries } from '../../src/map/fetch-entries.ts'
import { MapPages } from '../../src/map/map-pages.ts'
import { MapSource } from '../../src/map/map-source.ts'
import { packMessage, unpackMessage } from '../../src/map/packed-message.ts'
import { advance, codeOf, testKeys } from '../fixtures.ts'
import { MemoryNetwork } from '../memory-network.ts'

const [server, client] = testKeys(2)
const { signal } = new AbortController()

/** A client of a server that answers `map.entries` in its way; the real limits of the messages apply. */
function setUp(answer: (page: number) => Uint8Array, takesMs = 0) {
  const clock = new VirtualClock()
  const network = new MemoryNetwork(clock)
  network.add(server?.id as never).rpc.handle('map.entries', async ({ page }) => {
    if (takesMs > 0) await wait(clock, takesMs)
    return { packed: answer(page) }
  })
  const { rpc } = network.add(client?.id as never)
  const fetch = (count: number) =>
    fetchEntries(new MapSource({ rpc, clock }, server?.id as never), { root: new Uint8Array(32), count }, signal)
  return { clock, network, fetch }
}

/** A server whose every page has these entries. */
function pageOf(entries: Uint8Array[]): () => Uint8Array {
  return () => packMessage(MapPageSchema, { entries })
}

/** The difference of so many bytes would take minutes to print. */
function areSame(a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean {
  return a.length === b.length && a.every((bytes, at) => equalBytes(bytes, b[at] as Uint8Array))
}

test('the entries of 10,000 members come whole, in pages that fit the limit of an answer', async () => {
  const entries = Array.from({ length: 10_000 }, (_, index) => new Uint8Array(250).fill(index % 256))
  const pages = new MapPages(entries)
  const { network, fetch } = setUp((page) => pages.page(page))
  assert.ok(areSame(await fetch(10_000), entries))
  assert.equal(network.calls.length, 3)
})

test('pages of entries of any size have them all in order, and never exceed the limit', () => {
  const random = seededRandom(1)
  const entries = fc.array(fc.integer({ min: 1, max: 2_048 }), { minLength: 1, maxLength: 2_000 })
  fc.assert(
    fc.property(entries, (sizes) => {
      // Random bytes are longer when packed than they were.
      const list = sizes.map((size) => random.bytes(size))
      const pages = new MapPages(list)
      const read: Uint8Array[] = []
      for (let page = 0; pages.page(page).length > 0; page++) {
        const packed = pages.page(page)
        assert.ok(packed.length + 16 <= METHODS['map.entries'].maxResponse)
        read.push(...unpackMessage(MapPageSchema, packed).entries)
      }
      assert.ok(areSame(read, list))
    }),
    { numRuns: 10 },
  )
})

test('a page is packed once, however often it is asked for', () => {
  const pages = new MapPages([new Uint8Array(250)])
  assert.equal(pages.page(0), pages.page(0))
  for (const page of [1, 2 ** 32 - 1]) assert.equal(pages.page(page).length, 0)
})

test('a node that sends nothing, too much, or giants is given up', async () => {
  const answers: Uint8Array[][] = [[], Array.from({ length: 4 }, () => new Uint8Array(9)), [new Uint8Array(3_000)]]
  for (const entries of answers) assert.equal(await codeOf(() => setUp(pageOf(entries)).fetch(3)), 'E_MAP_ENTRIES')
})

test('what is no frame, a frame that is cut off, and one that would become too long are refused', async () => {
  const entries = Array.from({ length: 100 }, () => new Uint8Array(250))
  const good = pageOf(entries)()
  const zeros = new Uint8Array(256 * 1024 * 1024)
  const bomb = zstdCompressSync(zeros, { params: { [constants.ZSTD_c_windowLog]: 20 } })
  const largeWindow = zstdCompressSync(zeros)
  assert.ok(bomb.length < METHODS['map.entries'].maxResponse)
  // Refused by the unpacking, not once it had unpacked all of it.
  assert.throws(() => unpackMessage(MapPageSchema, bomb), { cause: /larger than/ })
  assert.throws(() => unpackMessage(MapPageSchema, largeWindow), { cause: /too much memory/ })
  for (const packed of [new Uint8Array(), Uint8Array.of(1, 2, 3), good.subarray(0, good.length - 3), bomb]) {
    assert.equal(await codeOf(() => setUp(() => packed).fetch(100)), 'E_MAP_ENTRIES')
  }
})

test('a page that is neither full nor the last is refused: nobody hands out a map entry by entry', async () => {
  const { network, fetch } = setUp(pageOf([new Uint8Array(250)]))
  assert.equal(await codeOf(() => fetch(10_000)), 'E_MAP_ENTRIES')
  assert.equal(network.calls.length, 1)
})

test('a source has a time for the whole map, which grows with the pages that came', async () => {
  const pages = new MapPages(Array.from({ length: 40_000 }, () => new Uint8Array(250)))
  const slow = setUp((page) => pages.page(page), 4_900)
  const code = codeOf(() => slow.fetch(40_000))
  for (let page = 0; page < 12; page++) await advance(slow.clock, 4_900)
  assert.equal(await code, 'E_MAP_SLOW')
  const steady = setUp((page) => pages.page(page), 1_900)
  const fetched = steady.fetch(40_000)
  for (let page = 0; page < 12; page++) await advance(steady.clock, 1_900)
  assert.equal((await fetched).length, 40_000)
})
