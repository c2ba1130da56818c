import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Random, randomInt, seededRandom } from '@weft/core'
import fc from 'fast-check'
import { CODECS, refused } from './beacon-codecs.ts'

const SECONDS = Number(process.env['WEFT_FUZZ_SECONDS'] ?? 3)

for (const codec of CODECS) {
  test(`fuzz: no bytes bring down whoever reads ${codec.name}, and hardly any pass for it`, (t) => {
    const seed = Math.floor(performance.timeOrigin)
    const random = seededRandom(seed)
    const samples = fc.sample(codec.values, { numRuns: 20, seed }).map((value) => codec.encode(value as never))
    const end = performance.now() + (SECONDS * 1_000) / CODECS.length
    let [runs, taken] = [0, 0]
    while (performance.now() < end) {
      runs++
      const right = samples[runs % samples.length] as Uint8Array
      const input = runs % 2 === 0 ? random.bytes(randomInt(random, 200)) : nearly(right, random)
      if (!refused(codec, input)) taken++
    }
    t.diagnostic(`${runs} byte strings of seed ${seed}, ${taken} of the form`)
    assert.ok(taken <= runs / 2)
  })
}

/** A right encoding, maybe a byte shorter or longer, with up to four bytes changed. */
function nearly(right: Uint8Array, random: Random): Uint8Array {
  const input = Uint8Array.of(...right, 0).slice(0, right.length + randomInt(random, 3) - 1)
  for (let change = randomInt(random, 5); change > 0; change--) {
    input[randomInt(random, input.length)] = randomInt(random, 256)
  }
  return input
}
