import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock, wait } from '@weft/core'
import { firstOf } from '../../src/map/first-of.ts'
import { advance, codeOf } from '../fixtures.ts'

const { signal } = new AbortController()

/** Sources that answer after the ms that they are, or fail when that is negative. */
function race(sources: readonly number[], end = signal) {
  const clock = new VirtualClock()
  const begun: number[] = []
  const aborted: number[] = []
  const attempt = async (ms: number, lasting: AbortSignal): Promise<number> => {
    begun.push(ms)
    if (ms < 0) throw new Error('it fails')
    await wait(clock, ms, lasting).catch((error: unknown) => {
      aborted.push(ms)
      throw error
    })
    return ms
  }
  return { clock, begun, aborted, result: firstOf(clock, sources, 1_000, attempt, end) }
}

test('a source that is ready in time is the only one that is asked', async () => {
  const { clock, begun, result } = race([900, 10])
  await advance(clock, 900)
  assert.equal(await result, 900)
  assert.deepEqual(begun, [900])
})

test('a slow source holds nobody up, and may still be the first', async () => {
  const fast = race([60_000, 50_000, 100])
  await advance(fast.clock, 2_100)
  assert.equal(await fast.result, 100)
  await advance(fast.clock, 0)
  assert.deepEqual(fast.aborted, [60_000, 50_000])
  const patient = race([1_500, 60_000])
  await advance(patient.clock, 1_500)
  assert.equal(await patient.result, 1_500)
})

test('a source that fails is followed at once; when all do there is no result', async () => {
  const { clock, begun, result } = race([-1, -2, 5])
  await advance(clock, 5)
  assert.equal(await result, 5)
  assert.deepEqual(begun, [-1, -2, 5])
  assert.equal(await race([-1, -2]).result, undefined)
  assert.equal(await race([]).result, undefined)
})

test('an abort ends all of it', async () => {
  const end = new AbortController()
  const { clock, result } = race([60_000, 60_001], end.signal)
  const code = codeOf(() => result)
  await advance(clock, 1_500)
  end.abort()
  assert.equal(await code, 'E_ABORTED')
})
