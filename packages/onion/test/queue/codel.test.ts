import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { CoDel } from '../../src/queue/codel.ts'

const TARGET = 5
const INTERVAL = 100

/** RFC 8289, section 5.5 and 5.6, as it is written there; the queue is a list of the times at which its cells came. */
class Published {
  readonly queue: number[] = []
  dropped = 0
  #firstAbove = 0
  #dropNext = 0
  #count = 0
  #lastCount = 0
  #dropping = false

  dequeue(now: number): number | undefined {
    let r = this.#doDequeue(now)
    if (this.#dropping) {
      if (!r.okToDrop) this.#dropping = false
      while (now >= this.#dropNext && this.#dropping) {
        this.dropped++
        this.#count++
        r = this.#doDequeue(now)
        if (!r.okToDrop) this.#dropping = false
        else this.#dropNext = this.#law(this.#dropNext)
      }
    } else if (r.okToDrop) {
      this.dropped++
      r = this.#doDequeue(now)
      this.#dropping = true
      const delta = this.#count - this.#lastCount
      this.#count = 1
      if (delta > 1 && now - this.#dropNext < 16 * INTERVAL) this.#count = delta
      this.#dropNext = this.#law(now)
      this.#lastCount = this.#count
    }
    return r.came
  }

  #doDequeue(now: number): { came: number | undefined; okToDrop: boolean } {
    const came = this.queue.shift()
    if (came === undefined || now - came < TARGET || this.queue.length <= 1) {
      this.#firstAbove = 0
      return { came, okToDrop: false }
    }
    if (this.#firstAbove === 0) {
      this.#firstAbove = now + INTERVAL
      return { came, okToDrop: false }
    }
    return { came, okToDrop: now >= this.#firstAbove }
  }

  #law(from: number): number {
    return from + INTERVAL / Math.sqrt(this.#count)
  }
}

test('drops what the published algorithm drops, but for one that it lets go after the first of a series', () => {
  const step = fc.record({ ms: fc.integer({ min: 1, max: 20 }), come: fc.nat(4), go: fc.nat(2) })
  fc.assert(
    fc.property(fc.array(step, { minLength: 50, maxLength: 400 }), (steps) => {
      const codel = new CoDel(TARGET)
      const published = new Published()
      const queue: number[] = []
      let [now, dropped] = [1, 0]
      for (const { ms, come, go } of steps) {
        now += ms
        for (let i = 0; i < come; i++) {
          queue.push(now)
          published.queue.push(now)
        }
        for (let i = 0; i < go; i++) {
          for (let came = queue.shift(); came !== undefined; came = queue.shift()) {
            if (!codel.drops(now - came, queue.length, now)) break
            dropped++
          }
          published.dequeue(now)
        }
      }
      assert.equal(dropped, published.dropped)
      assert.equal(queue.length, published.queue.length)
    }),
    { numRuns: 300 },
  )
})
