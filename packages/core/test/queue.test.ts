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
