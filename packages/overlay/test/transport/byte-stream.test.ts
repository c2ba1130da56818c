import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { WeftError, seededRandom } from '@weft/core'
import type { ByteStream } from '../../src/byte-stream.ts'
import { MAX_STREAM_WINDOW, READ_HIGH_WATER, WRITE_CHUNK } from '../../src/transport/limits.ts'
import { TestNetwork } from './test-network.ts'
import { untilStill } from './until.ts'

const MiB = 1_024 * 1_024

async function readAll(stream: ByteStream): Promise<{ length: number; hash: string }> {
  const hash = createHash('sha256')
  let length = 0
  for await (const chunk of stream.incoming) {
    hash.update(chunk)
    length += chunk.length
  }
  return { length, hash: hash.digest('hex') }
}

test('bytes arrive as they were sent, both ways, whatever the sizes of the writes', async () => {
  await using network = new TestNetwork()
  const [a, b] = [await network.node({ listen: false }), await network.node()]
  b.transport.handleStream('shard', async (stream) => {
    const { length, hash } = await readAll(stream)
    await stream.write(new TextEncoder().encode(`${length} ${hash}`))
    await stream.closeWrite()
  })
  const random = seededRandom(3)
  const stream = await a.transport.open(b.id, 'shard')
  const hash = createHash('sha256')
  let length = 0
  for (const size of [0, 1, 13, 4_095, 65_536, 300_000, 3 * MiB, 7, 5 * MiB + 3]) {
    const bytes = random.bytes(size)
    hash.update(bytes)
    length += size
    await stream.write(bytes)
  }
  await stream.closeWrite()
  let answer = ''
  for await (const chunk of stream.incoming) answer += new TextDecoder().decode(chunk)
  assert.equal(answer, `${length} ${hash.digest('hex')}`)
  await stream.closed
})

test('writes that are not awaited keep their order', async () => {
  await using network = new TestNetwork()
  const [a, b] = [await network.node({ listen: false }), await network.node()]
  const got = Promise.withResolvers<number[]>()
  b.transport.handleStream('shard', async (stream) => {
    const seen: number[] = []
    for await (const chunk of stream.incoming) for (const byte of chunk) if (seen.at(-1) !== byte) seen.push(byte)
    got.resolve(seen)
    await stream.closeWrite()
  })
  const stream = await a.transport.open(b.id, 'shard')
  const writes = Array.from({ length: 20 }, (_, i) => stream.write(new Uint8Array(i % 3 === 0 ? 400_000 : 10).fill(i)))
  await Promise.all([...writes, stream.closeWrite()])
  assert.deepEqual(
    await got.promise,
    Array.from({ length: 20 }, (_, i) => i),
  )
})

test('a stalled reader stops the writer within the windows, and nothing is lost when it goes on', async () => {
  await using network = new TestNetwork()
  const [a, b] = [await network.node({ listen: false }), await network.node()]
  const go = Promise.withResolvers<void>()
  const total = Promise.withResolvers<number>()
  b.transport.handleStream('shard', async (stream) => {
    await go.promise
    total.resolve((await readAll(stream)).length)
    await stream.closeWrite()
  })
  const stream = await a.transport.open(b.id, 'shard')
  const chunk = new Uint8Array(WRITE_CHUNK)
  let written = 0
  let stopped = false
  const all = (async () => {
    for (let i = 0; i < 256; i++) {
      await stream.write(chunk)
      written += chunk.length
    }
    stopped = true
    await stream.closeWrite()
  })()
  // The writer stands still once a hundred looks saw nothing more; only then the reader begins.
  await untilStill(() => written, 100)
  assert.equal(stopped, false)
  // Its window, our queue, and the sockets of both sides (Linux gives a loopback socket up to 6 MiB a side).
  assert.ok(
    written <= MAX_STREAM_WINDOW + READ_HIGH_WATER + 2 * WRITE_CHUNK,
    `${written} bytes went out to a reader that reads none`,
  )
  go.resolve()
  await all
  assert.equal(await total.promise, 256 * WRITE_CHUNK)
})

test('a stream that is aborted in the middle fails both sides', async () => {
  await using network = new TestNetwork()
  const [a, b] = [await network.node({ listen: false }), await network.node()]
  const other = Promise.withResolvers<unknown>()
  b.transport.handleStream('shard', async (stream) => {
    await readAll(stream).catch(other.resolve)
    throw new Error('over')
  })
  const stream = await a.transport.open(b.id, 'shard')
  await stream.write(new Uint8Array(1_000_000))
  const reason = new WeftError({ code: 'E_TEST', cause: 'enough', fix: 'none' })
  stream.abort(reason)
  await assert.rejects(stream.write(new Uint8Array(1)), { code: 'E_TEST' })
  await assert.rejects(readAll(stream), { code: 'E_TEST' })
  assert.equal(((await other.promise) as WeftError).code, 'E_STREAM_RESET')
  await stream.closed
})

test('a handler that throws resets the stream of its caller', async () => {
  await using network = new TestNetwork()
  const [a, b] = [await network.node({ listen: false }), await network.node()]
  b.transport.handleStream('shard', async () => {
    throw new Error('no')
  })
  const stream = await a.transport.open(b.id, 'shard')
  await assert.rejects(readAll(stream), { code: 'E_STREAM_RESET', retryable: true })
})

test('the end of a connection is a loss, not the end of the data', async () => {
  await using network = new TestNetwork()
  const [a, b] = [await network.node({ listen: false }), await network.node()]
  const result = Promise.withResolvers<unknown>()
  const begun = Promise.withResolvers<void>()
  b.transport.handleStream('shard', async (stream) => {
    try {
      for await (const _ of stream.incoming) begun.resolve()
      result.resolve('ended')
    } catch (error) {
      result.resolve(error)
    }
  })
  const stream = await a.transport.open(b.id, 'shard')
  await stream.write(new Uint8Array(100_000))
  await begun.promise
  await b.transport.disconnect(a.id).catch(() => {})
  assert.equal(((await result.promise) as WeftError).code, 'E_STREAM_RESET')
  await stream.closed
})
