import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { MessageChannel } from 'node:worker_threads'
import { SessionCode, type SessionStream } from '@weft/onion'
import { FlushQueue } from '../../src/engine/flush-queue.ts'
import { PORT_CREDIT, PortPipe } from '../../src/engine/port-pipe.ts'
import { PortDuplex } from '../../src/service/port-duplex.ts'
import { FakeStream } from './fake-stream.ts'
import { until } from './exit-rig.ts'
import { thereAndBack } from './there-and-back.ts'

const MANY = randomBytes(8 << 20)

function piped(t: TestContext) {
  const { port1, port2 } = new MessageChannel()
  const stream = new FakeStream()
  const queue = new FlushQueue(() => {})
  let overs = 0
  new PortPipe(
    port2,
    stream as unknown as SessionStream,
    queue,
    () => {},
    () => overs++,
  )
  const duplex = new PortDuplex(port1)
  duplex.on('error', () => {})
  t.after(() => duplex.destroy())
  return { stream, duplex, overs: () => overs }
}

test('bytes and both ends cross in order, and what was read opens the window of the stream', async (t) => {
  const { stream, duplex, overs } = piped(t)
  for (let at = 0; at < MANY.length; at += 10_000) stream.give(MANY.subarray(at, at + 10_000))
  stream.handler.onEnd?.()
  const came: Buffer[] = []
  duplex.once('data', () => duplex.end(MANY))
  duplex.on('data', (chunk: Buffer) => came.push(chunk))
  await once(duplex, 'end')
  assert.ok(Buffer.concat(came).equals(MANY))
  await until(() => stream.ends.length > 0)
  assert.deepEqual(stream.ends, ['end'])
  assert.ok(Buffer.concat(stream.written).equals(MANY))
  assert.equal(stream.consumed, MANY.length)
  await until(() => overs() === 1)
})

test('a reader that stalls opens no window, and a stream that is full takes no more than the credit', async (t) => {
  const { stream, duplex } = piped(t)
  stream.give(MANY.subarray(0, 4 << 20))
  stream.isFull = true
  let written = 0
  const writer = (async () => {
    for (let at = 0; at < MANY.length; at += 65_536) {
      if (!duplex.write(MANY.subarray(at, at + 65_536))) await once(duplex, 'drain')
      written = at + 65_536
    }
  })()
  const taken = (): number => stream.written.reduce((sum, { length }) => sum + length, 0)
  await until(() => taken() >= PORT_CREDIT)
  // What is read now is told behind all that was sent, were it let through.
  await thereAndBack()
  const { consumed } = stream
  duplex.read()
  await until(() => stream.consumed > consumed)
  assert.ok(taken() < PORT_CREDIT + 2 * 65_536, `${taken()}`)
  assert.ok(written < PORT_CREDIT + 8 * 65_536, `${written}`)
  // Some of what came waits in the buffer of whoever does not read, and no more.
  assert.ok(stream.consumed < 1 << 20, `${stream.consumed}`)
  stream.isFull = false
  stream.handler.onDrain?.()
  await writer
  await until(() => taken() === MANY.length)
  duplex.resume()
  await until(() => stream.consumed === 4 << 20)
})

test('either end that breaks off ends the other; nothing is given or written afterwards', async (t) => {
  const first = piped(t)
  first.stream.give(MANY.subarray(0, 100))
  first.stream.handler.onReset?.(SessionCode.connectionReset)
  await until(() => first.duplex.closed)
  assert.equal(first.overs(), 1)
  assert.deepEqual(first.stream.ends, [])
  const second = piped(t)
  second.duplex.destroy()
  await until(() => second.overs() === 1)
  assert.deepEqual(second.stream.ends, ['reset 0'])
})

test('a stream that takes what comes while it is full has room again, and says so to nobody', async (t) => {
  const { stream, duplex } = piped(t)
  const taken = (): number => stream.written.reduce((sum, { length }) => sum + length, 0)
  stream.isFull = true
  duplex.write(MANY.subarray(0, 16_384))
  await until(() => taken() === 16_384)
  stream.isFull = false
  for (let at = 16_384; at < 4 << 20; at += 65_536) {
    if (!duplex.write(MANY.subarray(at, at + 65_536))) await once(duplex, 'drain')
  }
  await until(() => taken() >= 4 << 20)
})
