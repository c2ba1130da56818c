import assert from 'node:assert/strict'
import { describe, it, test } from 'node:test'
import type { Clock } from '@weft/core'
import fc from 'fast-check'
import { type InitiationMemory, InitiationTimes } from '../../src/link/initiation-times.ts'
import { SharedInitiationTimes, initiationTimesMemory } from '../../src/shared/shared-initiation-times.ts'
import { TestNetwork } from './link-network.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** The network's time, and a wall clock that is off by so much. */
class OwnClock implements Clock {
  skew = 0
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  now(): number {
    return this.#clock.now() + this.skew
  }
  monotonic(): number {
    return this.#clock.monotonic()
  }
  after(ms: number, run: () => void): () => void {
    return this.#clock.after(ms, run)
  }
}

function memory(isShared: boolean): InitiationMemory {
  return isShared ? new SharedInitiationTimes(initiationTimesMemory(64), new Uint8Array(32)) : new InitiationTimes(64)
}

/** Two nodes with clocks of their own, the second of which may be several workers of one node. */
function twoClocks(isShared = false) {
  const network = new TestNetwork()
  const [one, two] = [new OwnClock(network.clock), new OwnClock(network.clock)]
  const caller = network.add(1, { clock: one })
  const called = network.add(2, { clock: two, times: memory(isShared) })
  /** Whether a link that is made now comes up; it is closed again. */
  const links = async (isEphemeral = false): Promise<boolean> => {
    const events = caller.events.length
    const link = caller.links.connect(called.endpoint, called.keys.publicKey, isEphemeral)
    await network.run(2_000)
    const isUp = caller.events.slice(events).includes('up')
    link.close()
    await network.run(10_000)
    return isUp
  }
  return { network, one, two, caller, called, links }
}

for (const isShared of [false, true])
  describe(`clocks that are off, ${isShared ? 'with several workers' : 'with one worker'}`, () => {
    it('by less than five minutes: links are made; by more none is, either way, and nobody hears of it', async () => {
      for (const [skew, isMade] of [
        [4 * MINUTE, true],
        [-4 * MINUTE, true],
        [6 * MINUTE, false],
        [-6 * MINUTE, false],
        [5 * HOUR, false],
        [-5 * HOUR, false],
      ] as const) {
        const { one, called, links } = twoClocks(isShared)
        one.skew = skew
        assert.equal(await links(), isMade, `${skew}`)
        assert.equal(called.ups.length, isMade ? 1 : 0)
      }
    })

    it('a caller whose clock was ahead, and is set right, is taken at once', async () => {
      for (const isEphemeral of [false, true]) {
        const { one, links } = twoClocks(isShared)
        one.skew = 5 * HOUR
        assert.equal(await links(isEphemeral), false)
        one.skew = 0
        assert.equal(await links(isEphemeral), true)
      }
    })

    it('two whose clocks were ahead alike, as on one machine, find each other when both are set right, and when one is', async () => {
      const { one, two, links } = twoClocks(isShared)
      one.skew = two.skew = DAY
      assert.equal(await links(), true)
      two.skew = 0
      assert.equal(await links(), false)
      one.skew = 0
      assert.equal(await links(), true)
      one.skew = two.skew = -DAY
      assert.equal(await links(), true)
      one.skew = two.skew = 0
      assert.equal(await links(), true)
    })
  })

test('property: whatever the clock was set to before, from then on no initiation is taken twice, and a newer one is', () => {
  const offs = fc.constantFrom(-DAY, -HOUR, -6 * MINUTE, -MINUTE, 0, MINUTE, 6 * MINUTE, HOUR, DAY)
  const initiation = fc.record({ key: fc.nat(3), off: fc.integer({ min: -5 * MINUTE, max: 5 * MINUTE }) })
  const phase = fc.record({ skew: offs, taken: fc.array(initiation, { maxLength: 12 }) })
  fc.assert(
    fc.property(fc.array(phase, { maxLength: 6 }), fc.boolean(), (phases, isShared) => {
      const times = memory(isShared)
      const keyOf = (key: number): Uint8Array => new Uint8Array(32).fill(key)
      let ran = 1_700_000_000_000
      for (const { skew, taken } of phases) {
        const since = new Map<number, number>()
        for (const { key, off } of taken) {
          const now = ran++ + skew
          const last = since.get(key) ?? -Infinity
          const isTaken = times.accept(keyOf(key), 0, now + off, now)
          if (now + off <= last) assert.equal(isTaken, false)
          if (isTaken) since.set(key, now + off)
        }
        // Whoever goes on from what it said last is taken, whatever other clocks said.
        for (const key of [0, 1, 2, 3]) {
          const now = ran++ + skew
          assert.ok(times.accept(keyOf(key), 0, now + 5 * MINUTE, now), `key ${key} at ${skew}`)
        }
      }
    }),
    { numRuns: 300 },
  )
})
