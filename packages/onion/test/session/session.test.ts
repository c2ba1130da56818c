import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '@weft/core'
import fc from 'fast-check'
import { FrameWriter } from '../../src/session/frame-writer.ts'
import { MemoryBudget } from '../../src/session/memory-budget.ts'
import { SessionCode } from '../../src/session/protocol.ts'
import { RangeSet } from '../../src/session/range-set.ts'
import { Session } from '../../src/session/session.ts'
import { type SessionStream } from '../../src/session/session-stream.ts'
import { type LinkShape, PAYLOAD, type Path, Source, World, exchange, simulatedPath } from './simulated-path.ts'
import { loneSession } from './lone-channel.ts'

const TARGET = { host: 'example.org', port: 443 }
const GOOD: LinkShape = { delay: 5, rate: 20_000, queue: 1e6 }

function settle(path: Path, ms = 2000): void {
  path.world.run(() => false, path.world.now + ms)
}

/** A path with one open stream; `log` has what both owners were told. */
function opened(
  shape: LinkShape = GOOD,
  accept = true,
): { path: Path; client: SessionStream; exit: () => SessionStream; log: string[] } {
  const log: string[] = []
  let atExit: SessionStream | undefined
  const note = (who: string, stream: SessionStream): void => {
    stream.handler = {
      onOpened: (address) => void log.push(`${who} opened ${address}`),
      onRefused: (code) => void log.push(`${who} refused ${code}`),
      onData: (chunk) => void log.push(`${who} data ${chunk.length}`),
      onEnd: () => void log.push(`${who} end`),
      onReset: (code) => void log.push(`${who} reset ${code}`),
    }
  }
  const path = simulatedPath(7, shape, (stream) => {
    atExit = stream
    log.push(`exit open ${stream.target?.host}:${stream.target?.port}`)
    note('exit', stream)
    if (accept) stream.accept('2001:db8::1')
  })
  const client = path.client.session.openStream(TARGET)
  note('client', client)
  return {
    path,
    client,
    exit: () => {
      assert.ok(atExit !== undefined)
      return atExit
    },
    log,
  }
}

test('open, data and end in both directions; both sides forget the stream', () => {
  const { path, client, exit, log } = opened()
  client.write(new Uint8Array(10))
  client.end()
  settle(path)
  assert.deepEqual(log, ['exit open example.org:443', 'exit data 10', 'exit end', 'client opened 2001:db8::1'])
  exit().write(new Uint8Array(20))
  exit().end()
  settle(path)
  assert.deepEqual(log.slice(4), ['client data 20', 'client end'])
  assert.equal(client.state, 'closed')
  assert.equal(path.client.session.streams, 0)
  assert.equal(path.exit.session.streams, 0)
  assert.equal(client.write(new Uint8Array(1)), false)
})

test('a stream to a service tells the exit whose and which, and carries bytes both ways', () => {
  const member = new Uint8Array(32).fill(7)
  const told: unknown[] = []
  const path = simulatedPath(7, GOOD, (stream) => {
    told.push(stream.target)
    stream.handler = { onData: (chunk) => void stream.write(chunk.slice()) }
    stream.accept('0.0.0.0')
  })
  const client = path.client.session.openStream({ host: 'overlay', port: 0, protocol: 'service', member })
  let came = 0
  client.handler = { onData: (chunk) => (came += chunk.length) }
  client.write(new Uint8Array(5000))
  settle(path)
  assert.deepEqual(told, [{ host: 'overlay', port: 0, protocol: 'service', member }])
  assert.equal(came, 5000)
})

test('a stream that has a way measured names host and port, and brings the answer', () => {
  const told: unknown[] = []
  const path = simulatedPath(7, GOOD, (stream) => {
    told.push(stream.target)
    stream.accept('192.0.2.9')
    stream.write(Uint8Array.of(0, 0, 48, 212))
    stream.end()
  })
  const came: unknown[] = []
  const client = path.client.session.openStream({ host: 'example.org', port: 443, protocol: 'measure' })
  client.handler = { onOpened: (address) => came.push(address), onData: (chunk) => came.push([...chunk]) }
  client.end()
  settle(path)
  assert.deepEqual(told, [{ host: 'example.org', port: 443, protocol: 'measure' }])
  assert.deepEqual(came, ['192.0.2.9', [0, 0, 48, 212]])
  assert.deepEqual([path.client.session.streams, path.exit.session.streams], [0, 0])
})

