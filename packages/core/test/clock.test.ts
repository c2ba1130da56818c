import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { VirtualClock, WeftError, systemClock, wait, withTimeout } from '../src/index.ts'

const tooLate = (): WeftError => new WeftError({ code: 'E_TOO_LATE', cause: 'It took too long.', fix: 'Wait longer.' })

describe('VirtualClock', () => {
  it('fires timers in order of their due time, then of their making', async () => {
    const clock = new VirtualClock(1_000)
    const fired: string[] = []
    clock.after(20, () => fired.push('b'))
    clock.after(10, () => fired.push('a'))
    clock.after(20, () => fired.push('c'))
    const cancel = clock.after(5, () => fired.push('never'))
    cancel()
    await clock.advance(19)
    assert.deepEqual(fired, ['a'])
    assert.equal(clock.now(), 1_019)
    await clock.advance(1)
    assert.deepEqual(fired, ['a', 'b', 'c'])
    assert.equal(clock.monotonic(), 20)
  })

  it('fires timers that timers make, at their own time', async () => {
    const clock = new VirtualClock()
    const at: number[] = []
    clock.after(10, () => clock.after(10, () => at.push(clock.now())))
    await clock.advance(100)
    assert.deepEqual(at, [20])
  })
})

describe('wait', () => {
  it('ends with the time or with the signal, whichever is first', async () => {
    const clock = new VirtualClock()
    const done = wait(clock, 50)
    await clock.advance(50)
    await done

    const controller = new AbortController()
    const aborted = wait(clock, 50, controller.signal)
    controller.abort()
    await assert.rejects(aborted, { code: 'E_ABORTED' })
    await assert.rejects(wait(clock, 1, controller.signal), { code: 'E_ABORTED' })
  })
})

describe('withTimeout', () => {
  it('hands out the result, the timeout or the abort', async () => {
    assert.equal(await withTimeout(systemClock, 1_000, undefined, tooLate, async () => 7), 7)

    const clock = new VirtualClock()
    let seen: AbortSignal | undefined
    const late = withTimeout(clock, 10, undefined, tooLate, (signal) => {
      seen = signal
      return new Promise<never>(() => {})
    })
    const expectation = assert.rejects(late, { code: 'E_TOO_LATE' })
    await clock.advance(10)
    await expectation
    assert.equal(seen?.aborted, true)

    const controller = new AbortController()
    const aborted = withTimeout(clock, 10, controller.signal, tooLate, () => new Promise<never>(() => {}))
    controller.abort()
    await assert.rejects(aborted, { code: 'E_ABORTED' })
  })
})
