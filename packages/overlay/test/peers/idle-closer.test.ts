import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock, silentLogger } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import { IDLE_MS, IdleCloser } from '../../src/peers/idle-closer.ts'
import { testKeys } from '../fixtures.ts'

const [kept, idle, stubborn] = testKeys(3).map(({ id }) => id) as [DidKey, DidKey, DidKey]

test('what nobody keeps and nobody uses is closed; what a node keeps is not, and one that cannot be closed stops nothing', async () => {
  const clock = new VirtualClock()
  const closed: DidKey[] = []
  const asked: number[] = []
  const transport = {
    unused(ms: number) {
      asked.push(ms)
      return clock.monotonic() < 40_000 ? [] : [stubborn, kept, idle]
    },
    async disconnect(id: DidKey) {
      if (id === stubborn) throw new Error('no')
      closed.push(id)
    },
  }
  const closer = new IdleCloser({ transport, keeps: (id) => id === kept, clock, logger: silentLogger })
  const over = new AbortController()
  const running = closer.run(over.signal)
  await clock.advance(44_000)
  assert.deepEqual(closed, [])
  await clock.advance(2_000)
  assert.deepEqual(closed, [idle])
  assert.deepEqual(new Set(asked), new Set([IDLE_MS]))
  over.abort()
  await assert.rejects(running, { code: 'E_ABORTED' })
})
