import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FrameWriter } from '../../src/session/frame-writer.ts'
import { Outbox } from '../../src/session/outbox.ts'
import { LegStatus, MAX_LEGS } from '../../src/session/protocol.ts'
import { readJoin } from '../../src/session/read-join.ts'
import { type SessionStream } from '../../src/session/session-stream.ts'
import { SentPackets } from '../../src/session/sent-packets.ts'
import { type SessionDatagrams } from '../../src/session/session-datagrams.ts'
import { UDP_CHANNEL } from '../../src/session/stream-target.ts'
import { MemoryBudget } from '../../src/session/memory-budget.ts'
import { ampleMemory } from './memory-rig.ts'
import { loneSession } from './lone-channel.ts'
import { type LinkShape, PAYLOAD, type Sink, exchange } from './simulated-path.ts'
import { SeveralLegs } from './several-legs.ts'

const TARGET = { host: 'example.org', port: 443 }
const NEAR: LinkShape = { delay: 5, rate: 10_000, queue: 1e6 }
const FAR: LinkShape = { delay: 40, rate: 10_000, queue: 1e6 }

/** A download of `total` bytes that has begun over one leg of a named session, and when bytes of it came, ms. */
function download(seed: number, total: number, shape = NEAR) {
  const arrivals: number[] = []
  const legs = new SeveralLegs(seed, (stream: SessionStream) => {
    stream.accept('192.0.2.1')
    exchange(stream, total)
  })
  const first = legs.begin(shape)
  const stream = legs.client.session.openStream(TARGET)
  const sink: Sink = exchange(stream, 0)
  const { handler } = stream
  stream.handler = {
    ...handler,
    onData: (chunk) => {
      arrivals.push(legs.world.now)
      handler.onData?.(chunk)
    },
    onReset: (code) => legs.ends.push(`reset ${code}`),
  }
  legs.name()
  const finish = (): void => {
    assert.ok(
      legs.world.run(() => sink.ended, legs.world.now + 120_000),
      `${sink.received} of ${total} came`,
    )
    assert.equal(sink.received, total)
    assert.equal(sink.isWrong, false)
    assert.deepEqual(legs.ends, [])
  }
  /** The longest that nothing came, ms. */
  const stall = (): number => Math.max(...arrivals.slice(1).map((at, index) => at - (arrivals[index] as number)))
  return { legs, first, sink, finish, stall }
}

test('a circuit joins a session, and both ends use it for what the first has no room for', () => {
  const { legs, sink, finish } = download(1, 8e6)
  legs.join(NEAR, 'used')
  finish()
  assert.equal(legs.refused, 0)
  assert.equal(sink.ended, true)
  const sent = legs.exit.sent
  assert.ok((sent.get(1) ?? 0) > 500 && (sent.get(0) ?? 0) > 500, JSON.stringify([...sent]))
})

test('two legs carry more than one: each has its own window and pace', () => {
  const time = (both: boolean): number => {
    const { legs, finish } = download(2, 4e6, { ...NEAR, rate: 500 })
    if (both) legs.join({ ...NEAR, rate: 500 }, 'used')
    finish()
    return legs.world.now
  }
  const [one, two] = [time(false), time(true)]
  assert.ok(two < 0.65 * one, `${two} of ${one} ms`)
})

test('a leg in reserve carries nothing but its own pings while another is fit, and all when that falls silent', () => {
  const { legs, first, finish, stall } = download(3, 6e6)
  const reserve = legs.join(NEAR, 'reserve')
  legs.run(300)
  assert.ok((legs.exit.sent.get(1) ?? 0) < 10, 'the reserve carried content')
  first.cut()
  finish()
  assert.ok((legs.exit.sent.get(1) ?? 0) > 500)
  assert.deepEqual(legs.silent.slice(0, 1), ['exit 0'])
  assert.ok(stall() < 300, `nothing came for ${stall()} ms`)
  assert.equal(reserve.leg.isSilent, false)
})

