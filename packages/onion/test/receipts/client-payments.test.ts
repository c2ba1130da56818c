import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '@weft/core'
import fc from 'fast-check'
import { ClientPayments } from '../../src/receipts/client-payments.ts'
import { ReceiptAnswer } from '../../src/receipts/receipt.ts'
import { CELLS_A_PAYMENT } from '../../src/receipts/use-meter.ts'

const KEY = new Uint8Array(32)
const WAY_MS = 30
const ALL = 3
const PADDING = 1

interface Sent {
  readonly at: number
  readonly depth: number
  readonly isQuestion: boolean
}

/**
 * What is sent for cells at these times. The entry says that all it can say is due; the other hops want no pay.
 * @param hasOthers tokens are of keys that nobody names
 * @param passedBy of a cell, how many hops it is for: all with one of the session, the entry alone with padding
 */
function payments(
  times: readonly number[],
  passedBy: (cell: number) => number,
  hasTier = true,
  tokens = Infinity,
  hasOthers = false,
) {
  const sent: Sent[] = []
  const due: { readonly at: number; readonly say: () => void }[] = []
  let [now, left] = [0, tokens]
  const of = new ClientPayments({
    purse: {
      pay: () => (hasOthers || left-- <= 0 ? undefined : Uint8Array.of(1)),
      get hasNone() {
        return left <= 0
      },
      answered: () => {},
      overcharged: () => {},
    },
    random: seededRandom(1),
    hops: [1, 2, 3].map((id) => new Uint8Array(32).fill(id)),
    now,
    hasTier,
    send: (depth, { token, spend }) => {
      sent.push({ at: now, depth, isQuestion: spend.length === 0 })
      of.count(depth, now)
      const answer = spend.length === 0 ? ReceiptAnswer.none : ReceiptAnswer.taken
      const keys = depth === 0 ? [KEY] : []
      const say = (): void => {
        of.countOwn(depth, now)
        of.receipt(depth, { token, answer, due: 2 ** 32 - 1, taken: 0, keys }, now)
      }
      due.push({ at: now + WAY_MS, say })
    },
  })
  const reach = (at: number): void => {
    for (let next = due[0]; next !== undefined && next.at <= at; next = due[0]) {
      due.shift()
      now = next.at
      next.say()
    }
    now = at
  }
  for (const [cell, at] of times.entries()) {
    reach(at)
    of.carried(passedBy(cell), at)
  }
  reach(now + 1_000)
  return { of, sent }
}

/** Bursts, flows and pauses. */
const flows = fc.array(
  fc.record({ cells: fc.nat(800), everyMs: fc.integer({ min: 1, max: 200 }), pauseMs: fc.nat(40_000) }),
  { minLength: 1, maxLength: 12 },
)

function timesOf(all: readonly { readonly cells: number; readonly everyMs: number; readonly pauseMs: number }[]) {
  let now = 100
  return all.flatMap(({ cells, everyMs, pauseMs }) => {
    now += pauseMs
    return Array.from({ length: cells }, () => (now += everyMs))
  })
}

test('with a tier the entry is asked and paid at the same times whether cells are real or padding, and the others are asked alike', () => {
  let paid = 0
  fc.assert(
    fc.property(flows, fc.infiniteStream(fc.boolean()), (all, areReal) => {
      const times = timesOf(all)
      const real = payments(times, () => ALL).sent
      const some = times.map(() => areReal.next().value === true)
      paid += real.filter(({ isQuestion }) => !isQuestion).length
      // While little flows a hop is asked by itself: what is real shows then by itself as well.
      const isBusy = times.length > 0 && all.every(({ cells, pauseMs }) => cells >= 60 && pauseMs < 20_000)
      const seen = (sent: readonly Sent[]): readonly Sent[] => (isBusy ? sent : sent.filter(({ depth }) => depth === 0))
      assert.deepEqual(seen(payments(times, () => PADDING).sent), seen(real))
      assert.deepEqual(seen(payments(times, (cell) => (some[cell] === true ? ALL : PADDING)).sent), seen(real))
    }),
    { numRuns: 60 },
  )
  assert.ok(paid > 100)
})

test('without a tier a hop that nothing passed is not asked', () => {
  const times = Array.from({ length: CELLS_A_PAYMENT }, (_, at) => at * 10)
  const { sent } = payments(times, () => PADDING, false)
  assert.ok(sent.length > 0 && sent.every(({ depth }) => depth === 0))
})

test('what the entry says that it is owed is paid by what it passed on, and no more', () => {
  const times = Array.from({ length: 8 * CELLS_A_PAYMENT }, (_, at) => at * 10)
  const { of, sent } = payments(times, () => PADDING)
  assert.deepEqual(of.due, [8, 0, 0])
  assert.equal(sent.filter(({ isQuestion }) => !isQuestion).length, 8 * 1.25 + 2)
})

test('a hop is owed what is due and there are no tokens for; not what it wants in tokens of a key that nobody else names', () => {
  const times = Array.from({ length: 2 * CELLS_A_PAYMENT }, (_, at) => at * 10)
  assert.deepEqual(
    [0, 1, 2].map((depth) => payments(times, () => ALL, false, 0).of.owes(depth)),
    [true, false, false],
  )
  assert.ok(!payments(times, () => ALL, false, 10, true).of.owes(0))
  assert.ok(!payments(times, () => ALL).of.owes(0))
})
