import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { WeftError } from '@weft/core'
import { MapChangesSchema } from '@weft/wire'
import { atOnce } from '../../src/map/in-slices.ts'
import { changeEntries, verifyEntries } from '../../src/map/map-entries.ts'
import { decodeMapNews } from '../../src/map/map-news.ts'
import { packMessage } from '../../src/map/packed-message.ts'
import { MAX_SUBTREES, answerSubtrees, pickEntries } from '../../src/map/subtree-question.ts'
import { unpackChanges } from '../../src/map/unpack-changes.ts'
import { testNetwork } from '../fixtures.ts'
import { ManyEntries, mapBodyOf } from './many-entries.ts'

const SECONDS = Number(process.env['WEFT_FUZZ_SECONDS'] ?? 2)
const LIMITS = { numRuns: 1e9, interruptAfterTimeLimit: SECONDS * 1_000, markInterruptAsFailure: false }
const { network } = testNetwork(1, 0)
const entries = new ManyEntries(network.id, 300).entries()
const list = atOnce(verifyEntries(mapBodyOf(network, entries, 1), entries, undefined))

/** The code of what is thrown, or `nothing`; anything but an error of ours fails the test. */
function codeOf(task: () => unknown): string {
  try {
    task()
    return 'nothing'
  } catch (error) {
    assert.ok(error instanceof WeftError, String(error))
    return error.code
  }
}

test('fuzz: packed changes that were damaged are refused, or mean what they meant', () => {
  const good = packMessage(MapChangesSchema, { removed: [new Uint8Array(32)], entries: entries.slice(0, 5) })
  const body = mapBodyOf(network, entries, 1)
  const damage = fc.tuple(fc.nat(), fc.uint8Array({ maxLength: 6 }), fc.nat({ max: 20 }))
  fc.assert(
    fc.property(damage, ([at, bytes, cut]) => {
      const from = at % good.length
      const bad = Uint8Array.from([...good.subarray(0, from), ...bytes, ...good.subarray(from + cut)])
      const code = codeOf(() => {
        const changed = atOnce(changeEntries(body, list, unpackChanges(bad)))
        assert.deepEqual(changed.root, list.root)
      })
      assert.ok(['nothing', 'E_MAP_ENTRIES', 'E_CERTIFICATE_MALFORMED'].includes(code), code)
    }),
    LIMITS,
  )
})

test('fuzz: any bytes as news are news or refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const code = codeOf(() => decodeMapNews(bytes))
      assert.ok(code === 'nothing' || code === 'E_MAP_ENTRIES' || code.startsWith('E_MESSAGE_'), code)
    }),
    LIMITS,
  )
})

test('fuzz: any question gets an answer within its limits, or is refused', () => {
  const number = fc.oneof(fc.nat({ max: 12 }), fc.nat({ max: 400 }), fc.nat({ max: 2 ** 32 - 1 }))
  const numbers = fc.array(number, { maxLength: 20 }).map((list) => list.toSorted((a, b) => a - b))
  fc.assert(
    fc.property(number, number, numbers, (level, below, nodes) => {
      const code = codeOf(() => {
        const { hashes, starts } = answerSubtrees(list, { level, below, nodes })
        assert.ok(hashes.length <= MAX_SUBTREES * 32)
        assert.equal(starts.length, below === 0 ? 0 : hashes.length / 32)
      })
      const picked = codeOf(() => assert.equal(pickEntries(list, nodes).length, nodes.length))
      for (const said of [code, picked]) assert.ok(said === 'nothing' || said === 'E_MAP_QUESTION', said)
    }),
    LIMITS,
  )
})
