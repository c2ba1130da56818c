import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { VirtualClock } from '@weft/core'
import { promiseSettler } from '../../src/simulation/promise-settler.ts'
import { Trace } from '../../src/simulation/trace.ts'

test('a trace is its lines, and its digest is theirs, at any moment', () => {
  let lines = ''
  const trace = new Trace((some) => (lines += some))
  for (let at = 0; at < 10_000; at++) {
    trace.note(at / 3, `event ${at}`)
    if (at % 3_000 === 0) trace.digest()
  }
  assert.equal(trace.digest(), createHash('sha256').update(lines).digest('hex'))
  assert.equal(trace.events, 10_000)
  assert.match(lines, /^0\.000 event 0\n0\.333 event 1\n/)
  assert.ok(lines.endsWith('3333.000 event 9999\n'))
})

test('every promise that can settle has settled before the next timer fires', async () => {
  const clock = new VirtualClock(0, promiseSettler())
  const order: string[] = []
  const deep = async (name: string, depth: number): Promise<void> => {
    for (let level = 0; level < depth; level++)
      await Promise.all([Promise.resolve(), Promise.race([Promise.resolve(), new Promise(() => {})])])
    order.push(name)
  }
  clock.after(1, () => void deep('deep', 1_000))
  clock.after(1, () => void deep('shallow', 1))
  await clock.advance(1)
  assert.deepEqual(order, ['deep', 'shallow'])
})
