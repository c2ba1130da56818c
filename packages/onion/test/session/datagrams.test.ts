import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DatagramChannel } from '../../src/session/datagram-channel.ts'
import { type FrameWriter } from '../../src/session/frame-writer.ts'
import { MemoryBudget } from '../../src/session/memory-budget.ts'
import { SessionCode } from '../../src/session/protocol.ts'
import { type SessionStream } from '../../src/session/session-stream.ts'
import { UDP_CHANNEL } from '../../src/session/stream-target.ts'
import { TARGET_OVERHEAD } from '../../src/session/tuning.ts'
import { MEBIBYTE, alone } from './lone-channel.ts'
import { type LinkShape, PAYLOAD, type Path, exchange, simulatedPath } from './simulated-path.ts'

const GOOD: LinkShape = { delay: 5, rate: 20_000, queue: 1e6 }

function settle(path: Path, ms = 2000): void {
  path.world.run(() => false, path.world.now + ms)
}

/** Bytes that tell which datagram they are and whether they are whole. */
function content(index: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => (index * 31 + at * 7) & 0xff)
}

interface Got {
  readonly number: number
  readonly host: string
  readonly port: number
  readonly address: string
  readonly bytes: Uint8Array
}

/** A path with an open channel on both ends; the exit sends everything back, as from 192.0.2.1. */
function opened(shape: LinkShape = GOOD, memory?: MemoryBudget) {
  const atExit: Got[] = []
  const atClient: Got[] = []
  const forgotten: number[] = []
  const unreached: [string, number][] = []
  let exit: DatagramChannel | undefined
  let exitStream: SessionStream | undefined
  const path = simulatedPath(
    7,
    shape,
    (stream) => {
      const { channel } = stream
      if (channel === undefined) {
        stream.handler = { onData: (chunk) => stream.consume(chunk.length) }
        return stream.accept('192.0.2.1')
      }
      exit = channel
      exitStream = stream
      channel.handler = {
        onDatagram: ({ number, host, port }, address, bytes) => {
          const copy = bytes.slice()
          atExit.push({ number, host, port, address, bytes: copy })
          channel.reply({ number, host, port }, '192.0.2.1', copy)
        },
        onForgotten: ({ number }) => void forgotten.push(number),
      }
      stream.accept('0.0.0.0')
    },
    memory === undefined ? {} : { memory },
  )
  const stream = path.client.session.openStream(UDP_CHANNEL)
  const client = stream.channel ?? assert.fail()
  client.handler = {
    onDatagram: ({ number, host, port }, address, bytes) =>
      void atClient.push({ number, host, port, address, bytes: bytes.slice() }),
    onUnreached: ({ host }, code) => void unreached.push([host, code]),
  }
  return {
    path,
    stream,
    client,
    exit: () => exit ?? assert.fail(),
    exitStream: () => exitStream ?? assert.fail(),
    atExit,
    atClient,
    forgotten,
    unreached,
  }
}

test('datagrams go to many targets and back by one channel, each with the address that it came from', () => {
  const { path, client, atExit, atClient } = opened()
  for (let i = 0; i < 100; i++) client.send(`host-${i % 10}.test`, 1000 + (i % 10), content(i, i))
  settle(path)
  assert.equal(atExit.length, 100)
  assert.deepEqual(new Set(atExit.map(({ host, port }) => `${host}:${port}`)).size, 10)
  assert.deepEqual(
    atClient.map(({ host, port, address, bytes }) => [host, port, address, bytes.length]),
    Array.from({ length: 100 }, (_, i) => [`host-${i % 10}.test`, 1000 + (i % 10), '192.0.2.1', i]),
  )
  for (const [i, { bytes }] of atClient.entries()) assert.deepEqual(bytes, content(i, i))
})

test('what was sent before the channel is open goes once it is; several small ones share a packet', () => {
  const { path, client, atClient } = opened()
  const before = path.client.session.stats.packetsSent
  for (let i = 0; i < 60; i++) assert.ok(client.send('192.0.2.7', 53, content(i, 20)))
  settle(path, 100)
  assert.equal(atClient.length, 60)
  assert.ok(path.client.session.stats.packetsSent - before < 20, `${path.client.session.stats.packetsSent}`)
})