test('a circuit that is cut while both legs carry costs no stream and no byte, wherever it happens', () => {
  fc.assert(
    fc.property(fc.nat(1e6), fc.integer({ min: 0, max: 400 }), fc.boolean(), (seed, after, isFirst) => {
      const { legs, first, finish } = download(seed, 3e6)
      const second = legs.join(FAR, 'used')
      legs.run(after)
      const lost = isFirst ? first : second
      lost.cut()
      legs.run(200)
      legs.client.session.removeLeg(lost.leg)
      finish()
    }),
    { numRuns: 25 },
  )
})

test('a leg that was only slow for some time is used again', () => {
  const { legs, first, finish } = download(4, 30e6)
  legs.join(FAR, 'used')
  legs.run(200)
  first.cut()
  legs.run(600)
  const before = legs.exit.sent.get(0) ?? 0
  first.mend()
  legs.run(1_500)
  assert.ok((legs.exit.sent.get(0) ?? 0) > before + 500, 'it stayed unused')
  finish()
})

test('the client says which leg is gone: the exit gives it up at once', () => {
  const { legs, first, finish } = download(5, 20e6)
  legs.join(NEAR, 'reserve')
  legs.run(100)
  assert.equal(legs.exit.session.legs.length, 2)
  legs.client.session.removeLeg(first.leg)
  first.cut()
  legs.run(100)
  assert.deepEqual(
    legs.exit.session.legs.map(({ id }) => id),
    [1],
  )
  finish()
})

test('a session without a leg waits for one, and goes on where it was', () => {
  const { legs, first, finish } = download(6, 3e6)
  legs.run(50)
  const { session } = legs.client
  const second = legs.join(NEAR, 'reserve')
  legs.run(100)
  for (const circuit of [first, second]) {
    circuit.cut()
    session.removeLeg(circuit.leg)
  }
  for (const leg of legs.exit.session.legs.slice()) legs.exit.session.removeLeg(leg)
  legs.run(5_000)
  assert.equal(session.state, 'open')
  legs.join(NEAR, 'used')
  finish()
})

test('a session that has no leg for 15 s is over, at both ends', () => {
  const { legs, first } = download(7, 1e5)
  legs.client.session.removeLeg(first.leg)
  legs.exit.session.removeLeg(legs.exit.session.first)
  legs.run(14_000)
  assert.equal(legs.client.session.state, 'open')
  legs.run(2_000)
  assert.deepEqual(legs.ends, ['client 8 it had no leg for 15 s', 'reset 8', 'exit 8 it had no leg for 15 s'])
})

test('datagrams go over one leg in their order, and over the other one when that is silent', () => {
  const came: number[] = []
  const legs = new SeveralLegs(8, (stream) => {
    stream.accept('0.0.0.0')
    if (stream.channel !== undefined)
      stream.channel.handler = {
        onDatagram: (_host, _port, bytes) => void came.push(new DataView(bytes.slice().buffer).getUint16(0)),
      }
  })
  const first = legs.begin(NEAR)
  const { channel } = legs.client.session.openStream(UDP_CHANNEL)
  assert.ok(channel !== undefined)
  legs.name()
  legs.join(FAR, 'used')
  legs.run(200)
  const send = (from: number, to: number): void => {
    for (let number = from; number < to; number++) {
      channel.send('192.0.2.7', 53, Uint8Array.of(number >> 8, number))
      legs.client.wake()
      legs.run(20)
    }
  }
  send(0, 50)
  legs.run(100)
  assert.deepEqual(
    came,
    Array.from({ length: 50 }, (_, at) => at),
  )
  first.cut()
  send(50, 100)
  legs.run(200)
  assert.deepEqual(
    came,
    came.toSorted((a, b) => a - b),
  )
  const lost = 100 - came.length
  assert.ok(lost > 0 && lost * 20 <= 260, `${lost} datagrams of 20 ms each were lost`)
})

