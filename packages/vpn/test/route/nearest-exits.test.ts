import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import fc from 'fast-check'
import { type MeasuredWay, NearestExits } from '../../src/route/nearest-exits.ts'
import type { TimedStream } from '../../src/route/target-times.ts'
import { makeMember } from './make-member.ts'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
const [a, b, c, d] = [1, 2, 3, 4].map((index) => makeMember(index, ['exit']).id) as [DidKey, DidKey, DidKey, DidKey]

function make() {
  const clock = new VirtualClock()
  const exits = new NearestExits(clock)
  const know = (host: string, ways: readonly (readonly [DidKey, number, number?])[]): void => {
    exits.begin(host)
    exits.set(
      host,
      new Map(ways.map(([id, exitMs, clientMs = 40]): [DidKey, MeasuredWay] => [id, { exitMs, clientMs }])),
    )
  }
  const near = (host = 'a.test', without?: ReadonlySet<DidKey>) => [...(exits.of(host, without)?.keys() ?? [])]
  return { clock, exits, know, near }
}

test('the near exits are those up to 10 ms behind the nearest, by the way to the target and a quarter of that to the exit', () => {
  const { exits, know } = make()
  know('a.test', [
    [a, 5, 40],
    [b, 15, 40],
    [c, 16, 40],
    [d, 5, 80],
  ])
  assert.deepEqual(
    [...(exits.of('a.test') ?? [])],
    [
      [a, 15],
      [b, 25],
      [d, 25],
    ],
  )
  // Off the line: as near, but three quarters of a second away.
  know('b.test', [
    [a, 5, 750],
    [b, 60, 40],
  ])
  assert.deepEqual([...(exits.of('b.test')?.keys() ?? [])], [b])
})

test('names are the same in capitals and with a dot; other targets are not known', () => {
  const { exits, know, near } = make()
  know('A.Test.', [
    [a, 5],
    [b, 50],
  ])
  assert.deepEqual(near('a.tesT'), [a])
  assert.deepEqual([exits.has('a.test'), exits.has('b.test'), exits.of('b.test')], [true, false, undefined])
})

test('those that do not serve at the moment make room for the next; nobody left is as nothing known', () => {
  const { exits, know, near } = make()
  know('a.test', [
    [a, 5],
    [b, 50],
    [c, 55],
  ])
  assert.deepEqual(near('a.test', new Set([a])), [b, c])
  assert.equal(exits.of('a.test', new Set([a, b, c])), undefined)
})

test('one that alone answered is no choice, and is asked about again after 5 minutes; others after 30', async () => {
  const { clock, exits, know, near } = make()
  know('one.test', [[a, 5]])
  know('a.test', [
    [a, 5],
    [b, 50],
  ])
  assert.deepEqual([exits.of('one.test'), exits.has('one.test')], [undefined, true])
  await clock.advance(5 * MINUTE)
  assert.equal(exits.has('one.test'), false)
  await clock.advance(25 * MINUTE - 1)
  assert.deepEqual(near(), [a])
  await clock.advance(1)
  assert.deepEqual([near(), exits.has('a.test')], [[], false])
})

test('128 targets are kept: the one that was used longest ago makes room', () => {
  const { exits, know, near } = make()
  for (let index = 0; index < 128; index++)
    know(`${index}.test`, [
      [a, 5],
      [b, 50],
    ])
  assert.deepEqual(near('0.test'), [a])
  know('more.test', [[a, 5]])
  assert.deepEqual([exits.size, exits.has('0.test'), exits.has('1.test')], [128, true, false])
  // What was asked of one that made room comes too late.
  exits.set('1.test', new Map([[a, { exitMs: 1, clientMs: 1 }]]))
  assert.equal(exits.has('1.test'), false)
})

/** An answer that took so long beyond the exit. */
const answer = (beyondMs: number, variationMs = 0): TimedStream => ({
  kind: 'answer',
  tookMs: 40 + beyondMs,
  clientMs: 40,
  variationMs,
})

/** `a` is far from all targets and says 0 ms; `b` is 60 ms from them and says so. Targets think for `thinkMs`. */
function liar(thinkMs: number) {
  const made = make()
  const visit = (host: string, exit: DidKey): void =>
    made.exits.learn(host, exit, answer((exit === a ? 150 : 60) + thinkMs))
  const open = (host: string): void => {
    made.exits.begin(host)
    // Nobody waits until it is known: the first stream goes over the exit in use.
    visit(host, b)
    made.know(host, [
      [a, 0],
      [b, 60],
    ])
    visit(host, b)
  }
  return { ...made, visit, open }
}

