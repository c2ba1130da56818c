import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type FrameWriter } from '../../src/session/frame-writer.ts'
import { MemoryBudget } from '../../src/session/memory-budget.ts'
import { SessionCode } from '../../src/session/protocol.ts'
import { RangeSet } from '../../src/session/range-set.ts'
import { type SessionStream } from '../../src/session/session-stream.ts'
import { MEBIBYTE, loneSession, streamData } from './lone-channel.ts'
import { TARGET } from './opened-stream.ts'
import { PAYLOAD } from './simulated-path.ts'

/** A session with all the memory that it may want. */
const inRoom = (
  role: 'client' | 'exit',
  onStream = (stream: SessionStream): void => stream.accept('192.0.2.1'),
): ReturnType<typeof loneSession> => loneSession(role, new MemoryBudget(256 * MEBIBYTE), onStream)

test('two CLOSE frames in a packet, or one behind what closed the session, end it once', () => {
  const { ends, give, session } = inRoom('client')
  session.openStream(TARGET)
  give((w) => {
    w.close(SessionCode.stopping, 'first')
    w.close(SessionCode.internal, 'second')
  })
  assert.deepEqual(ends, ['11 first'])
  assert.equal(session.state, 'closed')

  const closing = inRoom('exit', (stream) => {
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
  const { session, give } = inRoom('exit')
  session.close(SessionCode.stopping, 'the exit stops')
  assert.ok(session.next() !== undefined)
  session.fill(new Uint8Array(PAYLOAD))
  give((w) => void w.ping())
  assert.equal(session.next(), undefined)
})

const acks = (low: number, high: number): RangeSet => {
  const ranges = new RangeSet()
  ranges.add(low, high)
  return ranges
}

for (const [what, role, write] of [
  ['an ACK of a packet that was never sent', 'client', (w) => w.ack(acks(2 ** 40, 2 ** 40 + 1), 0)],
  ['OPEN from an exit', 'client', (w) => w.open(0, 80, 'a')],
  ['data for a stream that was never opened', 'client', (w) => streamData(w, 0, 0, 1, false)],
  ['OPENED from a client', 'exit', (w) => w.opened(0, new Uint8Array(4))],
  ['REFUSED from a client', 'exit', (w) => w.refused(0, 1)],
  ['MAX_STREAMS from a client', 'exit', (w) => w.maxStreams(1)],
  ['stream 257', 'exit', (w) => w.open(256 * 4, 80, 'a')],
  ["data above a stream's limit", 'exit', (w) => streamData(w, 0, 256 * 1024, 1, false)],
  [
    "data above the session's limit",
    'exit',
    (w) => {
      for (let i = 0; i < 5; i++) streamData(w, 4 * i, 256 * 1024 - 1, 1, false)
    },
  ],
  [
    'a final size that changes',
    'exit',
    (w) => {
      streamData(w, 0, 10, 1, true)
      streamData(w, 0, 11, 1, false)
    },
  ],
  [
    'a reset below what was sent',
    'exit',
    (w) => {
      streamData(w, 0, 10, 1, false)
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
    const { session, ends, give } = inRoom(role)
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
  const { ends, give } = inRoom('exit', (stream) => {
    stream.handler = { onData: (chunk) => void got.push(chunk.length) }
    stream.accept('192.0.2.1')
  })
  give((w) => streamData(w, 8, 0, 100, false))
  assert.deepEqual(got, [])
  give((w) => void w.open(8, 80, 'a'))
  assert.deepEqual(got, [100])
  // Once more, and for a stream that lies below.
  give((w) => void w.open(8, 80, 'a'))
  give((w) => void w.open(0, 80, 'b'))
  assert.deepEqual(ends, [])
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
        const { session, ends } = inRoom(role)
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
  // Not for so long that the exit gives it up.
  for (let round = 0; round < 9_000; round++) {
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