test('every length up to 65,507 bytes comes whole; a longer one is refused', () => {
  const { path, client, atClient } = opened()
  const lengths = [
    0,
    1,
    63,
    64,
    1200,
    1250,
    1300,
    ...Array.from({ length: 40 }, (_, i) => 1300 + i),
    1472,
    9000,
    65_507,
  ]
  for (const length of lengths) {
    assert.ok(client.send('192.0.2.7', 443, content(length, length)))
    settle(path, 200)
  }
  assert.deepEqual(
    atClient.map(({ bytes }) => bytes.length),
    lengths,
  )
  for (const { bytes } of atClient) assert.deepEqual(bytes, content(bytes.length, bytes.length))
  assert.equal(client.send('192.0.2.7', 443, new Uint8Array(65_508)), false)
})

test('what is lost stays lost: nothing is sent again, and what comes is whole', () => {
  const { path, client, atExit } = opened({ ...GOOD, drop: 0.1, reorder: 0.2, reorderBy: 8, duplicate: 0.1 })
  settle(path)
  for (let i = 0; i < 500; i++) {
    client.send('192.0.2.7', 443, content(i, (i * 97) % 3000))
    settle(path, 20)
  }
  settle(path)
  assert.ok(atExit.length > 300 && atExit.length < 500, `${atExit.length}`)
  const indexes = atExit.map(({ bytes }) => {
    const index = Array.from({ length: 500 }, (_, i) => i).find(
      (i) => (i * 97) % 3000 === bytes.length && Buffer.compare(content(i, bytes.length), bytes) === 0,
    )
    assert.ok(index !== undefined, 'no datagram was sent like this')
    return index
  })
  assert.equal(new Set(indexes).size, indexes.length, 'none came twice')
  // Nothing is left of those of which a part was lost.
  settle(path, 6000)
  assert.equal(path.exit.session.stats.memory, TARGET_OVERHEAD)
})

test('a number never stands for another target: the newest 256 have one, an older target gets another', () => {
  const { path, client, atExit, atClient, forgotten } = opened()
  for (let i = 0; i < 300; i++) {
    client.send(`host-${i}.test`, 80, content(i, 10))
    settle(path, 20)
  }
  client.send('host-0.test', 80, content(1000, 10))
  client.send('host-299.test', 80, content(1001, 10))
  settle(path)
  assert.equal(atClient.length, 302)
  assert.deepEqual(
    atExit.slice(-2).map(({ number, host }) => [number, host]),
    [
      [300, 'host-0.test'],
      [299, 'host-299.test'],
    ],
  )
  assert.deepEqual(
    forgotten,
    Array.from({ length: 45 }, (_, i) => i),
  )
})

test('an exit does not send what came from a target that is forgotten', () => {
  const { path, client, exit, atExit, atClient } = opened()
  client.send('host-0.test', 80, content(0, 1))
  settle(path)
  const [first] = atExit
  for (let i = 1; i <= 256; i++) {
    client.send(`host-${i}.test`, 80, content(i, 1))
    settle(path, 20)
  }
  const before = atClient.length
  assert.equal(exit().reply(first ?? assert.fail(), '192.0.2.1', content(0, 1)), false)
  settle(path)
  assert.equal(atClient.length, before)
})

test('more than a path carries: the oldest are dropped, memory is bounded, and all is given back', () => {
  const { path, client, atExit } = opened({ delay: 20, rate: 100, queue: 1e5 })
  settle(path)
  for (let i = 0; i < 2000; i++) client.send('192.0.2.7', 443, content(i, 1200))
  assert.ok(path.client.session.stats.memory <= 256 * 1024, `${path.client.session.stats.memory}`)
  assert.ok(client.queue.dropped > 1500)
  settle(path, 10_000)
  assert.ok(atExit.length > 20 && atExit.length < 250, `${atExit.length}`)
  const oldest = Array.from({ length: 1000 }, (_, i) => content(i, 1200))
  // content() repeats every 256 datagrams, and those that were sent before the queue was full are old ones.
  assert.ok(oldest.some((bytes) => Buffer.compare(bytes, atExit[0]?.bytes ?? assert.fail()) === 0))
  assert.equal(path.client.session.stats.memory, 0)
})

