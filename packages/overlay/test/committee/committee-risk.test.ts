import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { seededRandom, shuffled } from '@weft/core'
import { atLeast, committeeRisk } from '../../scripts/committee-risk.ts'
import { quorumOf } from '../../src/network/quorum.ts'

describe('what a committee risks', () => {
  it('with a quarter of 10,000 hostile: 43 of 64 are forged by 1e-12 and blocked in 6% of draws', () => {
    assert.equal(quorumOf(64), 43)
    const { forged, blocked } = committeeRisk(10_000, 2_500, 64, quorumOf(64))
    assert.ok(forged > 5e-13 && forged < 2e-12, String(forged))
    assert.equal(blocked.toFixed(2), '0.06')
  })

  it('with a quarter of 10,000 hostile: 7 of 10 are forged by 3.5e-3 and blocked in 22% of draws', () => {
    assert.equal(quorumOf(10), 7)
    const { forged, blocked } = committeeRisk(10_000, 2_500, 10, quorumOf(10))
    assert.equal(forged.toExponential(1), '3.5e-3')
    assert.equal(blocked.toFixed(2), '0.22')
  })

  it('is nothing without hostile ones and certain with nobody else', () => {
    assert.deepEqual(committeeRisk(100, 0, 10, 7), { forged: 0, blocked: 0 })
    assert.deepEqual(committeeRisk(100, 100, 10, 7), { forged: 1, blocked: 1 })
    assert.equal(atLeast(0, 50, 20, 5), 1)
  })

  it('is what draws show', () => {
    const random = seededRandom(11)
    const people = Array.from({ length: 40 }, (_, at) => at < 10)
    let blocked = 0
    const draws = 4000
    for (let draw = 0; draw < draws; draw++) {
      const hostile = shuffled(random, people).slice(0, 10).filter(Boolean).length
      if (hostile >= 4) blocked++
    }
    const expected = committeeRisk(40, 10, 10, 7).blocked
    // Five standard deviations of the mean of 4,000 draws.
    assert.ok(Math.abs(blocked / draws - expected) < 5 * Math.sqrt((expected * (1 - expected)) / draws))
  })
})