test('an exit that says 0 ms of all gets one answer of a target, whatever that takes itself; after two targets it is left out for a day', async () => {
  for (const thinkMs of [0, 5, 800]) {
    const { clock, exits, open, visit, near } = liar(thinkMs)
    open('1.test')
    assert.deepEqual(near('1.test'), [a], `${thinkMs} ms`)
    visit('1.test', a)
    assert.deepEqual(near('1.test'), [b], 'where it showed')
    open('2.test')
    assert.deepEqual(near('2.test'), [b], 'and elsewhere, by what it was too good there')
    assert.equal(exits.isDoubted(a), false)
    visit('2.test', a)
    assert.equal(exits.isDoubted(a), true)
    await clock.advance(DAY - 1)
    assert.equal(exits.isDoubted(a), true)
    await clock.advance(1)
    assert.equal(exits.isDoubted(a), false)
  }
})

test('one target makes nobody a liar, however often it is slow', () => {
  const { exits, open, visit } = liar(5)
  open('1.test')
  for (let count = 0; count < 50; count++) visit('1.test', a)
  assert.equal(exits.isDoubted(a), false)
})

test('an honest exit is believed: where targets are slow, where most targets fit, and where nothing came through another', () => {
  const { exits, know } = make()
  const ways = [
    [a, 5],
    [b, 60],
  ] as const
  for (let host = 0; host < 9; host++) {
    know(`${host}.test`, ways)
    exits.learn(`${host}.test`, a, answer(5 + 800))
  }
  assert.equal(exits.isDoubted(a), false, 'there is nothing to hold it against')
  for (let host = 0; host < 9; host++) exits.learn(`${host}.test`, b, answer(60 + (host < 4 ? 500 : 800)))
  assert.equal(exits.isDoubted(a), false, 'four of nine are late')
  exits.learn('5.test', b, answer(60 + 100))
  exits.learn('5.test', b, answer(60 + 100))
  assert.equal(exits.isDoubted(a), true)
})

test('a time that is none changes nothing', () => {
  const { exits, know, near } = make()
  const ways = [
    [a, 0],
    [b, 60],
  ] as const
  know('a.test', ways)
  for (const none of [Number.NaN, Infinity, -Infinity])
    for (const exit of [a, b]) {
      exits.learn('a.test', exit, { ...answer(0), tookMs: none })
      exits.learn('a.test', exit, { ...answer(0), clientMs: none })
      exits.learn('a.test', exit, { ...answer(0), variationMs: -1 })
    }
  assert.deepEqual(near(), [a])
  exits.learn('a.test', b, answer(60))
  exits.learn('a.test', a, answer(150))
  assert.deepEqual(near(), [b])
})

test('whatever is told of whatever: within its bounds, no number but a time, nobody far, none that is doubted', () => {
  const id = fc.constantFrom(a, b, c, d)
  const host = fc.constantFrom('a.test', 'b.test', 'A.TEST.', '', '__proto__')
  const ms = fc.oneof(fc.nat(500), fc.constantFrom(0, -1, Number.NaN, Infinity, -Infinity, 4_294_967.295))
  const step = fc.oneof(
    fc.record({ kind: fc.constant('begin' as const), host }),
    fc.record({ kind: fc.constant('set' as const), host, ways: fc.array(fc.tuple(id, fc.nat(5_000), fc.nat(5_000))) }),
    fc.record({
      kind: fc.constant('learn' as const),
      host,
      id,
      timed: fc.record({
        kind: fc.constantFrom('connect' as const, 'answer' as const),
        tookMs: ms,
        clientMs: ms,
        variationMs: ms,
      }),
    }),
    fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(40 * MINUTE) }),
  )
  let seen = 0
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let now = 0
      const exits = new NearestExits({ monotonic: () => now })
      for (const each of steps) {
        if (each.kind === 'begin') exits.begin(each.host)
        else if (each.kind === 'wait') now += each.ms
        else if (each.kind === 'learn') exits.learn(each.host, each.id, each.timed)
        else exits.set(each.host, new Map(each.ways.map(([exit, exitMs, clientMs]) => [exit, { exitMs, clientMs }])))
        for (const name of ['a.test', 'b.test']) {
          const near = exits.of(name)
          if (near === undefined) continue
          seen++
          const all = [...near.values()]
          assert.ok(near.size > 0 && all.every((value) => value >= 1 && value < Infinity))
          assert.ok(Math.max(...all) - Math.min(...all) <= 10)
          assert.ok([...near.keys()].every((exit) => !exits.isDoubted(exit)))
        }
      }
      assert.ok(exits.size <= 4)
    }),
    { numRuns: 3_000 },
  )
  assert.ok(seen > 100, `${seen}`)
})