test('what a client sends before the target is connected waits, and is handed over then', () => {
  const { path, client, exit, log } = opened(GOOD, false)
  client.write(new Uint8Array(1000))
  settle(path)
  assert.deepEqual(log, ['exit open example.org:443'])
  exit().accept('192.0.2.9')
  settle(path)
  assert.deepEqual(
    log.slice(1).toSorted((a, b) => a.localeCompare(b)),
    ['client opened 192.0.2.9', 'exit data 1000'],
  )
})

test('a refused stream tells its code, and both sides forget it', () => {
  const { path, client, exit, log } = opened(GOOD, false)
  client.write(new Uint8Array(100_000))
  settle(path)
  exit().refuse(SessionCode.connectionRefused)
  settle(path)
  assert.deepEqual(log.slice(1), ['client refused 7'])
  assert.equal(path.client.session.streams, 0)
  assert.equal(path.exit.session.streams, 0)
  assert.equal(path.exit.session.stats.memory + path.client.session.stats.memory, 0)
})

test('reset and end in any order and at any moment, by either side, with loss: both sides forget every stream', () => {
  const action = fc.constantFrom('write', 'end', 'reset', 'consume')
  fc.assert(
    fc.property(
      fc.nat(1e6),
      fc.array(fc.tuple(fc.boolean(), action, fc.nat(30)), { maxLength: 12 }),
      fc.constantFrom('accept', 'refuse', 'wait'),
      (seed, actions, answer) => {
        let atExit: SessionStream | undefined
        const path = simulatedPath(seed, { ...GOOD, drop: 0.1, duplicate: 0.1, reorder: 0.1 }, (stream) => {
          atExit = stream
          if (answer === 'accept') stream.accept('192.0.2.1')
          if (answer === 'refuse') stream.refuse(3)
        })
        const { session } = path.client
        const stream = session.openStream(TARGET)
        for (const [client, what, ms] of actions) {
          const side = client ? stream : atExit
          if (what === 'write') side?.write(new Uint8Array(40_000))
          else if (what === 'end') side?.end()
          else if (what === 'reset') side?.reset(9)
          else side?.consume(40_000)
          settle(path, ms)
        }
        stream.reset(0)
        settle(path, 20_000)
        // An exit whose target never answered gives up in the end; a stream that is over takes no notice.
        atExit?.refuse(8)
        settle(path, 20_000)
        assert.equal(session.streams, 0)
        assert.equal(path.exit.session.streams, 0)
        assert.equal(session.stats.memory + path.exit.session.stats.memory, 0)
        assert.deepEqual(path.ends, [])
      },
    ),
    { numRuns: 60 },
  )
})

test('streams that are reset half-way leave the windows of the session whole', () => {
  const opened: SessionStream[] = []
  const path = simulatedPath(11, { ...GOOD, drop: 0.01 }, (stream) => {
    opened.push(stream)
    stream.accept('192.0.2.1')
    stream.write(new Uint8Array(65_536))
    stream.write(new Uint8Array(65_536))
  })
  for (let i = 0; i < 60; i++) {
    const stream = path.client.session.openStream(TARGET)
    stream.write(new Uint8Array(65_536))
    stream.write(new Uint8Array(65_536))
    assert.ok(path.world.run(() => opened.length > i, path.world.now + 5_000))
    settle(path, i % 10)
    if (i % 2 === 0) stream.reset(9)
    else opened.at(-1)?.reset(9)
    settle(path, 500)
  }
  assert.equal(path.client.session.streams, 0)
  assert.equal(path.exit.session.streams, 0)
  const stream = path.client.session.openStream(TARGET)
  const down = exchange(stream, 2e6)
  assert.ok(path.world.run(() => opened.length === 61, path.world.now + 5000))
  const up = exchange(opened.at(-1)!, 2e6)
  assert.ok(path.world.run(() => down.ended && up.ended, path.world.now + 60_000))
})

