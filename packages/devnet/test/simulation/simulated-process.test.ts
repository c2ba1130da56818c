import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@weft/core'
import { SimulatedProcess } from '../../src/simulation/simulated-process.ts'

const SITE = { region: 'europe', address: '10.0.0.1' }

function fixture(skewMs = 0) {
  const time = new VirtualClock(1_000.5, async () => {})
  const process = new SimulatedProcess('n1', SITE, time, skewMs)
  const log: string[] = []
  return { time, process, log, arrive: (what: string) => process.arrive(() => log.push(what)) }
}

test('its clock tells whole ms, and may be wrong', () => {
  assert.equal(fixture().process.clock.now(), 1_000)
  assert.equal(fixture(-400).process.clock.now(), 600)
})

test('while it is stalled nothing runs; then timers come before arrivals, and what was cancelled meanwhile never', async () => {
  const { time, process, log, arrive } = fixture()
  process.clock.after(10, () => log.push('timer'))
  const cancel = process.clock.after(20, () => log.push('cancelled'))
  process.stall()
  arrive('first')
  await time.advance(100)
  arrive('second')
  cancel()
  assert.deepEqual(log, [])
  process.resume()
  arrive('third')
  await time.advance(0)
  assert.deepEqual(log, ['timer', 'first', 'second', 'third'])
  arrive('fourth')
  assert.equal(log.at(-1), 'fourth')
})

test('a stall in the middle of catching up keeps the rest for later', async () => {
  const { time, process, log, arrive } = fixture()
  process.stall()
  process.arrive(() => process.stall())
  arrive('rest')
  process.resume()
  await time.advance(10)
  assert.deepEqual(log, [])
  process.resume()
  await time.advance(0)
  assert.deepEqual(log, ['rest'])
})

test('of one that ended nothing is heard, and it keeps no timer', async () => {
  const { time, process, log, arrive } = fixture()
  process.clock.after(10, () => log.push('timer'))
  process.end('ended')
  process.clock.after(10, () => log.push('late'))
  arrive('late')
  process.resume()
  assert.equal(time.nextDue, undefined)
  await time.advance(100)
  assert.deepEqual(log, [])
})
