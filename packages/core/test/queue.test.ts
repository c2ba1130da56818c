import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { BoundedQueue } from '../src/index.ts'

describe('BoundedQueue', () => {
  it('keeps order and bound whatever the interleaving of writer and reader', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.integer(), { maxLength: 40 }),
        fc.scheduler(),
        async (capacity, items, scheduler) => {
          const queue = new BoundedQueue<number>(capacity)
          const writing = (async () => {
            for (const item of items) {
              await scheduler.schedule(Promise.resolve())
              await queue.push(item)
              assert.ok(queue.size <= capacity)
            }
            queue.end()
          })()
          const read: number[] = []
          const reading = (async () => {
            for await (const item of queue) {
              await scheduler.schedule(Promise.resolve())
              read.push(item)
            }
          })()
          await scheduler.waitFor(Promise.all([writing, reading]))
          assert.deepEqual(read, items)
        },
      ),
      { numRuns: 50 },
    )
  })

  it('serves any number of writers and readers: nothing lost, nothing twice, the bound kept', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 6 }),
        fc.array(fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 12 }), { minLength: 2, maxLength: 5 }),
        fc.integer({ min: 2, max: 4 }),
        fc.boolean(),
        fc.scheduler(),
        async (capacity, sizesOfWriters, readers, abortOne, scheduler) => {
          const queue = new BoundedQueue<{ writer: number; at: number; size: number }>(capacity, ({ size }) => size)
          const aborting = new AbortController()
          const writing = sizesOfWriters.map(async (sizes, writer) => {
            for (const [at, size] of sizes.entries()) {
              await scheduler.schedule(Promise.resolve())
              await queue.push({ writer, at, size })
              assert.ok(queue.size <= Math.max(capacity, 4))
            }
          })
          const read: string[] = []
          const reading = Array.from({ length: readers }, async (_, reader) => {
            // One reader may go away while it waits: what it waited for goes to another.
            const signal = abortOne && reader === 0 ? aborting.signal : undefined
            for (;;) {
              const item = await queue.shift(signal).catch(() => undefined)
              if (item === undefined) return
              read.push(`${item.writer}/${item.at}`)
              await scheduler.schedule(Promise.resolve())
            }
          })
          const aborted = scheduler.schedule(Promise.resolve()).then(() => aborting.abort())
          const ended = Promise.all(writing).then(() => queue.end())
          await scheduler.waitFor(Promise.all([...reading, aborted, ended]))
          assert.deepEqual(
            read.toSorted(),
            sizesOfWriters.flatMap((sizes, writer) => sizes.map((_, at) => `${writer}/${at}`)).toSorted(),
          )
          assert.equal(queue.size, 0)
        },
      ),
      { numRuns: 100 },
    )
  })

  it('lets two wait on either side without keeping the process busy', async () => {
    const queue = new BoundedQueue<number>(1)
    const reads = [queue.shift(), queue.shift()]
    // Timers get their turn only when no chain of microtasks goes on for ever.
    await new Promise((resolve) => setImmediate(resolve))
    await queue.push(1)
    await queue.push(2)
    assert.deepEqual(await Promise.all(reads), [1, 2])
    await queue.push(3)
    const writes = [queue.push(4), queue.push(5)]
    await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual([await queue.shift(), await queue.shift(), await queue.shift()], [3, 4, 5])
    await Promise.all(writes)
  })

  it('lets nobody pass those who wait, and one change admit all that fit', async () => {
    const queue = new BoundedQueue<number>(4, (size) => size)
    await queue.push(4)
    const waiting = [queue.push(3), queue.push(1)]
    assert.equal(queue.tryPush(1), false)
    assert.equal(await queue.shift(), 4)
    await Promise.all(waiting)
    assert.equal(queue.size, 4)
  })

  it('ends every wait', async () => {
    const readers = new BoundedQueue<number>(1)
    const reads = [readers.shift(), readers.shift()]
    readers.end()
    assert.deepEqual(await Promise.all(reads), [undefined, undefined])
    const writers = new BoundedQueue<number>(1)
    await writers.push(1)
    const writes = [writers.push(2), writers.push(3)]
    writers.end(new Error('gone'))
    for (const write of writes) await assert.rejects(write, /gone/)
    assert.equal(await writers.shift(), 1)
    await assert.rejects(writers.shift(), /gone/)
  })

  it('measures by size and lets one item larger than the bound through alone', () => {
    const queue = new BoundedQueue<Uint8Array>(10, (bytes) => bytes.length)
    assert.equal(queue.tryPush(new Uint8Array(50)), true)
    assert.equal(queue.tryPush(new Uint8Array(1)), false)
    assert.equal(queue.size, 50)
  })

  it('gives what was queued before the error, then the error', async () => {
    const queue = new BoundedQueue<number>(4)
    await queue.push(1)
    queue.end(new Error('gone'))
    assert.equal(await queue.shift(), 1)
    await assert.rejects(queue.shift(), /gone/)
    await assert.rejects(queue.push(2), /gone/)
  })

  it('stops waiting when aborted, and loses nothing by it', async () => {
    const queue = new BoundedQueue<number>(1)
    const controller = new AbortController()
    const waiting = queue.shift(controller.signal)
    controller.abort()
    await assert.rejects(waiting, { code: 'E_ABORTED' })
    await queue.push(1)
    const blocked = new AbortController()
    const pushing = queue.push(2, blocked.signal)
    blocked.abort()
    await assert.rejects(pushing, { code: 'E_ABORTED' })
    assert.equal(await queue.shift(), 1)
    assert.equal(queue.size, 0)
  })
})
