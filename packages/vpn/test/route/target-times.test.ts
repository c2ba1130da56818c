import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DidKey } from '@weft/crypto'
import fc from 'fast-check'
import { TargetTimes, type TimedStream } from '../../src/route/target-times.ts'
import { makeMember } from './make-member.ts'

const [a, b, c] = [1, 2, 3].map((index) => makeMember(index, ['exit']).id) as [DidKey, DidKey, DidKey]
const SAID = new Map([
  [a, 10],
  [b, 60],
  [c, 30],
])

const timed = (kind: TimedStream['kind'], beyondMs: number, variationMs = 0): TimedStream => ({
  kind,
  tookMs: 40 + beyondMs,
  clientMs: 40,
  variationMs,
})

test('a connection that took more than 100 ms longer than the exit said is held against it alone', () => {
  const times = new TargetTimes()
  assert.equal(times.excess(a, SAID), undefined)
  times.add(a, timed('connect', 110))
  assert.equal(times.excess(a, SAID), 0)
  times.add(b, timed('connect', 161))
  assert.equal(times.excess(b, SAID), 101)
})

test('an answer is held against what the target thought, by the least through others that were asked', () => {
  const times = new TargetTimes()
  times.add(a, timed('answer', 510))
  assert.equal(times.excess(a, SAID), undefined, 'nothing came through another')
  times.add(b, timed('answer', 60 + 475))
  assert.equal(times.excess(a, SAID), 0, 'as late as it may be')
  times.add(c, timed('answer', 30 + 400))
  assert.equal(times.excess(a, SAID), 100)
  assert.equal(times.excess(b, SAID), 75)
  assert.equal(times.excess(a, new Map([[a, 10]])), undefined, 'the others were not asked')
  assert.equal(times.excess(a, new Map([[b, 60]])), undefined, 'it was not asked')
})

test('that an exit says early that it is connected does not make up for answers that are late', () => {
  const times = new TargetTimes()
  times.add(a, timed('connect', 0))
  times.add(b, timed('answer', 60))
  times.add(a, timed('answer', 200))
  assert.equal(times.excess(a, SAID), 190)
})

test('of several times the middle one counts, of five at most', () => {
  const times = new TargetTimes()
  times.add(b, timed('answer', 60))
  for (const beyond of [900, 10, 900, 10, 10]) times.add(a, timed('answer', beyond))
  assert.equal(times.excess(a, SAID), 0)
  for (const beyond of [310, 310, 310]) times.add(a, timed('answer', beyond))
  assert.equal(times.excess(a, SAID), 300)
})

test('times of a way that varies may be off by that, on both sides; and by no more than 50 ms each, however much it varies', () => {
  const times = new TargetTimes()
  times.add(b, timed('answer', 60, 10))
  times.add(a, timed('answer', 10 + 64, 10))
  assert.equal(times.excess(a, SAID), 0)
  const wild = new TargetTimes()
  wild.add(b, timed('answer', 60, 1_000))
  wild.add(a, timed('answer', 10 + 126, 1_000))
  assert.equal(wild.excess(a, SAID), 26)
})

test('whatever is added: an excess is no number but 0 or more than what is let pass', () => {
  const id = fc.constantFrom(a, b, c)
  const ms = fc.oneof(fc.nat(500), fc.constantFrom(0, -1, Number.NaN, Infinity, -Infinity))
  const one = fc.record({
    id,
    kind: fc.constantFrom('connect' as const, 'answer' as const),
    tookMs: ms,
    clientMs: ms,
    variationMs: ms,
  })
  let late = 0
  fc.assert(
    fc.property(fc.array(one, { maxLength: 40 }), fc.array(fc.tuple(id, fc.nat(300))), (all, said) => {
      const times = new TargetTimes()
      for (const { id: exit, ...each } of all) times.add(exit, each)
      for (const exit of [a, b, c]) {
        const excess = times.excess(exit, new Map(said))
        if (excess === undefined || excess === 0) continue
        late++
        assert.ok(excess > 25 && excess < Infinity)
      }
    }),
    { numRuns: 1_000 },
  )
  assert.ok(late > 10, `${late}`)
})