test('a datagram that could not be sent for a second is dropped', () => {
  const { path, client, atExit } = opened()
  settle(path)
  client.send('192.0.2.7', 443, content(0, 100))
  settle(path)
  path.up.shape = { ...GOOD, drop: 1 }
  // Nothing is acknowledged: what the window takes is gone, what it does not waits.
  for (let i = 1; i <= 150; i++) client.send('192.0.2.7', 443, content(i, 1300))
  settle(path, 3000)
  path.up.shape = GOOD
  client.send('192.0.2.7', 443, content(151, 50))
  settle(path, 3000)
  assert.deepEqual(
    atExit.map(({ bytes }) => bytes.length),
    [100, 50],
  )
})

test('datagrams and a stream share a path: neither waits for the other to end', () => {
  const { path, client, atExit } = opened({ delay: 5, rate: 2000, queue: 2e5 })
  settle(path)
  const stream = path.client.session.openStream({ host: 'example.org', port: 443 })
  const bulk = exchange(stream, 4e6)
  let sent = 0
  let late = 0
  while (path.world.now < 6000) {
    client.send('192.0.2.7', 443, content(sent++, 200))
    const before = atExit.length
    settle(path, 20)
    if (atExit.length === before) late++
  }
  settle(path)
  assert.equal(bulk.isWrong, false)
  assert.ok(atExit.length > 0.95 * sent, `${atExit.length} of ${sent}`)
  assert.ok(late < 0.8 * sent, `${late}`)
  assert.ok(path.client.session.stats.dataSent > 4e6, 'the stream went beside them')
})

test('an exit without memory notes no target; its datagram is named again, and comes when there is room', () => {
  const memory = new MemoryBudget(MEBIBYTE)
  const { path, client, atExit } = opened(GOOD, memory)
  settle(path)
  assert.ok(memory.take(MEBIBYTE))
  client.send('host.test', 443, content(1, 10))
  settle(path)
  assert.deepEqual(atExit, [])
  memory.give(MEBIBYTE)
  client.send('host.test', 443, content(2, 10))
  settle(path)
  assert.deepEqual(
    atExit.map(({ host, bytes }) => [host, bytes]),
    [['host.test', content(2, 10)]],
  )
  path.exit.session.close(SessionCode.none, '')
  assert.equal(memory.used, 0)
})

test('an exit tells that it sends nothing to a target; a channel that it ends is over on both sides', () => {
  const { path, client, exit, exitStream, stream, unreached } = opened()
  let reset: number | undefined
  stream.handler = { onReset: (code) => (reset = code) }
  settle(path)
  exit().handler = { onDatagram: (target) => exit().unreached(target, SessionCode.policy) }
  client.send('10.0.0.1', 80, content(1, 10))
  settle(path)
  assert.deepEqual(unreached, [['10.0.0.1', SessionCode.policy]])
  exitStream().reset(SessionCode.timedOut)
  path.exit.wake()
  settle(path)
  assert.equal(reset, SessionCode.timedOut)
  assert.equal(client.send('10.0.0.1', 80, content(1, 10)), false)
  assert.deepEqual([path.client.session.streams, path.exit.session.streams], [0, 0])
  assert.deepEqual([path.client.session.stats.memory, path.exit.session.stats.memory], [0, 0])
})

test('a target that no frame can name is refused', () => {
  const { client } = opened()
  for (const [host, port] of [
    ['', 80],
    ['a b', 80],
    ['a'.repeat(256), 80],
    ['a', 0],
    ['a', 65_536],
  ] as const)
    assert.throws(() => client.send(host, port, content(0, 1)), { code: 'E_TARGET_INVALID' })
})

const some = content(0, 2000)

