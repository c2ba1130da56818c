import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '@weft/core'
import fc from 'fast-check'
import { Line } from '../../src/user-space-link/line.ts'

const packetOf = (length: number, number = 0): Uint8Array => {
  const packet = new Uint8Array(length)
  new DataView(packet.buffer).setUint32(0, number)
  return packet
}

test('a packet is there after the delay, and not before', () => {
  const line = new Line({ delayMs: 20, loss: 0 }, seededRandom(1))
  const packet = packetOf(100)
  line.send(packet, 5)
  assert.equal(line.nextDue, 25)
  assert.equal(line.receive(24.999), undefined)
  assert.equal(line.receive(25), packet)
  assert.deepEqual([line.receive(1_000), line.nextDue], [undefined, undefined])
})

test('a rate makes packets wait for one another, and drops what finds no room', () => {
  // 1,000 bytes a ms, and 10,000 that wait.
  const line = new Line({ delayMs: 1, loss: 0, mbit: 8, queueBytes: 10_000 }, seededRandom(1))
  for (let at = 0; at < 12; at++) line.send(packetOf(1_000, at), 0)
  assert.equal(line.dropped, 1)
  assert.equal(line.receive(1.999), undefined)
  assert.ok(line.receive(2) !== undefined)
  let count = 1
  while (line.receive(12) !== undefined) count++
  assert.equal(count, 11)
  line.send(packetOf(1_000), 100)
  assert.equal(line.nextDue, 102)
})

test('a line that is changed does otherwise from then on, and packets keep their order', () => {
  const line = new Line({ delayMs: 20, loss: 0 }, seededRandom(1))
  const [first, second] = [packetOf(100, 1), packetOf(100, 2)]
  line.send(first, 0)
  line.change({ delayMs: 5, loss: 0 })
  line.send(second, 1)
  assert.equal(line.receive(19), undefined)
  assert.deepEqual([line.receive(20), line.receive(20)], [first, second])
  line.change({ delayMs: 5, loss: 1 })
  line.send(packetOf(100), 30)
  assert.deepEqual([line.nextDue, line.lost], [undefined, 1])
})

test('of many packets the named part is lost', () => {
  const line = new Line({ delayMs: 0, loss: 0.1 }, seededRandom(7))
  for (let at = 0; at < 20_000; at++) line.send(packetOf(40, at), 0)
  // 2,000 expected; the standard deviation is 42.
  assert.ok(line.lost > 1_800 && line.lost < 2_200, `${line.lost} lost`)
})

test('whatever is sent when, packets come in order, none twice, and all that are not counted as gone', () => {
  const sends = fc.array(fc.tuple(fc.integer({ min: 40, max: 1_500 }), fc.float({ min: 0, max: 5, noNaN: true })))
  const profiles = fc.record({
    delayMs: fc.integer({ min: 0, max: 50 }),
    loss: fc.constantFrom(0, 0.01, 0.5),
    mbit: fc.constantFrom(1, 100),
  })
  fc.assert(
    fc.property(sends, profiles, fc.integer(), (packets, profile, seed) => {
      const line = new Line(profile, seededRandom(seed))
      const came: number[] = []
      const take = (now: number): void => {
        for (let packet = line.receive(now); packet !== undefined; packet = line.receive(now))
          came.push(new DataView(packet.buffer).getUint32(0))
      }
      let now = 0
      for (const [at, [length, pause]] of packets.entries()) {
        now += pause
        take(now)
        line.send(packetOf(length, at), now)
      }
      take(now + 1e6)
      assert.deepEqual(
        came,
        came.toSorted((a, b) => a - b),
      )
      assert.equal(new Set(came).size + line.lost + line.dropped, packets.length)
    }),
  )
})
