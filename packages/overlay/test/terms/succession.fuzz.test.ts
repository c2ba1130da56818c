import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WeftError } from '@weft/core'
import fc from 'fast-check'
import { MAX_SUCCESSION, SuccessionSchema, decodeMessage, encodeMessage } from '@weft/wire'
import { networkOf } from '../../src/network/network.ts'
import { verifySuccession } from '../../src/terms/succession.ts'
import { orphans } from './orphans.ts'

const SECONDS = Number(process.env['WEFT_FUZZ_SECONDS'] ?? 2)

test('fuzz: what is said to begin a term is refused with a code, or begins the one that was decided', (t) => {
  const set = orphans()
  const good = encodeMessage(SuccessionSchema, set.succession())
  const network = networkOf(set.fixture.network.file)
  const right = verifySuccession(network, decodeMessage(SuccessionSchema, good, MAX_SUCCESSION))
  const spoilt = fc
    .tuple(
      fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 }),
      fc.option(fc.nat({ max: good.length })),
    )
    .map(([changes, end]) => {
      const bytes = good.slice(0, end ?? good.length)
      for (const [at, value] of changes) if (bytes.length > 0) bytes[at % bytes.length] = value
      return bytes
    })
  let seen = 0
  let believed = 0
  const property = fc.property(fc.oneof(spoilt, fc.uint8Array({ maxLength: 600 })), (bytes) => {
    seen++
    try {
      assert.deepEqual(verifySuccession(network, decodeMessage(SuccessionSchema, bytes, MAX_SUCCESSION)), right)
      believed++
    } catch (error) {
      assert.ok(error instanceof WeftError, String(error))
    }
  })
  const end = performance.now() + SECONDS * 1_000
  while (performance.now() < end) fc.assert(property, { numRuns: 50 })
  t.diagnostic(`${seen} byte strings, ${believed} of them the same term`)
})