test('more streams than the exit allows wait; hundreds one after another get their turn', () => {
  let served = 0
  const path = simulatedPath(3, { ...GOOD, drop: 0.02 }, (stream) => {
    served++
    exchange(stream, 100)
    stream.accept('192.0.2.1')
  })
  const streams = Array.from({ length: 1000 }, () => path.client.session.openStream(TARGET))
  assert.equal(streams.filter((stream) => stream.id >= 0).length, 256)
  const sinks = streams.map((stream) => exchange(stream, 50))
  assert.ok(path.world.run(() => sinks.every((sink) => sink.ended), 60_000))
  assert.equal(served, 1000)
  assert.deepEqual(path.ends, [])
})

test('streams share the link fairly', () => {
  const path = simulatedPath(4, { delay: 10, rate: 5000, queue: 200_000 }, (stream) => {
    exchange(stream, 20e6)
    stream.accept('192.0.2.1')
  })
  const sinks = Array.from({ length: 10 }, () => exchange(path.client.session.openStream(TARGET), 0))
  settle(path, 4000)
  const got = sinks.map((sink) => sink.received)
  assert.ok(Math.min(...got) > 1e6)
  assert.ok(Math.max(...got) < 1.3 * Math.min(...got), got.join(' '))
})

test('a receiver that never reads holds no more than its window, and the sender stops', () => {
  const path = simulatedPath(5, GOOD, (stream) => {
    const source = new Source(stream, 50e6)
    stream.handler = { onDrain: () => source.more() }
    stream.accept('192.0.2.1')
    source.more()
  })
  const streams = Array.from({ length: 8 }, () => path.client.session.openStream(TARGET))
  const got = streams.map(() => 0)
  for (const [i, stream] of streams.entries()) stream.handler = { onData: (chunk) => void (got[i]! += chunk.length) }
  settle(path, 5000)
  assert.ok(got.every((bytes) => bytes <= 256 * 1024))
  assert.equal(
    got.reduce((a, b) => a + b),
    1024 * 1024,
  )
  const { packetsSent } = path.exit.session.stats
  settle(path, 20_000)
  assert.ok(path.exit.session.stats.packetsSent - packetsSent < 50)
})

test("a hundred stalled sessions stay within the exit's memory, and one that reads still gets through", () => {
  const memory = new MemoryBudget(16 * 1024 * 1024)
  const world = new World()
  let most = 0
  const paths = Array.from({ length: 100 }, (_, i) =>
    simulatedPath(
      i,
      GOOD,
      (stream) => {
        const source = new Source(stream, 4e6)
        stream.handler = { onDrain: () => source.more() }
        stream.accept('192.0.2.1')
        source.more()
        most = Math.max(most, memory.used)
      },
      { memory, world },
    ),
  )
  for (const { client } of paths.slice(1)) for (let i = 0; i < 10; i++) client.session.openStream(TARGET)
  world.run(() => false, 3000)
  const reader = paths[0]!.client.session.openStream(TARGET)
  const sink = exchange(reader, 0)
  const done = world.run(() => sink.ended, 60_000)
  most = Math.max(most, memory.used)
  assert.ok(most <= memory.limit, `${most}`)
  assert.ok(done, `${sink.received} bytes, ${memory.used} held`)
  assert.equal(sink.isWrong, false)
  for (const { client, exit } of paths) {
    client.session.close(0, '')
    exit.session.close(0, '')
  }
  assert.equal(memory.used, 0)
})

