import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { describe, it } from 'node:test'
import { WeftError, orAborted } from '../src/index.ts'

describe('orAborted', () => {
  it('settles with the promise, and leaves no listener', async () => {
    const { signal } = new AbortController()
    assert.equal(await orAborted(Promise.resolve(1), signal), 1)
    await assert.rejects(orAborted(Promise.reject(new Error('no')), signal), /no/)
    assert.equal(await orAborted(Promise.resolve(2), undefined), 2)
    assert.equal(getEventListeners(signal, 'abort').length, 0)
  })

  it("ends with the signal; a later failure is nobody's", async () => {
    const controller = new AbortController()
    const { promise, reject } = Promise.withResolvers<never>()
    const waiting = orAborted(promise, controller.signal)
    controller.abort()
    await assert.rejects(waiting, { code: 'E_ABORTED' })
    const reason = new WeftError({ code: 'E_WHY', cause: 'x', fix: 'y' })
    await assert.rejects(orAborted(promise, AbortSignal.abort(reason)), { code: 'E_WHY' })
    // An unhandled rejection would fail this test.
    reject(new Error('late'))
    await new Promise((resolve) => setImmediate(resolve))
  })
})
