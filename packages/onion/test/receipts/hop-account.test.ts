import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { HopAccount } from '../../src/receipts/hop-account.ts'
import { type Receipt, ReceiptAnswer } from '../../src/receipts/receipt.ts'
import { CELLS_A_PAYMENT, PAYMENT_MS, UseMeter } from '../../src/receipts/use-meter.ts'

const token = (number: number): Uint8Array => Uint8Array.of(number >> 8, number, 0, 0, 0, 0, 0, 1)
const spend = Uint8Array.of(1)

/** An account whose till answers when it is told to. */
function account() {
  const asked: ((answer: ReceiptAnswer) => void)[] = []
  const said: Receipt[] = []
  const of = new HopAccount({ keys: [new Uint8Array(32)], take: (_, __, done) => void asked.push(done) }, 'C', 0)
  return {
    of,
    asked,
    said,
    carry: (cells: number, now: number): void => {
      for (let at = 0; at < cells; at++) of.carried(now)
    },
    pay: (number: number, now: number, bytes = spend): void =>
      of.pay({ token: token(number), spend: bytes }, now, (receipt) => void said.push(receipt)),
  }
}

test('a payment is due for 2,988 cells, or for a minute in which more than signs of life went', () => {
  const meter = new UseMeter()
  for (let at = 1; at < CELLS_A_PAYMENT; at++) assert.ok(!meter.add(1_000))
  assert.ok(meter.add(1_000))
  assert.equal(meter.due, 1)
  for (let at = 0; at < 63; at++) meter.add(2_000)
  assert.ok(!meter.add(2_000 + PAYMENT_MS), 'a circuit that stands ready costs nothing')
  for (let at = 0; at < 63; at++) meter.add(100_000)
  assert.equal(meter.cells, 64)
  assert.ok(!meter.add(2_000 + 2 * PAYMENT_MS - 1))
  assert.ok(meter.add(2_000 + 2 * PAYMENT_MS))
  assert.deepEqual([meter.due, meter.cells], [2, 1])
})

test('cells that go at whatever times: never more is due than by cells and minutes together', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(5_000), fc.nat(90_000)), { maxLength: 40 }), (bursts) => {
      const meter = new UseMeter()
      let [now, all] = [0, 0]
      for (const [cells, pause] of bursts) {
        for (let at = 0; at < cells; at++) meter.add(now)
        all += cells
        now += pause
      }
      assert.ok(meter.due <= Math.floor(all / CELLS_A_PAYMENT) + Math.floor(now / PAYMENT_MS))
      // A span without a payment has fewer than 64 cells and lasts a minute.
      assert.ok(meter.due >= Math.floor((all - 64 * (now / PAYMENT_MS + 1)) / CELLS_A_PAYMENT) - 1)
    }),
    { numRuns: 50 },
  )
})

test('a payment is told as taken when it is kept, and no sooner; sent twice it counts once', () => {
  const { of, asked, said, carry, pay } = account()
  carry(CELLS_A_PAYMENT, 0)
  pay(1, 0)
  pay(1, 0)
  assert.deepEqual([asked.length, said.length], [1, 0])
  assert.ok(!of.isOverdue(20_000), 'what is looked into is not late')
  asked[0]?.(ReceiptAnswer.taken)
  pay(1, 10)
  assert.deepEqual(
    said.map(({ answer, due, taken }) => [answer, due, taken]),
    [
      [ReceiptAnswer.taken, 1, 1],
      [ReceiptAnswer.taken, 1, 1],
    ],
  )
  pay(2, 20, new Uint8Array())
  assert.deepEqual([said[2]?.answer, said[2]?.taken, asked.length], [ReceiptAnswer.none, 1, 1])
})

test('who pays nothing is cut after 10 s, who paid before after 30 s', () => {
  const never = account()
  never.carry(CELLS_A_PAYMENT, 1_000)
  assert.ok(!never.of.isOverdue(11_000))
  assert.ok(never.of.isOverdue(11_001))
  const once = account()
  once.carry(CELLS_A_PAYMENT, 1_000)
  once.pay(1, 1_000)
  once.asked[0]?.(ReceiptAnswer.taken)
  once.carry(CELLS_A_PAYMENT, 2_000)
  assert.ok(!once.of.isOverdue(32_000))
  assert.ok(once.of.isOverdue(32_001))
  const many = account()
  many.pay(1, 0)
  many.asked[0]?.(ReceiptAnswer.taken)
  many.carry(66 * CELLS_A_PAYMENT, 0)
  assert.ok(!many.of.isOverdue(10_000))
  assert.ok(many.of.isOverdue(10_001), 'more than 256 MiB')
})

test('a payment that was no good leaves what is owed as late as it was, and sixteen end the circuit', () => {
  const { of, asked, carry, pay } = account()
  carry(CELLS_A_PAYMENT, 0)
  for (let at = 0; at < 16; at++) {
    assert.ok(!of.isOverdue(9_000))
    pay(at, at * 100)
    asked[at]?.(ReceiptAnswer.notAuthentic)
  }
  assert.ok(of.isOverdue(9_000))
  const other = account()
  other.pay(1, 0)
  other.carry(CELLS_A_PAYMENT, 0)
  other.asked[0]?.(ReceiptAnswer.spent)
  assert.ok(other.of.isOverdue(10_001), 'also what became due while one was looked into that was no good')
})

test('who pays while the till has no room for a minute is not late, and is when it has again', () => {
  const { of, asked, carry, pay } = account()
  carry(40 * CELLS_A_PAYMENT, 0)
  for (let now = 0; now <= 60_000; now += 500) {
    pay(1, now)
    asked.shift()?.(ReceiptAnswer.noRoom)
    assert.ok(!of.isOverdue(now), `${now}`)
  }
  pay(1, 60_500)
  asked.shift()?.(ReceiptAnswer.taken)
  assert.ok(!of.isOverdue(90_000))
  assert.ok(of.isOverdue(90_001))
})

test('what a client sends at will costs the till little', () => {
  const { asked, said, pay } = account()
  for (let at = 0; at < 1_000; at++) pay(at, 0)
  assert.equal(asked.length, 4, 'no more ahead of what is due')
  assert.equal(said.length, 60, '64 a second are answered')
  assert.ok(said.every(({ answer }) => answer === ReceiptAnswer.tooEarly))
})

test('whatever is paid and refused: what is owed is what is due less what was taken', () => {
  const step = fc.oneof(
    fc.record({ carry: fc.nat(4_000) }),
    fc.record({ pay: fc.nat(30) }),
    fc.record({ answer: fc.constantFrom(ReceiptAnswer.taken, ReceiptAnswer.noRoom, ReceiptAnswer.tooEarly) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { of, asked, said, carry, pay } = account()
      let now = 0
      for (const one of steps) {
        now += 20
        if ('carry' in one) carry(one.carry, now)
        else if ('pay' in one) pay(one.pay, now)
        else asked.shift()?.(one.answer)
      }
      for (const done of asked.splice(0)) done(ReceiptAnswer.noRoom)
      pay(99, now + 1_000, new Uint8Array())
      const last = said.at(-1)
      assert.ok(last !== undefined)
      assert.equal(of.isOverdue(now + 40_000), last.due > last.taken)
    }),
    { numRuns: 200 },
  )
})