test('close tells the other side code and reason; streams are reset; nothing is sent afterwards', () => {
  const { path, client, log } = opened()
  settle(path)
  path.exit.session.close(SessionCode.stopping, 'the exit stops')
  assert.equal(path.exit.session.state, 'closing')
  settle(path)
  assert.deepEqual(path.ends, ['exit 11 the exit stops', 'client 11 the exit stops'])
  assert.deepEqual(log.slice(-2), ['exit reset 11', 'client reset 11'])
  assert.equal(client.state, 'closed')
  assert.equal(path.client.session.next(), undefined)
  assert.equal(path.client.session.nextTimeout(), undefined)
  assert.throws(() => path.client.session.openStream(TARGET), { code: 'E_SESSION_CLOSED' })
  client.reset(1)
  client.end()
  client.consume(5)
  path.exit.session.close(0, 'again')
  assert.equal(path.ends.length, 2)
})

test('two CLOSE frames in a packet, or one behind what closed the session, end it once', () => {
  const { ends, give, session } = alone('client')
  session.openStream(TARGET)
  give((w) => {
    w.close(SessionCode.stopping, 'first')
    w.close(SessionCode.internal, 'second')
  })
  assert.deepEqual(ends, ['11 first'])
  assert.equal(session.state, 'closed')

  const closing = alone('exit', (stream) => {
    stream.refuse(SessionCode.policy)
    closing.session.close(SessionCode.stopping, 'the owner')
  })
  closing.give((w) => {
    w.open(0, 80, 'a')
    w.close(SessionCode.none, 'the client')
  })
  assert.deepEqual(closing.ends, ['11 the owner'])
})

test('CLOSE is sent once: packets that still come get no other', () => {
  const { session, give } = alone('exit')
  session.close(SessionCode.stopping, 'the exit stops')
  assert.ok(session.next() !== undefined)
  session.fill(new Uint8Array(PAYLOAD))
  give((w) => void w.ping())
  assert.equal(session.next(), undefined)
})

test('bytes of streams are counted once each way, however often they are sent', () => {
  let sink: ReturnType<typeof exchange> | undefined
  const path = simulatedPath(22, { ...GOOD, drop: 0.1, duplicate: 0.1 }, (stream) => {
    stream.accept('192.0.2.1')
    sink = exchange(stream, 300_000)
  })
  const back = exchange(path.client.session.openStream(TARGET), 200_000)
  assert.ok(path.world.run(() => back.ended && sink?.ended === true, 60_000))
  const [client, exit] = [path.client.session.stats, path.exit.session.stats]
  assert.deepEqual([client.dataSent, client.dataReceived], [200_000, 300_000])
  assert.deepEqual([exit.dataSent, exit.dataReceived], [300_000, 200_000])
})

test('a session whose packets are all lost probes, and ends after 120 s without any packet', () => {
  const { path, client } = opened()
  settle(path)
  path.up.shape = { ...GOOD, drop: 1 }
  path.down.shape = { ...GOOD, drop: 1 }
  const { packetsSent } = path.client.session.stats
  client.write(new Uint8Array(5000))
  settle(path, 100_000)
  assert.equal(path.ends.length, 0)
  const probes = path.client.session.stats.packetsSent - packetsSent
  assert.ok(probes > 10 && probes < 200, `${probes}`)
  settle(path, 100_000)
  assert.deepEqual(
    path.ends.toSorted((a, b) => a.localeCompare(b)),
    ['client 8 nothing came for 120 s', 'exit 8 nothing came for 120 s'],
  )
})

test('after an outage of ten seconds everything comes', () => {
  let sink: ReturnType<typeof exchange> | undefined
  const path = simulatedPath(8, GOOD, (stream) => {
    sink = exchange(stream, 0)
    stream.accept('192.0.2.1')
  })
  exchange(path.client.session.openStream(TARGET), 5e6)
  settle(path, 100)
  path.up.shape = { ...GOOD, drop: 1 }
  path.down.shape = { ...GOOD, drop: 1 }
  settle(path, 10_000)
  path.up.shape = GOOD
  path.down.shape = GOOD
  assert.ok(path.world.run(() => sink?.ended === true, path.world.now + 60_000))
  assert.equal(sink?.isWrong, false)
})

