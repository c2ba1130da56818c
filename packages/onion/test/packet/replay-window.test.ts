import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { ReplayWindow } from '../../src/packet/replay-window.ts'

/** The same by a set of everything that was seen. */
class Model {
  readonly #size: number
  readonly #seen = new Set<number>()
  #newest = -1

  constructor(size: number) {
    this.#size = size
  }

  accept(counter: number): boolean {
    if (this.#seen.has(counter) || this.#newest - counter >= this.#size) return false
    this.#seen.add(counter)
    this.#newest = Math.max(this.#newest, counter)
    return true
  }
}

describe('ReplayWindow', () => {
  it('does as a set of all counters would, for any order, doubling and jumps', () => {
    const counters = fc.array(
      fc.oneof(
        { weight: 6, arbitrary: fc.integer({ min: 0, max: 400 }) },
        { weight: 2, arbitrary: fc.integer({ min: 0, max: 2_000 }) },
        { weight: 1, arbitrary: fc.integer({ min: 2 ** 36 - 70, max: 2 ** 36 + 70 }) },
        { weight: 1, arbitrary: fc.integer({ min: Number.MAX_SAFE_INTEGER - 200, max: Number.MAX_SAFE_INTEGER }) },
      ),
      { maxLength: 300 },
    )
    fc.assert(
      fc.property(fc.constantFrom(32, 64, 128, 320), counters, (size, list) => {
        const window = new ReplayWindow(size)
        const model = new Model(size)
        for (const counter of list) {
          const fresh = window.isFresh(counter)
          const accepted = window.accept(counter)
          assert.equal(accepted, model.accept(counter), `counter ${counter}`)
          assert.equal(fresh, accepted)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('tells the last 32,768 counters apart and refuses what is older', () => {
    const window = new ReplayWindow()
    for (let counter = 0; counter < 100_000; counter += 2) assert.ok(window.accept(counter))
    const newest = 99_998
    assert.equal(window.newest, newest)
    assert.ok(!window.accept(newest - 32_768))
    assert.ok(!window.accept(newest - 32_769))
    assert.ok(window.accept(newest - 32_767))
    for (let counter = newest - 32_765; counter < newest; counter += 2) {
      assert.ok(window.accept(counter))
      assert.ok(!window.accept(counter))
      assert.ok(!window.isFresh(counter + 1))
    }
  })

  it('refuses sizes that its blocks cannot make', () => {
    for (const size of [0, -32, 33, 1.5, Number.NaN]) assert.throws(() => new ReplayWindow(size), RangeError)
  })
})
