import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { MemoryBudget, SessionMemory } from '../../src/session/memory-budget.ts'
import { ReceiveSide } from '../../src/session/receive-side.ts'
import { SendSide } from '../../src/session/send-side.ts'
import { SessionViolation } from '../../src/session/session-violation.ts'
import { contentByte } from './simulated-path.ts'

const memory = (limit = 2 ** 24): SessionMemory => new SessionMemory(new MemoryBudget(limit))

function content(from: number, to: number): Uint8Array {
  return Uint8Array.from({ length: to - from }, (_, i) => contentByte(from + i))
}

test('the receiving half hands on every byte once and in order, whatever the order of pieces', () => {
  const total = 3000
  const piece = fc.tuple(fc.nat(total - 1), fc.integer({ min: 1, max: 700 }), fc.boolean())
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 80 }), (pieces) => {
      const held = memory()
      const side = new ReceiveSide(held)
      let delivered = 0
      const drain = (): void => {
        for (let chunk = side.next(); chunk !== undefined; chunk = side.next()) {
          assert.deepEqual(chunk, content(delivered, delivered + chunk.length))
          delivered += chunk.length
        }
        side.giveBack()
      }
      const have = new Uint8Array(total)
      const take = (from: number, to: number): void => {
        const fin = to === total
        side.check(to, fin)
        assert.ok(side.insert(from, content(from, to), 0, to - from, fin))
        have.fill(1, from, to)
      }
      for (const [from, length, deliver] of pieces) {
        take(from, Math.min(total, from + length))
        if (!deliver) continue
        drain()
        const missing = have.indexOf(0)
        assert.equal(delivered, missing < 0 ? total : missing)
      }
      for (let at = 0; at < total; at += 500) take(at, at + 500)
      drain()
      assert.equal(delivered, total)
      assert.ok(side.isDone)
      side.free()
      assert.equal(held.held, 0)
    }),
  )
})

test('the receiving half refuses what is above its limit or contradicts its end', () => {
  const side = new ReceiveSide(memory())
  assert.throws(() => side.check(256 * 1024 + 1, false), SessionViolation)
  side.note(100, false)
  assert.throws(() => side.check(99, true), SessionViolation)
  side.note(200, true)
  assert.throws(() => side.check(201, false), SessionViolation)
  assert.throws(() => side.check(199, true), SessionViolation)
  assert.equal(side.check(200, true), 0)
})

test('the receiving half keeps nothing without memory, and at most 1024 pieces', () => {
  const poor = new ReceiveSide(memory(1000))
  assert.equal(poor.insert(0, content(0, 10), 0, 10, false), false)
  assert.equal(poor.highest, 0)
  const rich = new ReceiveSide(memory())
  for (let i = 0; i < 1024; i++) assert.ok(rich.insert(2 * i + 1, new Uint8Array(1), 0, 1, false))
  assert.equal(rich.insert(5000, new Uint8Array(1), 0, 1, false), false)
  assert.ok(rich.insert(0, new Uint8Array(1), 0, 1, false))
})

test('where pieces begin and end counts as memory, and is given back with them', () => {
  const held = memory()
  const side = new ReceiveSide(held)
  for (let i = 0; i < 1000; i++) assert.ok(side.insert(2 * i + 1, new Uint8Array(1), 0, 1, false))
  // A ring of 4096 bytes, and 1024 places of 16 bytes, of which the first eight are the stream's own.
  assert.equal(held.held, 4096 + 1016 * 16)
  assert.ok(side.insert(0, new Uint8Array(2000), 0, 2000, false))
  while (side.next() !== undefined);
  side.giveBack()
  assert.equal(held.held, 4096)
  for (let i = 1001; i < 1040; i++) assert.ok(side.insert(2 * i, new Uint8Array(1), 0, 1, false))
  side.discard()
  assert.equal(held.held, 0)
  // Half of it is for sending: 2048 pieces would fit in a ring of 4096 bytes, but not their places.
  const poor = new ReceiveSide(memory(40_000))
  let kept = 0
  while (poor.insert(2 * kept + 1, new Uint8Array(1), 0, 1, false)) kept++
  assert.ok(kept >= 8 && kept < 1024, `${kept} pieces`)
})

test('the sending half sends every byte, again when lost, and is done when all is acknowledged', () => {
  const action = fc.record({ kind: fc.constantFrom('write', 'send', 'ack', 'lose', 'late'), n: fc.nat(5000) })
  fc.assert(
    fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
      const held = memory()
      const side = new SendSide(held)
      let written = 0
      let flying: [number, number, boolean][] = []
      const lost: [number, number, boolean][] = []
      const acked = new Set<number>()
      const send = (room: number): boolean => {
        if (!side.hasLost && side.fresh === 0 && !side.owesFin) return false
        const offset = side.pieceOffset
        const wanted = side.pieceLength(Infinity)
        const length = Math.min(wanted, room)
        const fin = side.endsAt(offset + wanted) && length === wanted
        const out = new Uint8Array(length)
        side.take(offset, length, fin, out, 0)
        assert.deepEqual(out, content(offset, offset + length))
        flying.push([offset, length, fin])
        return true
      }
      const ack = ([offset, length, fin]: [number, number, boolean]): void => {
        side.onAcked(offset, length, fin)
        for (let i = 0; i < length; i++) acked.add(offset + i)
      }
      for (const { kind, n } of actions) {
        const picked = flying[n % Math.max(1, flying.length)]
        if (kind === 'write' && written < 100_000) {
          assert.ok(side.append(content(written, written + n)))
          written += n
        } else if (kind === 'send') send(1 + (n % 1300))
        else if (kind === 'late' && lost.length > 0) ack(lost[n % lost.length]!)
        else if (picked !== undefined && (kind === 'ack' || kind === 'lose')) {
          flying = flying.filter((piece) => piece !== picked)
          if (kind === 'ack') ack(picked)
          else {
            lost.push(picked)
            side.onLost(...picked)
          }
        }
      }
      side.end()
      for (;;) {
        if (send(1300)) continue
        const piece = flying.shift()
        if (piece === undefined) break
        ack(piece)
      }
      assert.equal(acked.size, written)
      assert.equal(side.buffered, 0)
      assert.ok(side.isDone)
      side.free()
      assert.equal(held.held, 0)
    }),
  )
})