test('an idle session lives on: the client asks for a sign of life', () => {
  const { path } = opened()
  settle(path, 600_000)
  assert.deepEqual(path.ends, [])
  assert.ok(path.client.session.stats.packetsSent < 60)
})

test('a target that OPEN cannot carry is refused', () => {
  const { path } = opened()
  for (const target of [
    { host: '', port: 1 },
    { host: 'a b', port: 1 },
    { host: 'a'.repeat(256), port: 1 },
    { host: 'é', port: 1 },
    { host: 'a', port: 0 },
    { host: 'a', port: 65_536 },
    { host: 'a', port: 0, protocol: 'measure' },
    { host: '', port: 1, protocol: 'measure' },
    { host: 'a', port: 0, protocol: 'service' },
    { host: 'a', port: 0, protocol: 'service', member: new Uint8Array(31) },
    { host: 'A', port: 0, protocol: 'service', member: new Uint8Array(32) },
    { host: '', port: 0, protocol: 'service', member: new Uint8Array(32) },
    { host: 'a'.repeat(33), port: 0, protocol: 'service', member: new Uint8Array(32) },
  ] as const)
    assert.throws(() => path.client.session.openStream(target), { code: 'E_TARGET_INVALID' })
})

/** A session that gets packets by hand; what it said when it ended. */
function alone(
  role: 'client' | 'exit',
  onStream: (stream: SessionStream) => void = (stream) => stream.accept('192.0.2.1'),
): { session: Session; ends: string[]; give: (write: (writer: FrameWriter) => void) => void } {
  const ends: string[] = []
  const session = new Session({
    role,
    clock: { monotonic: () => 0 },
    random: seededRandom(1),
    payloadLength: PAYLOAD,
    onStream,
    onClose: (code, reason) => void ends.push(`${code} ${reason}`),
  })
  let number = 5
  return {
    session,
    ends,
    give(write) {
      const payload = new Uint8Array(PAYLOAD)
      const writer = new FrameWriter()
      writer.reset(payload)
      write(writer)
      writer.finish()
      session.receive(number++, payload)
      session.endBatch()
    },
  }
}

function data(writer: FrameWriter, id: number, offset: number, length: number, fin: boolean): void {
  writer.wrote(writer.streamHead(id, offset, length, fin))
}

const acks = (low: number, high: number): RangeSet => {
  const ranges = new RangeSet()
  ranges.add(low, high)
  return ranges
}

for (const [what, role, write] of [
  ['an ACK of a packet that was never sent', 'client', (w) => w.ack(acks(2 ** 40, 2 ** 40 + 1), 0)],
  ['OPEN from an exit', 'client', (w) => w.open(0, 80, 'a')],
  ['data for a stream that was never opened', 'client', (w) => data(w, 0, 0, 1, false)],
  ['OPENED from a client', 'exit', (w) => w.opened(0, new Uint8Array(4))],
  ['REFUSED from a client', 'exit', (w) => w.refused(0, 1)],
  ['MAX_STREAMS from a client', 'exit', (w) => w.maxStreams(1)],
  ['stream 257', 'exit', (w) => w.open(256 * 4, 80, 'a')],
  ["data above a stream's limit", 'exit', (w) => data(w, 0, 256 * 1024, 1, false)],
  [
    "data above the session's limit",
    'exit',
    (w) => {
      for (let i = 0; i < 5; i++) data(w, 4 * i, 256 * 1024 - 1, 1, false)
    },
  ],
  [
    'a final size that changes',
    'exit',
    (w) => {
      data(w, 0, 10, 1, true)
      data(w, 0, 11, 1, false)
    },
  ],
  [
    'a reset below what was sent',
    'exit',
    (w) => {
      data(w, 0, 10, 1, false)
      w.resetStream(0, 0, 5)
    },
  ],
  [
    'REFUSED after OPENED',
    'client',
    (w) => {
      w.opened(0, new Uint8Array(4))
      w.refused(0, 1)
    },
  ],
] as [string, 'client' | 'exit', (writer: FrameWriter) => void][])
  test(`CLOSE 2: ${what}`, () => {
    const { session, ends, give } = alone(role)
    if (what === 'REFUSED after OPENED') session.openStream(TARGET)
    give(write)
    assert.equal(ends.length, 1)
    assert.match(ends[0]!, /^2 /)
    assert.ok(session.next() !== undefined)
    const payload = new Uint8Array(PAYLOAD)
    session.fill(payload)
    assert.equal(payload[0], 0x1c)
    assert.equal(payload[1], 2)
    assert.equal(session.next(), undefined)
  })

