import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '@weft/core'
import fc from 'fast-check'
import { INTERNET, type LinkProfile } from '../../src/simulation/link-profile.ts'
import { SimulatedLinks } from '../../src/simulation/simulated-links.ts'

const HERE = { region: 'europe', address: '10.0.0.1' }
const THERE = { region: 'asia', address: '10.0.0.2' }
const links = (changes: Partial<LinkProfile> = {}, seed = 1): SimulatedLinks =>
  new SimulatedLinks({ ...INTERNET, ...changes }, seededRandom(seed))

test('nothing arrives before light and its own bytes allow, nor without loss later than the jitter', () => {
  const bounded = links({ loss: 0 })
  fc.assert(
    fc.property(fc.nat(1_000_000), fc.nat(1_000_000), (now, bytes) => {
      const arrival = links({ loss: 0 }).arrival(now, HERE, THERE, bytes)
      const least = now + bytes / INTERNET.bytesPerMs + 85
      assert.ok(arrival >= least && arrival < least + INTERNET.jitterMs)
      assert.ok(bounded.crossing(HERE, HERE) >= 8)
    }),
  )
})

test('what a machine sends waits in its own line, and in no other', () => {
  const quiet = links({ loss: 0, jitterMs: 0, bytesPerMs: 10 })
  assert.equal(quiet.arrival(0, HERE, THERE, 1_000), 185)
  assert.equal(quiet.arrival(0, HERE, THERE, 1_000), 285)
  assert.equal(quiet.arrival(0, THERE, HERE, 1_000), 185)
  assert.equal(quiet.arrival(500, HERE, THERE, 10), 586)
})

test('loss delays by at least one retransmission, as often as packets are lost', () => {
  const lossy = links({ loss: 0.1, jitterMs: 0, bytesPerMs: Number.POSITIVE_INFINITY }, 7)
  const delays = Array.from({ length: 10_000 }, () => lossy.arrival(0, HERE, HERE, 100) - 8)
  const late = delays.filter((ms) => ms > 0)
  assert.ok(late.length > 900 && late.length < 1_100, `${late.length} of 10,000`)
  assert.ok(late.every((ms) => ms >= 200))
})

test('the same seed gives the same delays', () => {
  const draw = (seed: number): number[] => {
    const some = links({}, seed)
    return Array.from({ length: 100 }, (_, at) => some.arrival(at, HERE, THERE, 100))
  }
  assert.deepEqual(draw(3), draw(3))
  assert.notDeepEqual(draw(3), draw(4))
})
