import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate } from 'node:timers/promises'
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

describe('the size of a Scope', () => {
  it('does not grow with tasks that ended, well or badly', async () => {
    const scope = new Scope({ name: 'test' })
    const { promise: gate, resolve: open } = Promise.withResolvers<void>()
    scope.defer('resource', () => {})
    for (let i = 0; i < 100; i++) {
      scope.spawn('waits', () => gate)
      scope.spawn('fails', async () => {
        await gate
        throw new Error('no')
      })
    }
    assert.equal(scope.size, 201)
    open()
    await gate
    await setImmediate()
    assert.equal(scope.size, 1)
    await scope.close()
    assert.equal(scope.size, 0)
  })

  it('does not grow with children that were closed, even if one of their resources fails', async () => {
    const scope = new Scope({ name: 'test' })
    for (let i = 0; i < 10; i++) await scope.child('child').close()
    const bad = scope.child('bad')
    bad.defer('resource', () => {
      throw new Error('no')
    })
    await assert.rejects(bad.close(), AggregateError)
    assert.equal(scope.size, 0)
    await scope.close()
  })

  it('still waits for a child that closes by itself', async () => {
    const scope = new Scope({ name: 'test' })
    const { promise: gate, resolve: open } = Promise.withResolvers<void>()
    const child = scope.child('child')
    child.defer('slow', () => gate)
    const closing = [child.close(), scope.close()]
    assert.equal(scope.size, 1)
    open()
    await Promise.all(closing)
    assert.equal(scope.size, 0)
  })

  it('starts no task once it is closing', async () => {
    const scope = new Scope({ name: 'test' })
    await scope.close()
    let ran = false
    const late = async (): Promise<void> => {
      ran = true
    }
    assert.throws(() => scope.spawn('late', late), { code: 'E_SCOPE_CLOSED' })
    assert.equal(ran, false)
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
