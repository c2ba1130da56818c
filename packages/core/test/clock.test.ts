import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { VirtualClock, WeftError, systemClock, wait, withTimeout } from '../src/index.ts'

const tooLate = (): WeftError => new WeftError({ code: 'E_TOO_LATE', cause: 'It took too long.', fix: 'Wait longer.' })

describe('the clock of this machine', () => {
  it('has what came while the process stood still read before callbacks that fell due meanwhile', async () => {
    const seen: string[] = []
    const server = createServer((socket) => socket.on('data', () => seen.push('data'))).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const socket = connect((server.address() as { port: number }).port, '127.0.0.1')
    await once(server, 'connection')
    const cancelled = systemClock.after(20, () => seen.push('cancelled'))
    systemClock.after(10, () => {
      seen.push('late')
      cancelled()
    })
    const over = new Promise<void>((resolve) => systemClock.after(30, resolve))
    socket.write('said in time')
    for (const begun = performance.now(); performance.now() < begun + 200;);
    await over
    assert.deepEqual(seen, ['data', 'late'])
    socket.destroy()
    server.close()
  })

  it('calls back no sooner than it was asked to: what waits until then would wait for ever', async () => {
    const waits = Array.from({ length: 1_000 }, (_, at) => {
      // A loop that is busy knows the time of before.
      for (const until = performance.now() + (at % 4) / 10; performance.now() < until;);
      const begun = systemClock.monotonic()
      const ms = 1 + (at % 30) + (at % 3) / 2
      return new Promise<number>((resolve) =>
        systemClock.after(ms, () => resolve(systemClock.monotonic() - begun - ms)),
      )
    })
    const keepAlive = setInterval(() => {}, 1_000)
    const early = (await Promise.all(waits)).filter((late) => late < 0)
    clearInterval(keepAlive)
    assert.deepEqual(early, [])
  })
})

describe('the clock of a process in which nothing else happens', () => {
  it('makes callbacks that are late without waiting for input', () => {
    const program = fileURLToPath(new URL('fixtures/late-callback.ts', import.meta.url))
    const { status, signal } = spawnSync(process.execPath, [program], { timeout: 20_000 })
    assert.deepEqual([status, signal], [7, null])
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