for (const [what, role, write] of [
  ['bytes of a stream that is a channel', 'exit', (w) => w.wrote(w.streamHead(0, 0, 1, false))],
  [
    'a datagram on a stream to a target',
    'exit',
    (w) => (w.open(4, 80, 'a'), w.datagram(4, 0, 80, 'a', some.subarray(0, 1))),
  ],
  ['a datagram on a stream that was never opened', 'client', (w) => w.datagram(4, 0, 0, '', some.subarray(0, 1))],
  [
    'a target that changes its name',
    'exit',
    (w) => (w.datagram(0, 0, 80, 'a', some.subarray(0, 1)), w.datagram(0, 0, 80, 'b', some.subarray(0, 1))),
  ],
  ['a target that nobody named', 'client', (w) => w.datagram(0, 1, 0, '', some.subarray(0, 1))],
  ['an address that is none', 'client', (w) => w.datagram(0, 0, 80, 'host.test', some.subarray(0, 1))],
  ['another port than that of the target', 'client', (w) => w.datagram(0, 0, 81, '192.0.2.1', some.subarray(0, 1))],
  [
    '33 datagrams in a packet',
    'exit',
    (w) => {
      for (let i = 0; i < 33; i++) w.datagram(0, 0, 80, 'a', some.subarray(0, 0))
    },
  ],
  ['UNREACHED from a client', 'exit', (w) => w.unreached(0, 0, 3)],
  ['UNREACHED for a target that nobody named', 'client', (w) => w.unreached(0, 9, 3)],
  [
    'parts that overlap',
    'exit',
    (w) => (
      w.datagramPart(0, 0, 80, 'a', 0, some.subarray(0, 600), 500),
      w.datagramPart(0, 0, 80, 'a', 0, some.subarray(0, 600), 599)
    ),
  ],
  [
    'a length that changes',
    'exit',
    (w) => (
      w.datagramPart(0, 0, 80, 'a', 0, some.subarray(0, 600), 500),
      w.datagramPart(0, 0, 80, 'a', 0, some.subarray(0, 700), 650)
    ),
  ],
] as [string, 'client' | 'exit', (writer: FrameWriter) => void][])
  test(`CLOSE 2: ${what}`, () => {
    const { ends, give } = alone(role)
    assert.deepEqual(ends, [])
    give(write)
    assert.equal(ends.length, 1)
    assert.match(ends[0] ?? '', /^2 /)
  })

test('parts of many datagrams that never get whole take bounded memory, and none after five seconds', () => {
  const { world, session, memory, ends, give } = alone('exit')
  const huge = new Uint8Array(65_507)
  for (let i = 0; i < 200; i++) give((w) => void w.datagramPart(0, 0, 80, 'a', i, huge, 1000))
  assert.deepEqual(ends, [])
  // Only what came of the last sixteen, however long they are said to be.
  assert.ok(memory.used <= TARGET_OVERHEAD + 16 * (PAYLOAD + 128), `${memory.used}`)
  assert.ok(memory.used > 16 * 1_000, `${memory.used}`)
  const before = memory.used
  world.now += 4_999
  session.onTimeout()
  assert.equal(memory.used, before)
  assert.ok((session.nextTimeout() ?? Infinity) <= 5_000)
  world.now = 5_000
  session.onTimeout()
  assert.equal(memory.used, TARGET_OVERHEAD)
})

test('a datagram cut into more pieces than any sender cuts is given up', () => {
  const { ends, giveBytes, memory } = alone('exit')
  // DATAGRAM with name, part and length: channel 0, target 0, port 80, host a, datagram 0 of 65,507 bytes; one byte at each offset.
  const piece = (at: number): Uint8Array =>
    Uint8Array.of(0x3f, 0, 0, 0, 80, 1, 0x61, 0, 0x80, 0, 0xff, 0xe3, 0x80, 0, at >> 8, at & 0xff, 1, 7)
  for (let index = 0; index < 64; index++) giveBytes(piece(16_384 + 2 * index))
  assert.equal(memory.used, TARGET_OVERHEAD + 64 * (1 + 128))
  giveBytes(piece(16_384 + 2 * 64))
  assert.equal(memory.used, TARGET_OVERHEAD)
  assert.deepEqual(ends, [])
})
