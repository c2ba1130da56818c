import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Duplex, PassThrough } from 'node:stream'
import { test } from 'node:test'
import { VirtualClock } from '@weft/core'
import { onceBothClosed, pump } from '../src/stream-pump.ts'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('a source waits when its share is used up, and goes on after it', async () => {
  const clock = new VirtualClock()
  const [from, to] = [new PassThrough(), new PassThrough()]
  pump(from, to, { onBytes: () => 100, after: (ms, callback) => clock.after(ms, callback) })
  for (let count = 0; count < 3; count++) from.write(Buffer.from([count]))
  const got: number[] = []
  to.on('data', (chunk: Uint8Array) => got.push(...chunk))
  await turn()
  const first = got.length
  assert.ok(first < 3)
  await clock.advance(100)
  await turn()
  assert.ok(got.length > first)
  await clock.advance(1_000)
  from.end()
  for (let count = 0; count < 5; count++) {
    await clock.advance(1_000)
    await turn()
  }
  assert.deepEqual(got, [0, 1, 2])
})

test('a source that breaks takes its sink with it, one that ends lets it finish', async () => {
  const never = { onBytes: () => 0, after: () => () => {} }
  const [broken, sink] = [new PassThrough(), new PassThrough()]
  pump(broken, sink, never)
  broken.destroy(new Error('it broke'))
  await once(sink, 'close')
  const [whole, other] = [new PassThrough(), new PassThrough()]
  pump(whole, other, never)
  whole.end('all of it')
  const parts: Buffer[] = []
  for await (const part of other) parts.push(part as Buffer)
  assert.equal(Buffer.concat(parts).toString(), 'all of it')
})

test('a sink that takes no more holds its source, until it is gone', async () => {
  const from = new PassThrough()
  const to = new Duplex({ highWaterMark: 10, read: () => {}, write: () => {} })
  pump(from, to, { onBytes: () => 0, after: () => () => {} })
  for (let count = 0; count < 100; count++) from.write(Buffer.alloc(10))
  await turn()
  assert.ok(to.writableLength <= 20)
  assert.ok(from.isPaused())
  from.destroy()
  await once(to, 'close')
})

test('a sink that reads no more is not gone when its source is', async () => {
  const from = new PassThrough()
  const to = new Duplex({ read: () => {}, write: () => {} })
  let gone = 0
  onceBothClosed(from, to, () => gone++)
  pump(from, to, { onBytes: () => 0, after: () => () => {} })
  from.end('all of it')
  await once(from, 'close')
  await turn()
  assert.ok(!to.destroyed)
  assert.equal(gone, 0)
  to.destroy()
  await once(to, 'close')
  assert.equal(gone, 1)
})
