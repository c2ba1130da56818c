import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '@weft/core'
import fc from 'fast-check'
import { lossFound } from '../../../src/admission/measure/loss-found.ts'

/** Of 400 packets. */
const found = (lost: number, claimedPpm: number): number => lossFound({ sent: 400, lost }, claimedPpm)

test('a few losses that a line as good as claimed has by chance do not speak against it; many do', () => {
  assert.equal(found(0, 0), 0)
  assert.equal(found(1, 0), 2_500)
  assert.equal(found(2, 1_000), 1_000)
  assert.equal(found(3, 1_000), 7_500)
  assert.equal(found(8, 10_000), 10_000)
  assert.equal(found(20, 10_000), 50_000)
  assert.equal(found(400, 10_000), 1_000_000)
  assert.equal(found(400, 1_000_000), 1_000_000)
})

test('property: it is never better than claimed, nor less for more losses', () => {
  const arbitrary = fc.tuple(fc.integer({ min: 0, max: 400 }), fc.integer({ min: 0, max: 1_000_000 }))
  fc.assert(
    fc.property(arbitrary, ([lost, claimed]) => {
      assert.ok(found(lost, claimed) >= claimed)
      assert.ok(found(Math.max(0, lost - 1), claimed) <= found(lost, claimed))
      assert.ok(found(lost, claimed) <= 1_000_000)
    }),
  )
})

test('an honest line is refused about once in a hundred times at most', () => {
  const random = seededRandom(11)
  let refused = 0
  for (let run = 0; run < 500; run++) {
    const bytes = new DataView(random.bytes(4 * 400).buffer)
    let lost = 0
    for (let at = 0; at < 400; at++) if (bytes.getUint32(4 * at) < 2 ** 32 * 0.01) lost++
    if (found(lost, 10_000) > 10_000) refused++
  }
  assert.ok(refused <= 12, `${refused} of 500`)
})
