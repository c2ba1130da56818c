import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLogger } from '@weft/core'
import { causeOfBlock } from '../../src/watch/block-cause.ts'
import { MainThreadWatch } from '../../src/watch/main-thread-watch.ts'

const BLOCK_MS = 400

test('a block is reported with how long it took and why', async () => {
  const reported = Promise.withResolvers<Record<string, unknown>>()
  // A collection of garbage may be another block before this one, and is shorter.
  const report = (_: string, fields: Readonly<Record<string, unknown>> = {}): void => {
    if (Number(fields['heldMs']) >= BLOCK_MS - 50) reported.resolve(fields)
  }
  using watch = new MainThreadWatch({ ...silentLogger, warn: report, debug: report })
  // The watch's timer does not keep the process alive.
  const alive = setInterval(() => {}, 1_000)
  setImmediate(() => {
    const end = performance.now() + BLOCK_MS
    while (performance.now() < end);
  })
  const { heldMs, cause } = await reported.promise
  clearInterval(alive)
  assert.ok(Number(heldMs) > 50)
  assert.ok(watch.blocks.size > 0 && watch.p99Ms > 50)
  // On a machine that is overloaded the processor may have been the lack.
  assert.match(String(cause), /^(computation|waiting for a processor)$/)
})

test('causes are told apart by what the thread used', () => {
  const at = (
    processorMs: number,
    waitedMs: number | undefined,
  ): { processorMs: number; waitedMs: number | undefined } => ({ processorMs, waitedMs })
  assert.equal(causeOfBlock(100, at(0, 0), at(90, 5), 0), 'computation')
  assert.equal(causeOfBlock(100, at(0, 0), at(90, 5), 80), 'garbage collection')
  assert.equal(causeOfBlock(100, at(0, 0), at(10, 80), 0), 'waiting for a processor')
  assert.equal(causeOfBlock(100, at(0, 0), at(5, 2), 0), 'blocking call')
  assert.equal(causeOfBlock(100, at(0, undefined), at(5, undefined), 0), 'blocking call')
})
