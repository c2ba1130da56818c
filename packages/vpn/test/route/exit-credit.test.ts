import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import fc from 'fast-check'
import { ExitCredit } from '../../src/route/exit-credit.ts'
import { makeMember } from './make-member.ts'

const DAY = 24 * 60 * 60_000
const [a, b] = [1, 2].map((index) => makeMember(index, ['exit']).id) as [DidKey, DidKey]

test('two targets of which it was wrong, half of all or more, and an exit is doubted; a target counts once, by what it showed last', () => {
  const credit = new ExitCredit(new VirtualClock())
  for (let time = 0; time < 5; time++) credit.judge(a, 1, 50)
  assert.equal(credit.isDoubted(a), false)
  credit.judge(a, 2, 50)
  assert.equal(credit.isDoubted(a), true)
  credit.judge(a, 2, 0)
  assert.equal(credit.isDoubted(a), false)
  credit.judge(a, 3, 50)
  assert.equal(credit.isDoubted(a), true)
  credit.judge(a, 4, 0)
  assert.equal(credit.isDoubted(a), true, 'two of four')
  credit.judge(a, 5, 0)
  assert.equal(credit.isDoubted(a), false, 'two of five')
  assert.equal(credit.isDoubted(b), false)
})

test('what is added to the word of an exit is the mean, with one target by which it was right, and no target counts for more than 250 ms', () => {
  const credit = new ExitCredit(new VirtualClock())
  assert.equal(credit.penaltyMs(a), 0)
  credit.judge(a, 1, 100)
  assert.equal(credit.penaltyMs(a), 50)
  credit.judge(a, 1, 10_000)
  assert.equal(credit.penaltyMs(a), 125)
  for (let target = 2; target <= 9; target++) credit.judge(a, target, 0)
  assert.equal(credit.penaltyMs(a), 25)
})

test('each judgement counts for a day', async () => {
  const clock = new VirtualClock()
  const credit = new ExitCredit(clock)
  credit.judge(a, 1, 50)
  await clock.advance(DAY / 2)
  credit.judge(a, 2, 50)
  await clock.advance(DAY / 2 - 1)
  assert.deepEqual([credit.isDoubted(a), credit.size], [true, 1])
  await clock.advance(1)
  assert.deepEqual([credit.isDoubted(a), credit.penaltyMs(a), credit.size], [false, 25, 1])
  await clock.advance(DAY / 2)
  assert.deepEqual([credit.penaltyMs(a), credit.size], [0, 0])
})

test('the latest 16 targets of an exit count, and 256 exits are kept: the one that was judged longest ago makes room', () => {
  const credit = new ExitCredit(new VirtualClock())
  for (let target = 0; target < 2; target++) credit.judge(a, target, 50)
  for (let target = 2; target < 18; target++) credit.judge(a, target, 0)
  assert.equal(credit.penaltyMs(a), 0)
  credit.judge(b, 1, 50)
  credit.judge(b, 2, 50)
  for (let index = 0; index < 254; index++) credit.judge(makeMember(100 + index, ['exit']).id, 1, 0)
  assert.deepEqual([credit.size, credit.isDoubted(b)], [256, true])
  credit.judge(makeMember(999, ['exit']).id, 1, 0)
  credit.judge(makeMember(998, ['exit']).id, 1, 0)
  assert.deepEqual([credit.size, credit.isDoubted(b)], [256, false])
})

test('whatever is judged: as bounded as it says, and an exit that was never wrong is believed', () => {
  const step = fc.record({ exit: fc.nat(300), target: fc.nat(40), excess: fc.nat(400), wait: fc.nat(DAY / 4) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      let now = 0
      const credit = new ExitCredit({ monotonic: () => now })
      for (const { exit, target, excess, wait } of steps) {
        now += wait
        const id = makeMember(1 + exit, ['exit']).id
        credit.judge(id, target, exit % 2 === 0 ? 0 : excess)
        assert.ok(credit.penaltyMs(id) >= 0 && credit.penaltyMs(id) <= 250)
        if (exit % 2 === 0) assert.deepEqual([credit.penaltyMs(id), credit.isDoubted(id)], [0, false])
      }
      assert.ok(credit.size <= 256)
    }),
  )
})
