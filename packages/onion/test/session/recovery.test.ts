import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { AckFrame } from '../../src/session/ack-frame.ts'
import { Bbr } from '../../src/session/bbr.ts'
import { Pacer } from '../../src/session/pacer.ts'
import { ReceivedPackets } from '../../src/session/received-packets.ts'
import { ReceiveWindow } from '../../src/session/receive-window.ts'
import { type FrameLedger, Recovery } from '../../src/session/recovery.ts'
import { RttEstimator } from '../../src/session/rtt-estimator.ts'
import { SentKind } from '../../src/session/sent-packets.ts'
import { SessionViolation } from '../../src/session/session-violation.ts'
import { ampleMemory } from './memory-rig.ts'

const FIRST = 1000

/** A Recovery whose packets carry their own sequence as the frame's offset. */
class Bench {
  readonly acked: number[] = []
  readonly lost: number[] = []
  readonly controller = new Bbr(() => 0)
  readonly recovery: Recovery

  /** @param gap packets after which a number is left out */
  constructor(gap = Infinity) {
    const ledger: FrameLedger = {
      onFrameAcked: (_kind, _id, offset) => void this.acked.push(offset),
      onFrameLost: (_kind, _id, offset) => void this.lost.push(offset),
    }
    this.recovery = new Recovery(FIRST, () => gap, this.controller, ledger, ampleMemory())
  }

  send(count: number, now: number): void {
    for (let i = 0; i < count; i++) {
      this.recovery.sent.addFrame(SentKind.stream, 0, this.recovery.sent.next, 1)
      this.recovery.onSent(true, 1, now)
    }
  }

  /** Ranges from the highest down, as sequences. */
  ack(ranges: [number, number][], now: number): void {
    const ack = new AckFrame()
    ack.reset(0)
    for (const [low, high] of ranges) ack.push(FIRST + low, FIRST + high)
    this.recovery.onAck(ack, now)
  }
}

test('ACKs of what was acknowledged piecemeal pass over it in a step, wherever they end', (t) => {
  const bench = new Bench()
  const { sent } = bench.recovery
  const count = 2000
  bench.send(count, 0)
  for (let s = count - 1; s >= 2; s--) bench.ack([[s, s]], 1)
  bench.ack([[1, count - 1]], 1)
  const looks = t.mock.method(sent, 'state')
  for (let high = count - 2; high > count - 102; high--) bench.ack([[1, high]], 1)
  assert.ok(looks.mock.callCount() < 2000, `${looks.mock.callCount()}`)
})

test('every packet is acknowledged or lost once, whatever the ACKs; in flight is what is neither', () => {
  const round = fc.record({ send: fc.nat(40), seen: fc.array(fc.nat(60), { maxLength: 40 }), untracked: fc.boolean() })
  fc.assert(
    fc.property(fc.array(round, { maxLength: 40 }), fc.constantFrom(1, 2, 7, 50, Infinity), (rounds, gap) => {
      const bench = new Bench(gap)
      const { sent } = bench.recovery
      const arrived = new Set<number>()
      const data = new Set<number>()
      let now = 0
      for (const { send, seen, untracked } of rounds) {
        const from = sent.next
        bench.send(send, now)
        for (let s = from; s < sent.next; s++) if (sent.skipped.count(s, s) === 0) data.add(s)
        if (untracked) bench.recovery.onSent(false, 0, now)
        for (const n of seen) {
          const s = sent.next - 1 - n
          if (s >= 0 && sent.skipped.count(s, s) === 0) arrived.add(s)
        }
        now += 5
        const ranges: [number, number][] = []
        for (const s of [...arrived].toSorted((a, b) => b - a)) {
          const last = ranges.at(-1)
          if (last !== undefined && last[0] === s + 1) last[0] = s
          else if (ranges.length < 64) ranges.push([s, s])
        }
        if (ranges.length > 0) bench.ack(ranges, now)
        const known = new Set([...bench.acked, ...bench.lost])
        assert.equal(bench.recovery.inFlight, data.size - known.size)
        assert.equal(new Set(bench.acked).size, bench.acked.length)
        assert.equal(new Set(bench.lost).size, bench.lost.length)
        for (const s of bench.acked) assert.ok(arrived.has(s))
        for (const s of bench.lost) assert.ok(data.has(s))
      }
    }),
  )
})

test('RFC 9002, section 6.1.1: three later packets make one lost', () => {
  const bench = new Bench()
  bench.send(5, 0)
  bench.ack([[1, 2]], 10)
  assert.deepEqual(bench.lost, [])
  bench.ack([[1, 3]], 10)
  assert.deepEqual(bench.lost, [0])
})

test('RFC 9002, section 6.1.2: a packet before an acknowledged one is lost after 9/8 of the round trip', () => {
  const bench = new Bench()
  bench.send(2, 0)
  bench.ack([[1, 1]], 80)
  const at = bench.recovery.timeoutAt()
  assert.equal(at, 90)
  bench.recovery.onTimeout(89)
  assert.deepEqual(bench.lost, [])
  bench.recovery.onTimeout(90)
  assert.deepEqual(bench.lost, [0])
})

