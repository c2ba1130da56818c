import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { VirtualClock, wait } from '@weft/core'
import { METHODS } from '@weft/wire'
import { fetchEntries } from '../../src/map/fetch-entries.ts'
import { pageOf } from '../../src/map/map-server.ts'
import { advance, codeOf, testKeys } from '../fixtures.ts'
import { MemoryNetwork } from '../memory-network.ts'

const [server, client] = testKeys(2)
const { signal } = new AbortController()

/** A client of a server that answers `map.entries` in its way; the real limits of the messages apply. */
function setUp(answer: (offset: number) => Uint8Array[], takesMs = 0) {
  const clock = new VirtualClock()
  const network = new MemoryNetwork(clock)
  network.add(server?.id as never).rpc.handle('map.entries', async ({ offset }) => {
    if (takesMs > 0) await wait(clock, takesMs)
    return { entries: answer(offset) }
  })
  const { rpc } = network.add(client?.id as never)
  const fetch = (count: number) =>
    fetchEntries(
      { rpc, clock },
      server?.id as never,
      { network: '', epoch: 1, root: new Uint8Array(32), count, signedAt: 0 },
      signal,
    )
  return { clock, network, fetch }
}

test('the entries of 10,000 members come whole, in pages that fit the limit of an answer', async () => {
  const entries = Array.from({ length: 10_000 }, (_, index) => new Uint8Array(250).fill(index % 256))
  const { network, fetch } = setUp((offset) => pageOf(entries, offset))
  assert.deepEqual(await fetch(10_000), entries)
  assert.ok(network.calls.length >= 3 && network.calls.length <= 4, `${network.calls.length} pages`)
})

test('pages of entries of any size never exceed the limit, and always go on', () => {
  const entries = fc.array(fc.integer({ min: 1, max: 2_048 }), { minLength: 1, maxLength: 2_000 })
  fc.assert(
    fc.property(entries, fc.nat(), (sizes, from) => {
      const list = sizes.map((size) => new Uint8Array(size))
      const page = pageOf(list, from % list.length)
      const bytes = page.reduce((sum, { length }) => sum + length + 4, 0)
      assert.ok(page.length > 0 && bytes <= METHODS['map.entries'].maxResponse)
    }),
    { numRuns: 50 },
  )
})

test('a node that sends nothing, too much, or giants is given up', async () => {
  assert.equal(await codeOf(() => setUp(() => []).fetch(3)), 'E_MAP_ENTRIES')
  assert.equal(
    await codeOf(() => setUp(() => Array.from({ length: 4 }, () => new Uint8Array(9))).fetch(3)),
    'E_MAP_ENTRIES',
  )
  assert.equal(await codeOf(() => setUp(() => [new Uint8Array(3_000)]).fetch(3)), 'E_MAP_ENTRIES')
})

test('a page that is neither full nor the last is refused: nobody hands out a map entry by entry', async () => {
  const { network, fetch } = setUp(() => [new Uint8Array(250)])
  assert.equal(await codeOf(() => fetch(10_000)), 'E_MAP_ENTRIES')
  assert.equal(network.calls.length, 1)
})

test('a source has a time for the whole map, which grows with the pages that came', async () => {
  const entries = Array.from({ length: 40_000 }, () => new Uint8Array(250))
  const slow = setUp((offset) => pageOf(entries, offset), 4_900)
  const code = codeOf(() => slow.fetch(40_000))
  for (let pages = 0; pages < 12; pages++) await advance(slow.clock, 4_900)
  assert.equal(await code, 'E_MAP_SLOW')
  const steady = setUp((offset) => pageOf(entries, offset), 1_900)
  const fetched = steady.fetch(40_000)
  for (let pages = 0; pages < 12; pages++) await advance(steady.clock, 1_900)
  assert.equal((await fetched).length, 40_000)
})
