import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type Socket, connect, createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { VirtualClock } from '@weft/core'
import { SessionCode, type SessionStream } from '@weft/onion'
import { AnswerWatch } from '../../src/engine/answer-watch.ts'
import { FlushQueue } from '../../src/engine/flush-queue.ts'
import { SocketPipe } from '../../src/engine/socket-pipe.ts'
import { FakeStream } from './fake-stream.ts'
import { thereAndBack } from './there-and-back.ts'

const MANY = randomBytes(16 << 20)

/** A stream that is piped to one end of a TCP connection; `peer` is the other end, paused until it is read. */
async function piped(t: TestContext, stream = new FakeStream(), watch?: AnswerWatch) {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const peer = connect({ port: (server.address() as { port: number }).port, host: '127.0.0.1', allowHalfOpen: true })
  const [[socket]] = (await Promise.all([once(server, 'connection'), once(peer, 'connect')])) as [[Socket], unknown]
  server.close()
  const told = { over: 0, consumedAtWake: 0 }
  const pipe = new SocketPipe(
    socket,
    stream as unknown as SessionStream,
    new FlushQueue(() => {}),
    () => (told.consumedAtWake = stream.consumed),
    () => told.over++,
    watch,
  )
  pipe.begin()
  t.after(() => {
    socket.destroy()
    peer.destroy()
  })
  /** Waits for something that the pipe does with the stream. */
  const until = async (done: () => boolean): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>()
    stream.onChange = () => {
      if (done()) resolve()
    }
    stream.onChange()
    await promise
  }
  return { socket, peer, stream, told, pipe, until }
}

/** With an error or without. */
const closeOf = (socket: Socket): Promise<unknown> => new Promise((closed) => socket.once('close', closed))

/** All that comes until the other side ends. */
async function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  await once(socket, 'end')
  return Buffer.concat(chunks)
}

test('the socket ends first: the stream is ended behind its bytes, and the other way goes on', async (t) => {
  const { socket, peer, stream, told, until } = await piped(t)
  const closed = closeOf(socket)
  peer.end('up')
  await until(() => stream.ends.length > 0)
  assert.equal(Buffer.concat(stream.written).toString(), 'up')
  await thereAndBack()
  assert.deepEqual([told.over, socket.writableEnded], [0, false])
  stream.give(Buffer.from('down'))
  await until(() => stream.consumed === 4)
  assert.equal(told.over, 0)
  stream.finish()
  assert.equal((await readAll(peer)).toString(), 'down')
  await closed
  await thereAndBack()
  assert.equal(told.over, 1)
  assert.deepEqual(stream.ends, ['end'])
})

test('the stream ends first: the socket is ended behind its bytes, and the other way goes on', async (t) => {
  const { socket, peer, stream, told, until } = await piped(t)
  const closed = closeOf(socket)
  // More than is gathered for one write, in pieces that do not divide it.
  const down = MANY.subarray(0, 300_000)
  for (let from = 0; from < down.length; from += 10_007) stream.give(down.subarray(from, from + 10_007))
  stream.finish()
  assert.ok((await readAll(peer)).equals(down))
  await until(() => stream.consumed === down.length)
  assert.deepEqual([told.over, stream.ends.length], [0, 0])
  peer.end('up')
  await until(() => stream.ends.length > 0)
  await closed
  await thereAndBack()
  assert.equal(Buffer.concat(stream.written).toString(), 'up')
  assert.equal(told.over, 1)
  assert.deepEqual(stream.ends, ['end'])
})

test('a socket that breaks off resets the stream, and what it did not take is not consumed', async (t) => {
  const { socket, peer, stream, told, until } = await piped(t)
  const closed = closeOf(socket)
  stream.give(MANY)
  await until(() => stream.consumed > 0)
  peer.resetAndDestroy()
  await closed
  await thereAndBack()
  assert.deepEqual(stream.ends, [`reset ${SessionCode.connectionReset}`])
  assert.ok(stream.consumed < stream.given, `${stream.consumed}`)
  assert.equal(told.over, 1)
})

test('a socket that breaks off when both ends were told gives up nothing of what it sent, and gives the window back', async (t) => {
  const { socket, peer, stream, told, until } = await piped(t)
  const closed = closeOf(socket)
  peer.end('up')
  await until(() => stream.ends.length > 0)
  stream.give(MANY)
  stream.finish()
  await until(() => stream.consumed > 0)
  peer.resetAndDestroy()
  await closed
  await thereAndBack()
  // A reset would take back what the other side has not acknowledged yet.
  assert.deepEqual(stream.ends, ['end'])
  assert.deepEqual([told.over, stream.consumed], [1, stream.given])
})