test('packets that were never sent cannot be acknowledged', () => {
  const bench = new Bench()
  bench.send(3, 0)
  assert.throws(() => bench.ack([[2, 3]], 1), SessionViolation)
  assert.throws(() => bench.ack([[-1, 2]], 1), SessionViolation)
})

test('RFC 9000, section 21.4: a number that was left out cannot be acknowledged, alone or in a range, early or late', () => {
  // Sequences 3 and 7 are left out.
  for (const range of [
    [3, 3],
    [2, 4],
    [0, 6],
    [7, 7],
  ] as [number, number][]) {
    const bench = new Bench(3)
    bench.send(6, 0)
    assert.throws(() => bench.ack([range], 1), SessionViolation)
    assert.deepEqual(bench.acked, [])
  }
  const bench = new Bench(3)
  bench.send(6, 0)
  bench.ack([[0, 2]], 1)
  bench.ack([[4, 6]], 1)
  assert.equal(bench.recovery.inFlight, 0)
  assert.equal(bench.recovery.sent.base, bench.recovery.sent.next)
  assert.throws(() => bench.ack([[3, 3]], 2), SessionViolation)
})

test('a number that was left out is not lost, not in flight, and no distance', () => {
  const bench = new Bench(3)
  bench.send(5, 0)
  assert.equal(bench.recovery.inFlight, 5)
  // Later than 1 came 2 and 4 (3 is no packet): one too few.
  bench.ack(
    [
      [4, 4],
      [2, 2],
      [0, 0],
    ],
    10,
  )
  assert.deepEqual(bench.lost, [])
  bench.ack(
    [
      [4, 5],
      [2, 2],
      [0, 0],
    ],
    10,
  )
  assert.deepEqual(bench.lost, [1])
  bench.ack(
    [
      [4, 5],
      [0, 2],
    ],
    11,
  )
  assert.equal(bench.recovery.inFlight, 0)
  assert.equal(bench.recovery.timeoutAt(), undefined)
  assert.equal(bench.recovery.lost, 1)
})

test('a probe timeout sends the oldest content again, leaves the window alone and doubles', () => {
  const bench = new Bench()
  bench.send(10, 0)
  const first = bench.recovery.timeoutAt() ?? 0
  bench.recovery.onTimeout(first)
  assert.deepEqual(bench.lost, [0, 1])
  assert.equal(bench.recovery.probes, 2)
  assert.equal(bench.recovery.inFlight, 10)
  assert.equal(bench.controller.window, 10)
  assert.equal(bench.recovery.timeoutAt(), first + 2 * first)
})

test('a loss that proves to be reordering raises the threshold, and the controller hears of it', (t) => {
  const bench = new Bench()
  const [losses, spurious] = (['onLost', 'onSpuriousCongestion'] as const).map((name) =>
    t.mock.method(bench.controller, name),
  )
  bench.send(10, 0)
  bench.ack([[1, 5]], 50)
  assert.deepEqual(bench.lost, [0])
  assert.deepEqual([losses?.mock.callCount(), spurious?.mock.callCount()], [1, 0])
  bench.ack([[0, 5]], 51)
  assert.deepEqual([losses?.mock.callCount(), spurious?.mock.callCount()], [1, 1])
  assert.equal(bench.recovery.spurious, 1)
  assert.ok(bench.recovery.packetThreshold > 3)
  bench.send(10, 60)
  bench.ack(
    [
      [11, 15],
      [0, 9],
    ],
    110,
  )
  assert.deepEqual(bench.lost, [0])
})

test('RFC 9002, section 7.6: when nothing came through for three probe timeouts the window is as small as it gets', () => {
  const bench = new Bench()
  bench.send(10, 0)
  bench.ack([[0, 9]], 50)
  for (let at = 100; at < 3000; at += 100) bench.send(1, at)
  const last = bench.recovery.sent.next - 1
  bench.ack(
    [
      [last, last],
      [0, 9],
    ],
    3000,
  )
  // Four, and one for the packet that this ACK is about.
  assert.equal(bench.controller.window, 5)
})

test('RFC 9002, section 5: the first sample is taken as it is, the delay of the other side later taken off', () => {
  const rtt = new RttEstimator()
  rtt.sample(20, 4, 0)
  assert.equal(rtt.smoothed, 20)
  rtt.sample(28, 4, 10)
  assert.equal(rtt.smoothed, 20 + (24 - 20) / 8)
  assert.equal(rtt.min, 20)
  // The least RTT of an old path is forgotten.
  for (let at = 0; at < 200_000; at += 1000) rtt.sample(80, 0, at)
  assert.equal(rtt.min, 80)
})

