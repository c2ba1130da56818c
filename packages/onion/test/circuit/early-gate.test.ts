import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@weft/core'
import { EarlyGate, earlyTime } from '../../src/circuit/early-gate.ts'
import { SeenClientKeys } from '../../src/circuit/seen-client-keys.ts'

const ONION = new Uint8Array(32)

function memoryOf(limit: number) {
  const memory = new SeenClientKeys(limit)
  let at = 0
  const remember = (count: number): void => {
    for (const end = at + count; at < end; at++) memory.remember(ONION, Uint8Array.of(at >>> 8, at & 0xff))
  }
  return { memory, remember }
}

test('the time of an early key is of about now, over its turn as well', () => {
  assert.deepEqual([0, 31_999, 32_000, 32_000 * 65_535, 32_000 * 65_536].map(earlyTime), [0, 0, 1, 65_535, 0])
  for (const nowMs of [1_795_000_000_000, 32_000 * 65_536 * 800]) {
    const gate = new EarlyGate(new VirtualClock(nowMs), memoryOf(10).memory, true)
    for (const [ms, takes] of [
      [0, true],
      [-32_000, true],
      [32_000, true],
      [-64_000, false],
      [64_000, false],
      [-86_400_000, false],
      [86_400_000, false],
    ] as const)
      assert.equal(gate.takes(earlyTime(nowMs + ms)), takes, `${nowMs} ${ms}`)
  }
})

test('a hop that was started takes none until it remembers all that could have come, and again after it forgot', async () => {
  const clock = new VirtualClock(1_795_000_000_000)
  const { memory, remember } = memoryOf(10)
  const gate = new EarlyGate(clock, memory, false)
  const takes = (): boolean => gate.takes(earlyTime(clock.now()))
  assert.equal(takes(), false)
  await clock.advance(95_999)
  assert.equal(takes(), false)
  await clock.advance(1)
  assert.equal(takes(), true)
  // The second generation begins, and nothing is forgotten.
  remember(11)
  assert.deepEqual([memory.generation, takes()], [1, true])
  await clock.advance(60_000)
  assert.equal(takes(), true)
  // With the third the first is: what is remembered began 60 s ago.
  remember(10)
  assert.deepEqual([memory.generation, takes()], [2, false])
  await clock.advance(36_000)
  assert.equal(takes(), true)
  // More than one since it was asked last.
  remember(30)
  assert.equal(takes(), false)
  await clock.advance(95_999)
  assert.equal(takes(), false)
  await clock.advance(1)
  assert.equal(takes(), true)
})

test('where nobody can have used the keys before, they are taken from the start', () => {
  const clock = new VirtualClock(1_795_000_000_000)
  assert.ok(new EarlyGate(clock, memoryOf(10).memory, true).takes(earlyTime(clock.now())))
})