test('a socket that is closed without an error resets the stream', async (t) => {
  const { socket, stream, told } = await piped(t)
  const closed = closeOf(socket)
  socket.destroy()
  await closed
  assert.deepEqual(stream.ends, [`reset ${SessionCode.connectionReset}`])
  assert.equal(told.over, 1)
})

test('abort breaks both sides off at once, the stream with its code, whatever waits', async (t) => {
  const { socket, peer, stream, told, pipe } = await piped(t)
  const closed = closeOf(socket)
  const broken = assert.rejects(readAll(peer), { code: 'ECONNRESET' })
  stream.give(Buffer.from('gathered'))
  pipe.abort(SessionCode.timedOut)
  assert.deepEqual(stream.ends, [`reset ${SessionCode.timedOut}`])
  assert.deepEqual([told.over, socket.destroyed], [1, true])
  pipe.abort(SessionCode.stopping)
  stream.handler.onReset?.(SessionCode.none)
  await broken
  await closed
  await thereAndBack()
  assert.deepEqual(stream.ends, [`reset ${SessionCode.timedOut}`])
  assert.deepEqual([told.over, stream.consumed], [1, 0])
})

test('a stream that is reset resets its socket, and is not answered', async (t) => {
  const { socket, peer, stream, told } = await piped(t)
  const closed = closeOf(socket)
  const broken = assert.rejects(readAll(peer), { code: 'ECONNRESET' })
  stream.give(Buffer.from('gathered'))
  stream.handler.onReset?.(SessionCode.internal)
  assert.equal(told.over, 1)
  await broken
  await closed
  await thereAndBack()
  assert.deepEqual([told.over, stream.ends.length], [1, 0])
})

test('a watch is told of the question and the first of the answer', async (t) => {
  const clock = new VirtualClock()
  const took: number[] = []
  const { stream, peer, until } = await piped(t, undefined, new AnswerWatch(clock, (ms) => void took.push(ms)))
  peer.write('question')
  await until(() => stream.written.length > 0)
  await clock.advance(80)
  stream.giveLoose(Buffer.from('answer'))
  await clock.advance(10)
  stream.giveLoose(Buffer.from('more'))
  assert.deepEqual(took, [80])
})

test('a socket is not read while its stream is full', async (t) => {
  const { socket, peer, stream, told, until } = await piped(t)
  stream.isFull = true
  peer.end(MANY)
  await until(() => stream.written.length > 0)
  await thereAndBack()
  assert.deepEqual([stream.written.length, socket.isPaused()], [1, true])
  // Room for one more: it is full again at once.
  stream.handler.onDrain?.()
  await until(() => stream.written.length === 2)
  await thereAndBack()
  assert.deepEqual([stream.written.length, stream.ends.length], [2, 0])
  stream.isFull = false
  stream.handler.onDrain?.()
  await until(() => stream.ends.length > 0)
  assert.ok(Buffer.concat(stream.written).equals(MANY))
  assert.equal(told.over, 0)
})

test('a socket is not read before its stream has room', async (t) => {
  const full = new FakeStream()
  full.isFull = true
  const { peer, stream, until } = await piped(t, full)
  peer.write('here I am')
  await thereAndBack()
  assert.equal(stream.written.length, 0)
  stream.isFull = false
  stream.handler.onDrain?.()
  await until(() => stream.written.length > 0)
  assert.equal(stream.written.join(''), 'here I am')
})

test("a stream's window opens only by what its socket has taken, and the session is woken for it", async (t) => {
  const { socket, peer, stream, told, until } = await piped(t)
  stream.give(MANY)
  assert.equal(stream.consumed, 0)
  await until(() => stream.consumed > 0)
  await thereAndBack()
  // The other end reads nothing: what does not fit between the two waits here.
  const stuck = stream.consumed
  assert.ok(socket.writableLength > 0 && socket.writableLength <= 65_536, `${socket.writableLength}`)
  assert.ok(stuck + socket.writableLength < stream.given)
  const got = readAll(peer)
  await until(() => {
    assert.ok(stream.consumed + socket.writableLength <= stream.given)
    return stream.consumed === stream.given
  })
  stream.finish()
  assert.ok((await got).equals(MANY))
  assert.equal(told.consumedAtWake, stream.given)
})

test('a stream that is broken off before the socket has its last bytes resets it, though its end is asked for', async (t) => {
  const { socket, peer, stream, pipe, until } = await piped(t)
  stream.give(MANY.subarray(0, 8 << 20))
  await until(() => stream.consumed > 0)
  await thereAndBack()
  socket.end()
  assert.ok(socket.writableEnded && socket.writableLength > 0)
  const heard: unknown[] = []
  peer.on('end', () => heard.push('end')).on('error', ({ code }: NodeJS.ErrnoException) => heard.push(code))
  const closed = closeOf(peer)
  pipe.abort(SessionCode.timedOut)
  peer.resume()
  await closed
  assert.deepEqual(heard, ['ECONNRESET'])
})

