import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import fc from 'fast-check'
import { type MeasuredWay, NearestExits } from '../../src/route/nearest-exits.ts'
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

/** `a` is far from all targets and says 0 ms; `b` is 60 ms from them and says so. Targets think for `thinkMs`. */
function liar(thinkMs: number) {
  const made = make()
  const visit = (host: string, exit: DidKey): void => {
    const way = exit === a ? 150 : 60
    made.exits.learn(host, exit, 40 + way + thinkMs, 40)
  }
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

test('an exit that says 0 ms of all gets three answers, whatever the targets take themselves; then it is left out for a day', async () => {
  for (const thinkMs of [0, 5, 800]) {
    const { clock, exits, open, visit, near } = liar(thinkMs)
    for (const host of ['1.test', '2.test', '3.test']) {
      open(host)
      assert.deepEqual(near(host), [a], `${thinkMs} ms, ${host}`)
      visit(host, a)
    }
    assert.equal(exits.isDoubted(a), true)
    assert.deepEqual(near('1.test'), [b])
    open('4.test')
    assert.deepEqual(near('4.test'), [b])
    await clock.advance(DAY)
    assert.equal(exits.isDoubted(a), false)
  }
})

test('an honest exit is not doubted: where targets are slow, where half of its answers are late, and where nothing came through another', () => {
  const { exits, know } = make()
  const slow = (late: boolean): void => exits.learn('a.test', a, 40 + 5 + 500 + (late ? 300 : 0), 40)
  know('a.test', [
    [a, 5],
    [b, 60],
  ])
  for (let count = 0; count < 10; count++) slow(true)
  assert.equal(exits.isDoubted(a), false, 'there is nothing to hold it against')
  exits.learn('a.test', b, 40 + 60 + 500, 40)
  for (let count = 0; count < 20; count++) slow(count % 5 < 2)
  assert.equal(exits.isDoubted(a), false, 'two of five are late')
  for (let count = 0; count < 20; count++) slow(true)
  assert.equal(exits.isDoubted(a), true)
})

test('a time that is none changes nothing', () => {
  const { exits, know } = make()
  know('a.test', [
    [a, 0],
    [b, 60],
  ])
  for (const none of [Number.NaN, Infinity]) exits.learn('a.test', b, none, 40)
  exits.learn('a.test', b, 100, 40)
  for (let count = 0; count < 3; count++) exits.learn('a.test', a, 40 + 150, 40)
  assert.equal(exits.isDoubted(a), true)
})

test('a lie of up to 25 ms is not seen', () => {
  const { exits, know } = make()
  know('a.test', [
    [a, 0],
    [b, 60],
  ])
  exits.learn('a.test', b, 100, 40)
  for (let count = 0; count < 10; count++) exits.learn('a.test', a, 40 + 25, 40)
  assert.equal(exits.isDoubted(a), false)
})

test('whatever is told of whatever: within its bounds, no number but a time, nobody far, none that is doubted', () => {
  const id = fc.constantFrom(a, b, c, d)
  const host = fc.constantFrom('a.test', 'b.test', 'A.TEST.', '', '__proto__')
  const ms = fc.oneof(fc.nat(500), fc.constantFrom(0, -1, Number.NaN, Infinity, -Infinity, 4_294_967.295))
  const step = fc.oneof(
    fc.record({ kind: fc.constant('begin' as const), host }),
    fc.record({ kind: fc.constant('set' as const), host, ways: fc.array(fc.tuple(id, fc.nat(5_000), fc.nat(5_000))) }),
    fc.record({ kind: fc.constant('learn' as const), host, id, answer: ms, client: ms }),
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
        else if (each.kind === 'learn') exits.learn(each.host, each.id, each.answer, each.client)
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