test('data of a stream that comes before its OPEN waits for it', () => {
  const got: number[] = []
  const { ends, give } = alone('exit', (stream) => {
    stream.handler = { onData: (chunk) => void got.push(chunk.length) }
    stream.accept('192.0.2.1')
  })
  give((w) => data(w, 8, 0, 100, false))
  assert.deepEqual(got, [])
  give((w) => void w.open(8, 80, 'a'))
  assert.deepEqual(got, [100])
  // Once more, and for a stream that lies below.
  give((w) => void w.open(8, 80, 'a'))
  give((w) => void w.open(0, 80, 'b'))
  assert.deepEqual(ends, [])
})

test('without memory the next bytes in order still get through, however pieces are cut, and others are not acknowledged', () => {
  const got: number[][] = []
  let ends = 0
  const { session, give } = bareExit(new MemoryBudget(6144), (stream) => {
    stream.handler = { onData: (chunk) => void got.push([...chunk]), onEnd: () => void ends++ }
    stream.accept('192.0.2.1')
  })
  /** The bytes of a stream that counts up from 0. */
  const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i)
  const piece = (from: number, to: number, fin = false): void =>
    give((w, payload) => {
      const length = w.streamHead(0, from, to - from, fin)
      payload.set(range(from, from + length), w.at)
      w.wrote(length)
    })
  give((w) => void w.open(0, 80, 'a'))
  piece(50, 60)
  const { bytesReceived } = session.stats
  assert.equal(bytesReceived, PAYLOAD)
  piece(0, 50)
  piece(50, 60)
  assert.deepEqual(got, [range(0, 50), range(50, 60)])
  // Sent again and cut elsewhere: what is new of it is handed on.
  piece(40, 90)
  piece(20, 60)
  assert.deepEqual(got.slice(2), [range(60, 90)])
  assert.equal(session.stats.dataReceived, 90)
  piece(90, 90, true)
  assert.deepEqual([got.length, ends, session.state], [3, 1, 'open'])
})

test('the exit counts every write against its memory: a stream that exceeds it is reset with code 10', () => {
  const resets: number[] = []
  let stream: SessionStream | undefined
  const session = new Session({
    role: 'exit',
    clock: { monotonic: () => 0 },
    random: seededRandom(1),
    payloadLength: PAYLOAD,
    memory: new MemoryBudget(1024 * 1024),
    onStream(opened) {
      stream = opened
      opened.handler = { onReset: (code) => void resets.push(code) }
      opened.accept('192.0.2.1')
    },
  })
  const payload = new Uint8Array(PAYLOAD)
  const writer = new FrameWriter()
  writer.reset(payload)
  writer.open(0, 80, 'a')
  writer.finish()
  session.receive(1, payload)
  let full = false
  while (resets.length === 0) if (!stream!.write(new Uint8Array(65_536))) full = true
  assert.ok(full)
  assert.deepEqual(resets, [10])
  assert.equal(session.stats.memory, 0)
})

/** An exit's session, and a way to give it one packet. */
function bareExit(memory: MemoryBudget, onStream?: (stream: SessionStream) => void) {
  const session = new Session({
    role: 'exit',
    clock: { monotonic: () => 0 },
    random: seededRandom(1),
    payloadLength: PAYLOAD,
    memory,
    ...(onStream === undefined ? {} : { onStream }),
  })
  let number = 0
  const give = (write: (writer: FrameWriter, payload: Uint8Array) => void): void => {
    const payload = new Uint8Array(PAYLOAD)
    const writer = new FrameWriter()
    writer.reset(payload)
    write(writer, payload)
    writer.finish()
    session.receive(++number, payload)
    session.endBatch()
  }
  return { session, give }
}