test('a stream that ends and is reset at once leaves no socket open: a thread with one would never end', async (t) => {
  const { socket, peer, stream, told, pipe } = await piped(t)
  const faults: unknown[] = []
  socket.on('error', (error) => void faults.push(error))
  const closed = Promise.all([closeOf(socket), closeOf(peer.on('error', () => {}).resume())])
  stream.finish()
  // The end is under way, and nobody has heard of it yet.
  pipe.flush()
  assert.ok(socket.writableEnded)
  stream.handler.onReset?.(SessionCode.none)
  peer.end()
  await closed
  assert.deepEqual(faults, [])
  assert.equal(told.over, 1)
})

test('what comes while the socket takes nothing stays in the stream: one write is under way', async (t) => {
  const { socket, peer, stream, until } = await piped(t)
  const { mock } = t.mock.method(socket, 'write')
  const sizes = (): number[] => mock.calls.map(({ arguments: [bytes] }) => (bytes as unknown as Buffer).length)
  stream.give(MANY.subarray(0, 8 << 20))
  await until(() => stream.consumed > 0)
  await thereAndBack()
  assert.ok(socket.writableLength > 0)
  const [{ length }, stuck] = [sizes(), stream.consumed]
  for (let at = 0; at < 500; at++) {
    stream.give(MANY.subarray((8 << 20) + at, (8 << 20) + at + 1))
    if (at % 100 === 0) await thereAndBack()
  }
  assert.deepEqual([sizes().length, stream.consumed], [length, stuck])
  assert.ok(socket.writableLength <= 65_536)
  const got = readAll(peer)
  stream.finish()
  assert.ok((await got).equals(MANY.subarray(0, (8 << 20) + 500)))
  // The small pieces went together.
  assert.ok(sizes().filter((size) => size < 1_000).length < 3, sizes().slice(-20).join())
})

test('what there is no memory for goes to the socket at once, and opens the window when that has taken it', async (t) => {
  const { socket, peer, stream, until } = await piped(t)
  stream.giveLoose(Buffer.from('no '))
  assert.equal(stream.consumed, 3)
  stream.giveLoose(Buffer.from('memory, '))
  assert.equal(stream.consumed, 11)
  stream.give(MANY)
  await until(() => stream.consumed > 11)
  await thereAndBack()
  assert.ok(socket.writableLength > 0)
  const got = readAll(peer)
  await until(() => stream.consumed === stream.given)
  // Nobody reads: at last a piece waits for the socket, and is its own.
  peer.pause()
  let count = 0
  for (; socket.writableLength === 0; count++) stream.giveLoose(Buffer.alloc(1_300, `${count % 10}`))
  assert.equal(stream.consumed, stream.given - 1_300)
  const other = await piped(t)
  other.stream.giveLoose(Buffer.alloc(1_300, 'x'))
  peer.resume()
  await until(() => stream.consumed === stream.given)
  stream.finish()
  const pieces = Array.from({ length: count }, (_, at) => Buffer.alloc(1_300, `${at % 10}`))
  assert.ok((await got).equals(Buffer.concat([Buffer.from('no memory, '), MANY, ...pieces])))
})

test('a socket that is stopped in the same turn in which it was told to go on is not read', async (t) => {
  const server = createServer((socket) => void socket.on('error', () => {}).write('here I am')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const [stream, buffer] = [new FakeStream(), Buffer.alloc(1_000)]
  const socket: Socket = connect({
    port: (server.address() as { port: number }).port,
    host: '127.0.0.1',
    // As exits do; Node reads such a socket in other ways.
    onread: {
      buffer,
      callback: (length) => {
        pipe.send(buffer.subarray(0, length))
        return true
      },
    },
  })
  t.after(() => {
    socket.destroy()
    server.close()
  })
  const pipe = await new Promise<SocketPipe>((resolve) =>
    socket.once('connect', () => {
      const queue = new FlushQueue(() => {})
      const made = new SocketPipe(
        socket,
        stream as unknown as SessionStream,
        queue,
        () => {},
        () => {},
      )
      stream.isFull = true
      made.begin()
      resolve(made)
    }),
  )
  await thereAndBack()
  assert.equal(stream.written.length, 0)
  stream.handler.onDrain?.()
  stream.handler.onFull?.()
  await thereAndBack()
  assert.equal(stream.written.length, 0)
  const { promise, resolve } = Promise.withResolvers<void>()
  stream.onChange = resolve
  stream.handler.onDrain?.()
  await promise
  assert.equal(stream.written.join(''), 'here I am')
})
