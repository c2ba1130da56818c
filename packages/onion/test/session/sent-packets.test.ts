import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { PacketState, SentKind, SentPackets } from '../../src/session/sent-packets.ts'

/** What a record has to give back. */
interface Expected {
  readonly time: number
  readonly frames: readonly number[]
}

test('records are what was noted, however many are in flight, and after the rings were large and small again', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat({ max: 1_500 }), fc.nat({ max: 1_500 })), { maxLength: 12 }), (rounds) => {
      const sent = new SentPackets()
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
  const first = new SentPackets()
  fill(first, 500, 0)
  empty(first)
  const [a, b] = [new SentPackets(), new SentPackets()]
  fill(a, 500, 10_000)
  fill(b, 500, 20_000)
  fill(first, 500, 30_000)
  for (let at = 0; at < 500; at++)
    assert.deepEqual([a.time(at), b.time(at), first.time(500 + at)], [10_000 + at, 20_000 + at, 30_000 + at])
})
