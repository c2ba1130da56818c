import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FlushQueue, type Flushable } from '../../src/engine/flush-queue.ts'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('everything marked in a turn is flushed once, and then the batch is handed over', async () => {
  const log: string[] = []
  const queue = new FlushQueue(() => log.push('batch'))
  const item = (name: string): Flushable => ({ flush: () => log.push(name) === 0 })
  const [a, b] = [item('a'), item('b')]
  queue.mark(a)
  queue.mark(b)
  queue.mark(a)
  assert.deepEqual(log, [])
  await turn()
  assert.deepEqual(log, ['a', 'b', 'batch'])
})

test('what is marked while others are flushed goes with the same batch', async () => {
  const log: string[] = []
  const queue = new FlushQueue(() => log.push('batch'))
  const socket: Flushable = { flush: () => log.push('socket') === 0 }
  const session: Flushable = {
    flush() {
      log.push('session')
      queue.mark(socket)
      return false
    },
  }
  queue.mark(session)
  await turn()
  assert.deepEqual(log, ['session', 'socket', 'batch'])
})

test('what has more goes on in later turns, so that others come between', async () => {
  const log: string[] = []
  const queue = new FlushQueue(() => {})
  let left = 3
  queue.mark({
    flush() {
      log.push('long')
      return --left > 0
    },
  })
  setImmediate(() => log.push('other'))
  for (let turns = 0; turns < 10; turns++) await turn()
  assert.equal(log.filter((name) => name === 'long').length, 3)
  assert.ok(log.indexOf('other') < log.lastIndexOf('long'))
})

test('what was removed is not flushed', async () => {
  const queue = new FlushQueue(() => {})
  const item: Flushable = { flush: () => assert.fail('it was removed') }
  queue.mark(item)
  queue.remove(item)
  await turn()
})
