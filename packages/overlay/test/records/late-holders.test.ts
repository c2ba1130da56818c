import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import { LateHolders } from '../../src/records/late-holders.ts'

const id = (at: number): DidKey => `did:key:z${at}` as DidKey

test('remembers who was late for a minute after the last time, and 1,024 of them', async () => {
  const clock = new VirtualClock()
  const late = new LateHolders(clock)
  late.note(id(1))
  assert.deepEqual([late.has(id(1)), late.has(id(2))], [true, false])
  await clock.advance(40_000)
  late.note(id(1))
  await clock.advance(59_999)
  assert.equal(late.has(id(1)), true)
  await clock.advance(1)
  assert.equal(late.has(id(1)), false)
  for (let at = 0; at <= 1_024; at++) late.note(id(at))
  assert.deepEqual([late.has(id(0)), late.has(id(1)), late.has(id(1_024))], [false, true, true])
})
