import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Fault, VirtualClock } from '@weft/core'
import { watchFaults } from '../../src/health/fault-watch.ts'

test('tells when a fault came, changed its words, or went, and nothing else', async () => {
  const clock = new VirtualClock()
  let now: readonly Fault[] = []
  const heard: (readonly string[])[] = []
  const watch = watchFaults(
    clock,
    () => now,
    (faults) => heard.push(faults.map(({ cause }) => cause)),
  )
  const step = async (faults: readonly Fault[]): Promise<void> => {
    now = faults
    await clock.advance(2_000)
  }
  await step([])
  await step([{ code: 'E_A', cause: 'one', fix: 'f' }])
  await step([{ code: 'E_A', cause: 'one', fix: 'f' }])
  await step([{ code: 'E_A', cause: 'two', fix: 'f' }])
  await step([])
  watch[Symbol.dispose]()
  await step([{ code: 'E_B', cause: 'late', fix: 'f' }])
  assert.deepEqual(heard, [['one'], ['two'], []])
})
