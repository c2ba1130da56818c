import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { GATHER_MS, nextReadIn } from '../src/api/next-read.ts'

it('gathers a burst of events, and lets what is dear rest', () => {
  assert.equal(nextReadIn(1_000, undefined, 5_000), GATHER_MS)
  assert.equal(nextReadIn(1_000, 1_000, 0), GATHER_MS)
  assert.equal(nextReadIn(2_000, 1_000, 5_000), 4_000)
  assert.equal(nextReadIn(9_000, 1_000, 5_000), GATHER_MS)
  assert.equal(nextReadIn(1_000, 9_000_000, 5_000), 5_000, 'though the clock was set back')
})

it('reads at most once in the time of rest, however many events come', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(400), { maxLength: 200 }), (gaps) => {
      const reads = [0]
      let due: number | undefined
      let now = 0
      for (const gap of gaps) {
        now += gap
        if (due !== undefined && due <= now) {
          reads.push(due)
          due = undefined
        }
        due = now + nextReadIn(now, reads.at(-1), 5_000)
      }
      for (let at = 1; at < reads.length; at++) assert.ok(reads[at]! - reads[at - 1]! >= 5_000)
    }),
  )
})
