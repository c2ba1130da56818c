import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { TransferLog } from '../../src/events/transfer-log.ts'

test('property: totals count each byte once and each end once; what is kept is bounded', () => {
  const step = fc.record({
    id: fc.constantFrom('a', 'b', 'c'),
    grow: fc.nat(1_000),
    state: fc.constantFrom('running', 'done', 'failed'),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const log = new TransferLog()
      const bytes = new Map<string, number>()
      let total = 0
      let ends = 0
      for (const { id, grow, state } of steps) {
        const now = (bytes.get(id) ?? 0) + grow
        total += grow
        log.record({ id, kind: 'get', object: 'o', bytes: now, total: undefined, state, fault: undefined }, 5)
        if (state === 'running') {
          bytes.set(id, now)
        } else {
          bytes.delete(id)
          ends++
        }
      }
      assert.equal(log.totals.get.bytes, total)
      assert.equal(log.totals.get.done + log.totals.get.failed, ends)
      assert.equal(log.running, bytes.size)
      assert.ok(log.list().length <= 103)
    }),
  )
})

test('news of a transfer keep its beginning', () => {
  const log = new TransferLog()
  const news = { id: 'a', kind: 'put', object: 'o', bytes: 1, total: 2, state: 'running', fault: undefined } as const
  log.record(news, 10)
  const { startedAt, updatedAt } = log.record({ ...news, bytes: 2, state: 'done' }, 20)
  assert.deepEqual([startedAt, updatedAt], [10, 20])
})
