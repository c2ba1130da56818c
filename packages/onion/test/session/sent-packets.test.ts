import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { MemoryBudget, SessionMemory } from '../../src/session/memory-budget.ts'
import { PacketState, SentKind, SentPackets } from '../../src/session/sent-packets.ts'
import { ampleMemory } from './memory-rig.ts'

/** What a record has to give back. */
interface Expected {
  readonly time: number
  readonly frames: readonly number[]
}

test('records are what was noted, however many are in flight, and after the rings were large and small again', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat({ max: 1_500 }), fc.nat({ max: 1_500 })), { maxLength: 12 }), (rounds) => {
      const sent = new SentPackets(ampleMemory())
      const expected = new Map<number, Expected>()
      let now = 0
      for (const [more, fewer] of rounds) {
        for (let count = 0; count < more; count++) {
          const frames = Array.from({ length: now % 3 }, (_, at) => 1_000 * now + at)
          for (const offset of frames) sent.addFrame(SentKind.stream, 4, offset, offset % 7)
          const sequence = sent.commit(true, frames.length, now)
          sent.setDelivery(now, 1, 2, now + 3, 4, now % 2 === 0)
          expected.set(sequence, { time: now, frames })
          now++
        }
        for (let count = 0; count < fewer && sent.base < sent.next; count++) {
          expected.delete(sent.base)
          sent.setState(sent.base, PacketState.acked)
          sent.advance(0, Infinity)
        }
        assert.equal(sent.next - sent.base, expected.size)
        for (const [sequence, { time, frames }] of expected) {
          assert.equal(sent.time(sequence), time)
          assert.equal(sent.state(sequence), PacketState.flying)
          const { delivered, isLimited, inFlight } = sent.delivery(sequence)
          assert.deepEqual([delivered, isLimited, inFlight], [time, time % 2 === 0, 4])
          assert.equal(sent.frameCount(sequence), frames.length)
          for (const [at, offset] of frames.entries()) {
            assert.equal(sent.frameOffset(sequence, at), offset)
            assert.equal(sent.frameLength(sequence, at), offset % 7)
          }
        }
      }
    }),
    { numRuns: 50 },
  )
})

test('two sessions never share a ring', () => {
  const fill = (sent: SentPackets, count: number, from: number): void => {
    for (let at = 0; at < count; at++) sent.commit(true, 0, from + at)
  }
  const empty = (sent: SentPackets): void => {
    for (let at = sent.base; at < sent.next; at++) sent.setState(at, PacketState.acked)
    sent.advance(0, Infinity)
  }
  const first = new SentPackets(ampleMemory())
  fill(first, 500, 0)
  empty(first)
  const [a, b] = [new SentPackets(ampleMemory()), new SentPackets(ampleMemory())]
  fill(a, 500, 10_000)
  fill(b, 500, 20_000)
  fill(first, 500, 30_000)
  for (let at = 0; at < 500; at++)
    assert.deepEqual([a.time(at), b.time(at), first.time(500 + at)], [10_000 + at, 20_000 + at, 30_000 + at])
})

/** Packets with content and a frame, one behind another, while there is room. */
function fillUp(sent: SentPackets, frames = 1): number {
  const before = sent.next
  for (; !sent.isFull;) {
    for (let frame = 0; frame < frames; frame++) sent.addFrame(SentKind.datagram, 0, 0, 0)
    sent.commit(true, frames, 0)
  }
  return sent.next - before
}

function settle(sent: SentPackets, count: number): void {
  for (let at = sent.base; at < sent.base + count; at++) sent.setState(at, PacketState.acked)
  sent.advance(0, Infinity)
}

for (const frames of [1, 32])
  test(`records with ${frames} frames each grow as far as memory goes: what a leg says for itself goes on, and all is given back`, () => {
    const budget = new MemoryBudget(4 << 20)
    const sent = new SentPackets(new SessionMemory(budget))
    const ample = fillUp(sent, frames)
    assert.ok(budget.used > 200_000 && budget.used <= 1 << 19, `${budget.used}`)
    assert.ok(ample > (frames === 1 ? 3_500 : 200), `${ample}`)
    assert.equal(sent.isSpent, false)
    let own = 0
    for (; !sent.isSpent; own++) {
      sent.addFrame(SentKind.ping, 0, 0, 0)
      sent.commit(true, 1, 0)
    }
    assert.ok(own >= 64, `${own}`)
    for (let at = 0; at < ample; at++) assert.equal(sent.frameCount(at), frames)
    settle(sent, ample + own)
    assert.deepEqual([budget.used, sent.isFull, sent.isSpent], [0, false, false])
    fillUp(sent, frames)
    sent.release()
    assert.deepEqual([budget.used, sent.next - sent.base, sent.isFull], [0, 0, false])
  })

test('without any memory a leg has records of its own, and more as soon as there is memory', () => {
  const budget = new MemoryBudget(4 << 20)
  assert.ok(budget.take(4 << 20))
  const sent = new SentPackets(new SessionMemory(budget))
  assert.equal(fillUp(sent), 192)
  settle(sent, 10)
  assert.equal(fillUp(sent), 10)
  budget.give(4 << 20)
  settle(sent, 10)
  assert.ok(fillUp(sent) > 3_500)
})

test('whatever several legs send and are told, their records and the memory that these take agree', () => {
  const step = fc.record({
    leg: fc.nat(4),
    more: fc.nat(3_000),
    frames: fc.nat(32),
    fewer: fc.nat(3_000),
    ends: fc.nat(9),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const budget = new MemoryBudget(4 << 20)
      const memory = new SessionMemory(budget)
      const legs = Array.from({ length: 5 }, () => new SentPackets(memory))
      for (const { leg, more, frames, fewer, ends } of steps) {
        const sent = legs[leg] ?? assert.fail()
        for (let count = 0; count < more && !sent.isFull; count++) {
          for (let frame = 0; frame < frames; frame++) sent.addFrame(SentKind.stream, count, frame, 1)
          sent.commit(true, frames, 0)
        }
        settle(sent, Math.min(fewer, sent.next - sent.base))
        if (ends === 0) sent.release()
        assert.equal(budget.used, memory.records)
        assert.ok(budget.used <= 1 << 20)
      }
      for (const sent of legs) sent.release()
      assert.equal(budget.used, 0)
    }),
    { numRuns: 50 },
  )
})
