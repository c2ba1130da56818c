import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { seededRandom, shuffled } from '@weft/core'
import { committeeRisk } from '../../scripts/committee-risk.ts'
import { rotationRisk } from '../../scripts/rotation-risk.ts'
import { quorumOf, toleratedFaults } from '../../src/network/quorum.ts'

const init = (population: number, hostile: number, seats: number, rotations: number) => ({
  population,
  hostile,
  seats,
  quorum: quorumOf(seats),
  rotated: toleratedFaults(seats),
  rotations,
})

describe('what rotations risk', () => {
  it('is what one draw risks, where there is none', () => {
    const { forged, blocked } = committeeRisk(1_000, 250, 16, 11)
    const risk = rotationRisk(init(1_000, 250, 16, 0))
    assert.ok(Math.abs(risk.forged / forged - 1) < 1e-6)
    assert.ok(Math.abs(risk.blocked / blocked - 1) < 1e-6)
    assert.equal(risk.forgedByRefusal, risk.forged)
  })

  it('is no more in a year than in 366 draws, and more by refusing', () => {
    const one = committeeRisk(10_000, 1_500, 64, 43)
    const year = rotationRisk(init(10_000, 1_500, 64, 365))
    assert.ok(year.blocked > one.blocked && year.blocked < 366 * one.blocked)
    assert.ok(year.forged > one.forged && year.forged < 366 * one.forged)
    assert.ok(year.forgedByRefusal > 1_000 * year.forged)
  })

  it('is what terms show that are drawn', () => {
    const [population, hostile, seats, rotations] = [40, 10, 10, 20]
    const { blocked, forgedByRefusal } = rotationRisk(init(population, hostile, seats, rotations))
    const random = seededRandom(3)
    const [runs, quorum, rotated] = [2_000, quorumOf(seats), toleratedFaults(seats)]
    const seen = { blocked: 0, forged: 0 }
    const count = (seated: readonly boolean[]): number => seated.filter(Boolean).length
    for (let run = 0; run < runs; run++) {
      for (const refuses of [false, true]) {
        let people = shuffled(
          random,
          Array.from({ length: population }, (_, at) => at < hostile),
        )
        let most = count(people.slice(0, seats))
        for (let turn = 0; turn < rotations; turn++) {
          const [seated, others] = [shuffled(random, people.slice(0, seats)), shuffled(random, people.slice(seats))]
          const next = [...others.slice(0, rotated), ...seated.slice(rotated)]
          const isRefused = refuses && count(seated) > seats - quorum && count(next) < count(seated)
          if (!isRefused) people = [...next, ...seated.slice(0, rotated), ...others.slice(rotated)]
          most = Math.max(most, count(people.slice(0, seats)))
        }
        if (!refuses && most > seats - quorum) seen.blocked++
        if (refuses && most >= quorum) seen.forged++
      }
    }
    // Five standard deviations of the mean of 2,000 runs.
    for (const [times, likely] of [
      [seen.blocked, blocked],
      [seen.forged, forgedByRefusal],
    ] as const)
      assert.ok(Math.abs(times / runs - likely) < 5 * Math.sqrt((likely * (1 - likely)) / runs), `${times} ${likely}`)
  })
})