/** Datagrams of a client, each 20 ms, over a first leg and then one that is added: how many came over which. */
function datagramsOver(seed: number, first: LinkShape, second: LinkShape) {
  const came: number[] = []
  const legs = new SeveralLegs(seed, (stream) => {
    stream.accept('0.0.0.0')
    if (stream.channel !== undefined)
      stream.channel.handler = {
        onDatagram: (_host, _port, bytes) => void came.push(new DataView(bytes.slice().buffer).getUint16(0)),
      }
  })
  legs.begin(first)
  const { channel } = legs.client.session.openStream(UDP_CHANNEL)
  assert.ok(channel !== undefined)
  legs.name()
  let next = 0
  /** @returns ms from the last one's sending to its coming */
  const send = (count: number): number => {
    for (let left = count; left > 0; left--) {
      channel.send('192.0.2.7', 53, Uint8Array.of(next >> 8, next))
      next++
      legs.client.wake()
      if (left > 1) legs.run(20)
    }
    const { now } = legs.world
    const last = next - 1
    assert.ok(legs.world.run(() => came.includes(last), now + 1_000))
    return legs.world.now - now
  }
  send(10)
  legs.join(second, 'used')
  return {
    legs,
    send,
    inOrder: () => came.every((number, at) => number === (at === 0 ? 0 : (came[at - 1] as number) + 1)),
  }
}

test('datagrams that paused go over the shortest leg, whichever was there first', () => {
  const { legs, send, inOrder } = datagramsOver(13, { ...NEAR, delay: 12 }, NEAR)
  assert.ok(send(50) >= 12)
  legs.run(100)
  assert.ok(send(1) < 10)
  assert.ok(inOrder())
})

test('a flow of datagrams stays on its leg while another one is a little shorter, and leaves it for one that is much shorter', () => {
  const little = datagramsOver(14, { ...NEAR, delay: 15 }, { ...NEAR, delay: 10 })
  little.legs.run(10)
  for (let round = 0; round < 20; round++) assert.ok(little.send(10) >= 15)
  assert.ok(little.inOrder())
  const much = datagramsOver(15, FAR, NEAR)
  much.send(20)
  assert.ok(much.send(10) < 10)
})

test('an exit takes no more than eight legs, and no id again', () => {
  const { legs } = download(9, 0)
  const { session } = legs.exit
  for (let id = 1; id < MAX_LEGS; id++) assert.ok(session.join(id, 'reserve') !== undefined)
  assert.equal(session.join(MAX_LEGS, 'reserve'), undefined)
  const gone = session.legs.at(-1)
  assert.ok(gone !== undefined)
  session.removeLeg(gone)
  assert.equal(session.join(gone.id, 'used'), undefined)
  assert.ok(session.join(MAX_LEGS, 'used') !== undefined)
})

test('what is no JOIN is none, however it is cut', () => {
  const name = new Uint8Array(32).fill(9)
  const payload = new Uint8Array(PAYLOAD)
  const writer = new FrameWriter()
  writer.reset(payload)
  writer.join(3, LegStatus.reserve, name)
  assert.deepEqual(readJoin(payload), { leg: 3, use: 'reserve', name })
  for (let length = 0; length < 35; length++) assert.equal(readJoin(payload.subarray(0, length)), undefined)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      const join = readJoin(bytes)
      assert.ok(join === undefined || (bytes[0] === 0x21 && join.name.length === 32))
    }),
  )
})

const WRONG: readonly [string, 'client' | 'exit', (writer: FrameWriter) => void][] = [
  ['an exit that names the session', 'client', (w) => w.name(new Uint8Array(32))],
  ['an exit that joins', 'client', (w) => w.join(1, 1, new Uint8Array(32))],
  ['an exit that speaks of legs', 'client', (w) => w.leg(0, 0, 1)],
  ['a first leg that joins', 'exit', (w) => w.join(0, 1, new Uint8Array(32))],
  [
    'two names',
    'exit',
    (w) => {
      w.name(new Uint8Array(32))
      w.name(new Uint8Array(32).fill(1))
    },
  ],
]
for (const [what, role, write] of WRONG)
  test(`violation: ${what}`, () => {
    const { give, ends } = loneSession(role, new MemoryBudget(2 ** 20), () => {})
    give(write)
    assert.match(ends.join(), /^2 /)
  })

