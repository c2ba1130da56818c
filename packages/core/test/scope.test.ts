import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Emitter, Scope, Semaphore, VirtualClock, WeftError, silentLogger, wait } from '../src/index.ts'

describe('Scope', () => {
  it('aborts first, then closes in reverse order, once', async () => {
    const order: string[] = []
    const scope = new Scope({ name: 'test' })
    scope.signal.addEventListener('abort', () => order.push('signal'))
    scope.defer('first', () => order.push('first'))
    const child = scope.child('child')
    child.defer('inside', () => order.push('inside'))
    scope.defer('last', async () => order.push('last'))
    await Promise.all([scope.close(), scope.close()])
    assert.deepEqual(order, ['signal', 'last', 'inside', 'first'])
    assert.throws(() => scope.defer('late', () => {}), { code: 'E_SCOPE_CLOSED' })
  })

  it('closes the rest when one closer fails, and says so', async () => {
    let closed = false
    const scope = new Scope({ name: 'test' })
    scope.defer('good', () => {
      closed = true
    })
    scope.defer('bad', () => {
      throw new Error('no')
    })
    await assert.rejects(scope.close(), AggregateError)
    assert.equal(closed, true)
  })

  it('names whatever is slow to close', async () => {
    const clock = new VirtualClock()
    const warnings: string[] = []
    const logger = { ...silentLogger, warn: (message: string) => warnings.push(message) }
    const scope = new Scope({ name: 'daemon', clock, logger, slowCloseMs: 100 })
    scope.defer('the slow one', () => wait(clock, 500))
    const closing = scope.close()
    await clock.advance(500)
    await closing
    assert.deepEqual(warnings, ['daemon: the slow one is slow to close'])
  })

  it('runs background tasks to their end before it is closed and logs their failures', async () => {
    const errors: string[] = []
    const scope = new Scope({
      name: 'test',
      logger: { ...silentLogger, error: (message: string) => errors.push(message) },
    })
    let ended = false
    scope.spawn('loop', async (signal) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      ended = true
    })
    scope.spawn('broken', async () => {
      throw new WeftError({ code: 'E_X', cause: 'x', fix: 'y' })
    })
    await scope.close()
    assert.equal(ended, true)
    assert.deepEqual(errors, ['test: background task broken failed'])
  })
})

describe('Semaphore', () => {
  it('lets in as many as it has permits, in order, and survives aborted waiters', async () => {
    const semaphore = new Semaphore(1)
    const order: number[] = []
    const release = await semaphore.acquire()
    const controller = new AbortController()
    const aborted = semaphore.acquire(controller.signal)
    const second = semaphore.use(async () => order.push(2))
    const third = semaphore.use(async () => order.push(3))
    controller.abort()
    await assert.rejects(aborted, { code: 'E_ABORTED' })
    release()
    release()
    await Promise.all([second, third])
    assert.deepEqual(order, [2, 3])
    assert.equal(semaphore.waiting, 0)
  })
})

describe('Emitter', () => {
  it('reaches every subscriber until it unsubscribes', () => {
    const emitter = new Emitter<{ hit: number }>()
    const seen: number[] = []
    const off = emitter.on('hit', (n) => seen.push(n))
    emitter.on('hit', (n) => seen.push(n * 10))
    emitter.emit('hit', 1)
    off()
    emitter.emit('hit', 2)
    assert.deepEqual(seen, [1, 10, 20])
  })
})