test('streams that are named and never used cost an exit no more than it allows, and leave room for others', () => {
  const memory = new MemoryBudget(1024 * 1024)
  const exits = Array.from({ length: 20 }, () => bareExit(memory))
  for (const { session, give } of exits)
    for (let id = 0; id < 256 * 4; id += 4) {
      give((w) => void w.maxStreamData(id, 0))
      assert.equal(session.state, 'open')
    }
  const most = memory.limit / 6144
  assert.ok(memory.streams < most, `${memory.streams}`)
  assert.equal(
    memory.streams,
    exits.reduce((sum, { session }) => sum + session.streams, 0),
  )
  const late = bareExit(memory)
  // What found no room is no frame of the past: it is taken when it comes again.
  late.give((w) => void w.open(0, 80, 'a'))
  assert.equal(late.session.streams, 1)
  for (const { session } of [...exits, late]) session.close(SessionCode.none, '')
  assert.equal(memory.streams, 0)
})

test('a stream for which there was no room is opened when it is asked for again', () => {
  const memory = new MemoryBudget(6144)
  const opened: string[] = []
  const [one, two] = [bareExit(memory), bareExit(memory, (stream) => void opened.push(stream.target!.host))]
  one.give((w) => void w.open(0, 80, 'a'))
  two.give((w) => void w.open(0, 80, 'b'))
  assert.deepEqual([opened, two.session.stats.bytesReceived], [[], 0])
  one.session.close(SessionCode.none, '')
  two.give((w) => void w.open(0, 80, 'b'))
  assert.deepEqual(opened, ['b'])
})

test('bytes far ahead of their turn take at most half of the memory: what is sent finds room', () => {
  const memory = new MemoryBudget(24 * 1024 * 1024)
  for (let i = 0; i < 100; i++) {
    const { give } = bareExit(memory)
    for (let id = 0; id < 16; id += 4) give((w) => data(w, id, 256 * 1024 - 1, 1, false))
  }
  assert.ok(memory.used <= memory.limit / 2 + 256 * 1024, `${memory.used}`)
  let stream: SessionStream | undefined
  const { give } = bareExit(memory, (opened) => {
    stream = opened
    opened.accept('192.0.2.1')
  })
  give((w) => void w.open(0, 80, 'a'))
  assert.ok(stream?.write(new Uint8Array(64 * 1024)))
})

test('any packets end the session with CLOSE 2 or are taken; nothing is thrown', () => {
  const frame = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc
      .tuple(
        fc.constantFrom(
          1,
          2,
          4,
          5,
          8,
          9,
          10,
          11,
          12,
          13,
          14,
          15,
          16,
          17,
          18,
          28,
          48,
          49,
          50,
          51,
          56,
          57,
          58,
          59,
          60,
          61,
          62,
          63,
        ),
        fc.uint8Array({ maxLength: 12 }),
      )
      .map(([type, rest]) => Uint8Array.of(type, ...rest.map((byte) => byte & 0x3f))),
  )
  fc.assert(
    fc.property(
      fc.constantFrom('client' as const, 'exit' as const),
      fc.array(fc.tuple(fc.nat(40), fc.array(frame, { maxLength: 4 })), { maxLength: 20 }),
      (role, packets) => {
        const { session, ends } = alone(role)
        if (role === 'client') for (let i = 0; i < 3; i++) session.openStream(TARGET).write(new Uint8Array(3000))
        for (const [number, frames] of packets) {
          session.receive(number, Uint8Array.from(frames.flatMap((bytes) => [...bytes])))
          session.endBatch()
          for (let i = 0; i < 40 && session.next() !== undefined; i++) session.fill(new Uint8Array(PAYLOAD))
        }
        assert.ok(ends.length <= 1)
      },
    ),
    { numRuns: 2000 },
  )
})