test('what is said of a leg that is not there, or was said before, changes nothing', () => {
  const { session, give, ends } = loneSession('exit', new MemoryBudget(2 ** 20), () => {})
  give((w) => w.leg(5, 0, LegStatus.gone))
  give((w) => w.leg(0, 1, LegStatus.reserve))
  give((w) => w.leg(0, 0, LegStatus.used))
  assert.equal(session.first.use, 'reserve')
  assert.deepEqual(ends, [])
})

test('while one leg is away for seconds nothing that the other carries waits for it', () => {
  const { legs, first, finish, stall } = download(10, 30e6, { ...NEAR, rate: 4_000 })
  legs.join({ ...NEAR, rate: 4_000 }, 'used')
  legs.run(300)
  first.cut()
  finish()
  assert.ok(legs.world.now > 4_000)
  assert.ok(stall() < 300, `nothing came for ${stall()} ms`)
})

test('datagrams that wait for room on their leg wake nobody because another one has room', () => {
  let channel: SessionStream['channel']
  const legs = new SeveralLegs(11, (stream) => {
    stream.accept('0.0.0.0')
    channel = stream.channel
    if (channel !== undefined) channel.handler = { onDatagram: () => {} }
  })
  const first = legs.begin(NEAR)
  const client = legs.client.session.openStream(UDP_CHANNEL).channel
  assert.ok(client !== undefined)
  legs.name()
  legs.join(FAR, 'used')
  client.send('192.0.2.7', 53, new Uint8Array(1))
  legs.client.wake()
  legs.run(300)
  // Its client says nothing of what comes, for less than makes a leg silent.
  first.up.shape = { ...NEAR, drop: 1 }
  for (let number = 0; number < 100; number++) channel?.send('192.0.2.7', 53, new Uint8Array(1_000))
  const before = legs.exit.timeouts
  legs.exit.wake()
  legs.run(100)
  assert.ok(legs.exit.timeouts - before < 110, `woken ${legs.exit.timeouts - before} times in 100 ms`)
})

/** An exit whose client hears all and acknowledges nothing but the pings that ask whether a leg is back; packets it was sent in `ms`. */
function flapped(ms: number, isLying: boolean): { readonly sent: number; readonly silences: number } {
  const { legs, first } = download(12, 200e6)
  const second = legs.join(NEAR, 'used')
  legs.run(1_000)
  const total = (): number => [...legs.exit.sent.values()].reduce((sum, count) => sum + count, 0)
  const [before, silences] = [total(), legs.silent.length]
  if (isLying)
    for (const { down } of [first, second]) {
      const { deliver } = down
      down.deliver = (number, payload) => {
        // A packet of a ping alone: one byte, and padding behind it.
        if (payload[0] === 1 && payload[1] === 0) deliver(number, payload)
      }
    }
  legs.run(ms)
  return { sent: total() - before, silences: legs.silent.length - silences }
}

test('a client that answers pings alone is not sent a window anew for each silence', () => {
  const { sent, silences } = flapped(5_000, true)
  const honest = flapped(5_000, false).sent
  assert.ok(silences > 4, `${silences} silences`)
  assert.ok(sent < honest / 20, `${sent} packets, ${honest} to one that acknowledges all`)
})

test('an exit that acknowledges nothing of legs has a client tell of 32 at most, the newest', () => {
  const outbox = new Outbox({ hasWork: false } as SessionDatagrams)
  for (let leg = 0; leg < 200; leg++) outbox.tellOfLeg(leg, leg < 3 ? LegStatus.used : LegStatus.gone)
  const payload = new Uint8Array(PAYLOAD)
  const writer = new FrameWriter()
  const sent = new SentPackets(ampleMemory())
  writer.reset(payload)
  assert.equal(outbox.write(writer, payload, sent, 0, false), 32)
  assert.equal(outbox.hasWork, false)
  sent.commit(true, 32, 0)
  const told = Array.from({ length: 32 }, (_, at) => sent.frameStream(0, at))
  assert.deepEqual(told.slice(0, 4), [0, 1, 2, 171])
})
