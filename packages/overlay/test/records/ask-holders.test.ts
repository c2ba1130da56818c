import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { VirtualClock, WeftError } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import fc from 'fast-check'
import { type Asked, type Wave, askHolders } from '../../src/records/ask-holders.ts'

const id = (at: number): DidKey => `did:key:z${at}` as DidKey
const ids = (from: number, to: number): DidKey[] => Array.from({ length: to - from }, (_, i) => id(from + i))
const lifetime = new AbortController().signal
const fault = new WeftError({ code: 'E_TEST', cause: 'A fault of the test.', fix: 'None.' })

/** Holders that answer when the test says so. */
class Holders {
  readonly clock = new VirtualClock(1_000)
  readonly asked: DidKey[] = []
  readonly late: DidKey[] = []
  readonly #open = new Map<DidKey, PromiseWithResolvers<number>>()

  ask(waves: readonly Wave[], enough: number, signal?: AbortSignal): Promise<Asked<number>> {
    return askHolders<number>(
      {
        waves,
        ask: (holder, stopped) => {
          this.asked.push(holder)
          const settle = Promise.withResolvers<number>()
          this.#open.set(holder, settle)
          stopped.addEventListener('abort', () => settle.reject(stopped.reason))
          return settle.promise
        },
        enough: ({ given }) => given.size >= enough,
        pauseMs: 50,
        onLate: (holder) => this.late.push(holder),
        signal,
        lifetime,
      },
      this.clock,
    )
  }

  async answer(...holders: readonly DidKey[]): Promise<void> {
    for (const holder of holders) this.#open.get(holder)?.resolve(1)
    await this.clock.advance(0)
  }

  async fail(holder: DidKey): Promise<void> {
    this.#open.get(holder)?.reject(fault)
    await this.clock.advance(0)
  }
}

describe('ask holders', () => {
  it('asks nobody else when the first ones are enough', async () => {
    const holders = new Holders()
    const asking = holders.ask([{ holders: ids(0, 3) }, { holders: ids(3, 5) }], 3)
    await holders.answer(id(0), id(1), id(2))
    const { answers, settled } = await asking
    await settled
    await holders.clock.advance(10_000)
    assert.deepEqual([holders.asked, answers.given.size, holders.late], [ids(0, 3), 3, []])
  })

  it('asks the others at once when one fails, and after the pause when one is silent', async () => {
    const failing = new Holders()
    const one = failing.ask([{ holders: ids(0, 3) }, { holders: ids(3, 5) }], 3)
    await failing.fail(id(1))
    assert.deepEqual([failing.asked, failing.late], [ids(0, 5), [id(1)]])
    await failing.answer(id(0), id(3), id(4))
    assert.equal((await one).answers.failed.get(id(1)), fault)

    const silent = new Holders()
    const two = silent.ask([{ holders: ids(0, 3) }, { holders: ids(3, 5) }], 3)
    await silent.answer(id(0), id(1))
    await silent.clock.advance(49)
    assert.deepEqual([silent.asked, silent.late], [ids(0, 3), []])
    await silent.clock.advance(1)
    assert.deepEqual([silent.asked, silent.late], [ids(0, 5), [id(2)]])
    await silent.answer(id(4))
    assert.equal((await two).answers.given.size, 3)
  })

  it('does not wait behind an impatient wave for a second answer', async () => {
    const holders = new Holders()
    const asking = holders.ask(
      [{ holders: ids(0, 2), impatient: true }, { holders: ids(2, 4) }, { holders: [id(4)] }],
      4,
    )
    await holders.answer(id(0))
    assert.deepEqual(holders.asked, ids(0, 4))
    await holders.answer(id(1), id(2), id(3))
    assert.equal((await asking).answers.given.size, 4)
    assert.deepEqual(holders.asked, ids(0, 4))
  })

  it('resolves when there is nobody left to ask, and with nobody to ask at all', async () => {
    const holders = new Holders()
    assert.equal((await holders.ask([], 1)).answers.given.size, 0)
    const asking = holders.ask([{ holders: ids(0, 1) }, { holders: ids(1, 2) }], 9)
    await holders.answer(id(0))
    await holders.fail(id(1))
    const { answers, settled } = await asking
    await settled
    assert.deepEqual([answers.given.size, answers.failed.size], [1, 1])
  })

  it('ends everything when it is aborted, and asks nobody after it', async () => {
    const holders = new Holders()
    const controller = new AbortController()
    const asking = holders.ask([{ holders: ids(0, 2) }, { holders: ids(2, 4) }], 3, controller.signal)
    controller.abort()
    await assert.rejects(asking, { code: 'E_ABORTED' })
    await holders.clock.advance(10_000)
    assert.deepEqual([holders.asked, holders.late], [ids(0, 2), []])
    await assert.rejects(holders.ask([{ holders: ids(4, 5) }], 1, AbortSignal.abort()), { code: 'E_ABORTED' })
  })

  it('always resolves once all have settled, with enough if that many answered, asking each at most once', async () => {
    const wave = fc.record({ size: fc.nat(4), impatient: fc.boolean() })
    const event = fc.oneof(
      fc.record({ op: fc.constantFrom('answer' as const, 'fail' as const), at: fc.nat(19) }),
      fc.record({ op: fc.constant('pass' as const), ms: fc.nat(60) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(wave, { maxLength: 4 }), fc.array(event), fc.nat(12), async (sizes, events, enough) => {
        const holders = new Holders()
        let next = 0
        const waves = sizes.map(({ size, impatient }) => ({ holders: ids(next, (next += size)), impatient }))
        const asking = holders.ask(waves, enough)
        let resolved = false
        void asking.then(() => (resolved = true))
        for (const step of events) {
          if (step.op === 'pass') await holders.clock.advance(step.ms)
          else if (step.op === 'answer') await holders.answer(id(step.at))
          else await holders.fail(id(step.at))
        }
        const before = holders.asked.length
        const done = resolved
        for (let at = 0; at < next; at++) await holders.answer(...ids(0, next))
        const { answers, settled } = await asking
        await settled
        if (done) assert.equal(holders.asked.length, before)
        assert.equal(new Set(holders.asked).size, holders.asked.length)
        if (answers.given.size < enough) assert.equal(answers.given.size + answers.failed.size, next)
      }),
      { numRuns: 200 },
    )
  })
})