test('a client that acknowledges all that may have been sent, unseen, is closed with a violation within a thousand packets', () => {
  let stream: SessionStream | undefined
  const {
    world,
    session: exit,
    ends,
    give,
  } = loneSession('exit', new MemoryBudget(24 << 20), (opened) => {
    stream = opened
    opened.accept('192.0.2.1')
  })
  give((writer) => writer.open(0, 443, 'a'))
  const sent: number[] = []
  const payload = new Uint8Array(PAYLOAD)
  for (let round = 1; round < 1000 && ends.length === 0; round++) {
    world.now += 10
    const opened = stream ?? assert.fail()
    while (opened.room > 65_536) opened.write(new Uint8Array(65_536))
    while (exit.next() !== undefined) sent.push(exit.fill(payload))
    give((writer) => {
      const all = new RangeSet()
      all.add(sent[0]!, sent.at(-1)! + 1)
      writer.ack(all, 0)
      writer.maxStreamData(0, round << 20)
      writer.maxData(round << 20)
    })
  }
  assert.deepEqual(ends, ['2 a packet number is acknowledged that was left out'])
  assert.ok(exit.stats.packetsSent > 490 && exit.stats.packetsSent < 1000 + 1000, `${exit.stats.packetsSent}`)
})

test('a client that acknowledges nothing has few packets sent to it, and what it said last is acknowledged when it acknowledges', () => {
  const lone = loneSession('exit', new MemoryBudget(24 << 20), (stream) => stream.accept('192.0.2.1'))
  const { world, session: exit, ends, give } = lone
  give((writer) => writer.open(0, 443, 'a'))
  const payload = new Uint8Array(PAYLOAD)
  const received = new RangeSet()
  const fill = (): void => {
    for (; exit.next() !== undefined; world.now += 1) {
      const number = exit.fill(payload)
      received.add(number, number + 1)
    }
  }
  fill()
  for (let round = 0; round < 20_000; round++) {
    world.now += 5
    give((writer) => writer.ping())
    exit.onTimeout()
    fill()
  }
  // 448 that ask for no ACK, and the probes, of which there is a pair in a minute.
  assert.ok(exit.stats.packetsSent < 520, `${exit.stats.packetsSent}`)
  assert.ok((exit.nextTimeout() ?? 0) > world.now, 'a timer that is always due')
  const before = exit.stats.packetsSent
  give((writer) => {
    writer.ack(received, 0)
    writer.ping()
  })
  world.now += 100
  fill()
  assert.equal(exit.stats.packetsSent, before + 1)
  assert.deepEqual(ends, [])
})

test('numbers that are left out are no losses: a transfer on a good path ends with none, and a receiver keeps few ranges', () => {
  let sink: ReturnType<typeof exchange> | undefined
  const path = simulatedPath(21, GOOD, (stream) => {
    stream.accept('192.0.2.1')
    sink = exchange(stream, 8_000_000)
  })
  const numbers: number[] = []
  const { deliver } = path.down
  path.down.deliver = (number, payload) => {
    numbers.push(number)
    deliver(number, payload)
  }
  const back = exchange(path.client.session.openStream(TARGET), 1000)
  assert.ok(path.world.run(() => back.ended && sink?.ended === true, 60_000))
  assert.equal(back.isWrong, false)
  settle(path)
  const gaps = numbers.filter((number, at) => at > 0 && number === numbers[at - 1]! + 2).length
  const steps = numbers.filter((number, at) => at > 0 && number === numbers[at - 1]! + 1).length
  assert.equal(gaps + steps, numbers.length - 1)
  assert.ok(gaps >= Math.floor(numbers.length / 1001) && gaps <= numbers.length / 500, `${gaps} of ${numbers.length}`)
  assert.equal(path.exit.session.stats.packetsLost, 0)
  assert.equal(path.exit.session.stats.inFlight, 0)
  assert.deepEqual(path.ends, [])
})