test('ACKs: the first hundred by twos, then by sixteens; at once for a gap or a late packet; after 5 ms', () => {
  const received = new ReceivedPackets()
  received.add(0, true, 0)
  assert.equal(received.isDue(0, 25), false)
  assert.equal(received.isDue(5, 25), true)
  received.add(1, true, 1)
  assert.equal(received.isDue(1, 25), true)
  for (let n = 2; n < 100; n++) received.add(n, true, 2)
  received.acknowledged()
  for (let n = 100; n < 115; n++) received.add(n, true, 3)
  assert.equal(received.isDue(3, 25), false)
  received.add(115, true, 3)
  assert.equal(received.isDue(3, 25), true)
  received.acknowledged()
  received.add(117, true, 4)
  assert.equal(received.isDue(4, 25), true)
  received.acknowledged()
  received.add(116, true, 4)
  assert.equal(received.isDue(4, 25), true)
  received.acknowledged()
  received.add(118, false, 4)
  assert.equal(received.dueAt(25), undefined)
})

test('ACKs of packets that come slowly wait for as long as the owner says, those of bursts for 5 ms, whatever it says', () => {
  const received = new ReceivedPackets()
  let at = 0
  const take = (packets: number, gap: number): void => {
    for (const last = received.largest + packets; received.largest < last;)
      received.add(received.largest + 1, true, (at += gap))
  }
  /** Ms from the next packet until its ACK is due. */
  const wait = (): number => {
    received.acknowledged()
    take(1, at === 0 ? 0 : 10)
    return (received.dueAt(25) ?? Infinity) - at
  }
  take(150, 10)
  assert.equal(wait(), 5, 'too early')
  take(60, 10)
  assert.equal(wait(), 25)
  take(60, 1)
  assert.equal(wait(), 5)
  take(60, 3.1)
  assert.equal(wait(), 25)
  // A pause of a second, and what comes fast behind it.
  take(1, 1_000)
  take(1, 1)
  received.acknowledged()
  take(1, 1)
  assert.equal((received.dueAt(25) ?? Infinity) - at, 25)
  take(10, 1)
  received.acknowledged()
  take(1, 1)
  assert.equal((received.dueAt(25) ?? Infinity) - at, 5)
  // Thirty at once, every 50 ms.
  for (let burst = 0; burst < 10; burst++) {
    take(1, 50)
    take(29, 0)
  }
  received.acknowledged()
  take(1, 0)
  assert.equal(received.dueAt(25), at + 5)
})

test('the delay of slow ACKs is half a round trip within 5 and 100 ms, and the probe timeout has it in', () => {
  for (const [rtt, delay] of [
    [1, 5],
    [30, 15],
    [150, 75],
    [300, 100],
  ] as const) {
    const estimator = new RttEstimator()
    assert.equal(estimator.ackDelay, 5)
    for (let at = 0; at < 50; at++) estimator.sample(rtt, 0, at)
    assert.equal(estimator.ackDelay, delay)
    assert.ok(estimator.probeTimeout >= rtt + delay + 1)
  }
})

test('received packets: known is what came, or is older than 64 ranges', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(500), { maxLength: 300 }), (numbers) => {
      const received = new ReceivedPackets()
      const came = new Set<number>()
      for (const n of numbers) {
        if (came.has(n)) assert.ok(received.isKnown(n))
        if (received.isKnown(n)) continue
        received.add(n, true, 0)
        came.add(n)
        assert.ok(received.ranges.count <= 64)
      }
    }),
  )
})

/** Reads on, 500 bytes every `interval` ms, on a path of 20 ms; returns the window that was granted last. */
function granted(interval: number, mayGrow: boolean): number {
  const window = new ReceiveWindow(1000, 4000)
  let size = 0
  for (let step = 1; step <= 50; step++)
    if (window.consume(500, step * interval, 20, mayGrow)) size = window.limit - 500 * step
  return size
}

test('a window that is used up within two round trips doubles, up to its maximum; a slow reader leaves it', () => {
  assert.equal(granted(1, true), 4000)
  assert.equal(granted(100, true), 1000)
  assert.equal(granted(1, false), 1000)
})

test('what waits behind a loss and fills the window doubles it, though the reader was held up', () => {
  const window = new ReceiveWindow(1000, 4000)
  window.consume(600, 1_000, 20, true)
  assert.equal(window.limit, 1_600)
  window.onGap(1_200)
  window.consume(600, 2_000, 20, true)
  assert.equal(window.limit, 2_200, 'a quarter was free')
  window.onGap(2_100)
  window.consume(600, 3_000, 20, true)
  assert.equal(window.limit, 3_800)
  window.onGap(3_700)
  window.consume(1_200, 4_000, 20, false)
  assert.equal(window.limit, 5_000, 'no memory for more')
})

test('pacing lets a burst go, then no more than the rate, in steps of a millisecond', () => {
  const pacer = new Pacer()
  pacer.setRate(2.5)
  let sent = 0
  for (let now = 0; now < 100; now++)
    while (pacer.maySend(now)) {
      pacer.onSent(now)
      sent++
    }
  assert.ok(sent >= 245 && sent <= 250 + 16, `${sent}`)
  assert.equal(pacer.nextAt(99), 100)
})
