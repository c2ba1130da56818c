import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Turns } from '../../src/engine/turns.ts'

const nextTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

test('handshakes are worked on once a turn, until none waits, and not after the end', async () => {
  let [waiting, calls] = [3, 0]
  const turns = new Turns(() => {
    calls++
    return --waiting > 0
  })
  turns.schedule()
  turns.schedule()
  assert.equal(calls, 0)
  // Each waits behind the work of its turn.
  for (const expected of [1, 2, 3, 3]) {
    await nextTurn()
    assert.equal(calls, expected)
  }
  waiting = 5
  turns.schedule()
  await nextTurn()
  turns.close()
  await nextTurn()
  assert.equal(calls, 4)
})
