import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'
import { WeftError, abortError, isWeftError } from '@weft/core'
import fc from 'fast-check'
import { inWindow } from '../../src/object/in-window.ts'

const never = new AbortController().signal
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('results come in the order of the items, with at most so many under way', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(5), { maxLength: 30 }), fc.integer({ min: 1, max: 9 }), async (turns, width) => {
      let running = 0
      let most = 0
      const results = await inWindow(turns, width, never, async (count) => {
        most = Math.max(most, ++running)
        for (let at = 0; at < count; at++) await turn()
        running--
        return count
      })
      assert.deepEqual(results, turns)
      assert.ok(most <= width)
    }),
    { numRuns: 30 },
  )
})

test('the first failure ends those under way and begins no more', async () => {
  const { signal } = new AbortController()
  const items = Array.from({ length: 1000 }, (_, at) => at)
  let begun = 0
  let ended = 0
  const failing = inWindow(items, 8, signal, async (item, limited) => {
    begun++
    assert.ok(getEventListeners(signal, 'abort').length === 1)
    await turn()
    if (item === 3) throw new WeftError({ code: 'E_TEST', cause: 'test', fix: 'none' })
    while (!limited.aborted) await turn()
    ended++
    throw abortError(limited)
  })
  await assert.rejects(failing, (error: unknown) => isWeftError(error, 'E_TEST'))
  assert.deepEqual([begun, ended], [8, 7])
  assert.equal(getEventListeners(signal, 'abort').length, 0)
})

test('an abort ends it, before and in the middle', async () => {
  const controller = new AbortController()
  const running = inWindow([1, 2, 3], 2, controller.signal, async (item, limited) => {
    while (!limited.aborted) await turn()
    return item
  })
  controller.abort(abortError())
  await assert.rejects(running, (error: unknown) => isWeftError(error, 'E_ABORTED'))
  await assert.rejects(
    inWindow([1], 1, controller.signal, async () => assert.fail('begun after the abort')),
    (error: unknown) => isWeftError(error, 'E_ABORTED'),
  )
})
