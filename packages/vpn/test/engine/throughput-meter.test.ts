import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@weft/core'
import { ThroughputMeter } from '../../src/engine/throughput-meter.ts'
import type { Throughput } from '../../src/vpn.ts'

function rig() {
  const clock = new VirtualClock()
  const bytes = { sent: 5_000, received: 0 }
  const told: Throughput[] = []
  const meter = new ThroughputMeter(
    clock,
    () => ({ ...bytes }),
    (rate) => told.push(rate),
  )
  return { clock, bytes, told, meter }
}

test('what came and went is told each second while something does, and once more when nothing does any longer', async () => {
  const { clock, bytes, told, meter } = rig()
  meter.start()
  await clock.advance(1_000)
  assert.deepEqual(told, [])
  bytes.sent += 100
  bytes.received += 200
  await clock.advance(1_000)
  const last = { sentBytesPerSecond: 100, receivedBytesPerSecond: 200, sentBytes: 100, receivedBytes: 200 }
  assert.deepEqual(told, [last])
  await clock.advance(5_000)
  assert.deepEqual(told, [last, { ...last, sentBytesPerSecond: 0, receivedBytesPerSecond: 0 }])
  assert.deepEqual(meter.rate, told[1])
  meter.stop()
})

test('a meter that is stopped has no rate, keeps its totals, and goes on from them', async () => {
  const { clock, bytes, told, meter } = rig()
  meter.start()
  bytes.received += 3_000
  await clock.advance(1_000)
  assert.equal(meter.rate.receivedBytesPerSecond, 3_000)
  meter.stop()
  const stopped = { sentBytesPerSecond: 0, receivedBytesPerSecond: 0, sentBytes: 0, receivedBytes: 3_000 }
  assert.deepEqual(meter.rate, stopped)
  // What flows meanwhile is of nothing that is measured.
  bytes.received += 500
  await clock.advance(5_000)
  assert.equal(told.length, 1)
  meter.start()
  assert.deepEqual(meter.rate, stopped)
  bytes.sent += 40
  await clock.advance(1_000)
  assert.deepEqual(meter.rate, { ...stopped, sentBytesPerSecond: 40, sentBytes: 40 })
  meter.stop()
})
