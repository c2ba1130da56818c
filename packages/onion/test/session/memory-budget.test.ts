import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { MemoryBudget, SessionMemory } from '../../src/session/memory-budget.ts'
import { SendSide } from '../../src/session/send-side.ts'
import { MIN_CAPACITY } from '../../src/session/tuning.ts'

const MiB = 1024 * 1024

test('a ring that grows as far as it may leaves the session its share, and could not grow once more', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 65_536, max: 256 * MiB }),
      fc.nat({ max: 1_000 }),
      fc.nat({ max: 10 }),
      (limit, others, doublings) => {
        const budget = new MemoryBudget(limit)
        assert.ok(budget.take(Math.floor((limit * others) / 1_001)))
        const memory = new SessionMemory(budget)
        const capacity = MIN_CAPACITY * 2 ** doublings
        if (!memory.take(capacity) || !memory.hasShare) return
        const reach = memory.reach(capacity)
        assert.ok(reach >= capacity)
        assert.ok(memory.take(reach - capacity) && memory.hasShare, 'the share is left')
        assert.equal(memory.reach(reach), reach)
      },
    ),
  )
})

test('a stream that is written and acknowledged without end takes its memory once', () => {
  const memory = new SessionMemory(new MemoryBudget(12 * MiB))
  const side = new SendSide(memory)
  side.raiseLimit(Number.MAX_SAFE_INTEGER)
  const chunk = new Uint8Array(65_536)
  const packet = new Uint8Array(1_329)
  const capacities = new Set<number>()
  for (let turn = 0; turn < 50; turn++) {
    while (side.buffered < memory.reach(side.capacity) - chunk.length) assert.ok(side.append(chunk))
    const { pieceOffset } = side
    let offset = pieceOffset
    for (let length = side.pieceLength(1_329); length > 0; length = Math.min(1_329, side.pieceLength(1_329))) {
      side.take(offset, length, false, packet, 0)
      offset += length
    }
    side.onAcked(pieceOffset, offset - pieceOffset, false)
    assert.equal(side.buffered, 0)
    capacities.add(side.capacity)
  }
  assert.deepEqual([...capacities], [2 * MiB])
})

/** A session's part of `budget`, with `held` taken, and how often it was told. */
function user(budget: MemoryBudget, held: number) {
  const told = { short: 0, memory: 0 }
  const memory = new SessionMemory(budget)
  memory.user = { onShort: () => void told.short++, onMemory: () => void told.memory++ }
  assert.ok(memory.take(held))
  return { memory, told }
}

test('memory that is given back is told of once to whom it is enough for, and to nobody else', () => {
  const budget = new MemoryBudget(12 * MiB)
  const waiting = Array.from({ length: 20 }, (_, index) => user(budget, index * 10_000))
  const other = new SessionMemory(budget)
  assert.ok(other.take(budget.free - 50_000))
  // Those at even places have nothing in flight.
  for (const [index, { memory }] of waiting.entries()) memory.wait(index % 2 === 0)
  const told = (): number[] =>
    waiting.flatMap(({ told: { memory } }, index) => Array.from({ length: memory }, () => index))
  for (let time = 0; time < 1_000; time++) {
    assert.ok(other.take(1_000))
    other.give(1_000)
  }
  assert.deepEqual(told(), [])
  other.give(15_536)
  assert.deepEqual(told(), [0])
  other.give(100_000)
  assert.deepEqual(told(), [0, 2, 4, 6, 8, 10])
  other.give(400_000 - budget.free)
  assert.deepEqual(told(), [0, 1, 2, 3, 4, 6, 8, 10, 12, 14, 16, 18])
  other.give(950_000 - budget.free)
  assert.equal(told().length, 19)
  // A session that gives back itself needs less.
  waiting[19]?.memory.give(30_000)
  assert.deepEqual(told().slice(-1), [19])
})

test('who waits is not looked at each time that something is given back', () => {
  let looks = 0
  class Watched extends SessionMemory {
    override get enough(): number {
      looks++
      return super.enough
    }
  }
  const budget = new MemoryBudget(12 * MiB)
  const other = new SessionMemory(budget)
  assert.ok(other.take(budget.free - 200_000))
  for (let i = 0; i < 1_000; i++) new Watched(budget).wait(false)
  looks = 0
  for (let time = 0; time < 1_000; time++) {
    assert.ok(other.take(1_000))
    other.give(1_000)
  }
  assert.equal(looks, 0)
})

/** 150 sessions that wait while another one has taken all, of which it gives back what is enough for each. */
function manyWaiting() {
  const budget = new MemoryBudget(12 * MiB)
  const waiting = Array.from({ length: 150 }, () => user(budget, 0))
  const other = new SessionMemory(budget)
  assert.ok(other.take(budget.free))
  for (const { memory } of waiting) memory.wait(false)
  other.give(MiB)
  return { budget, waiting, other }
}

test('of many that wait some are told at once, and the others when more is given back, in their order', () => {
  const { waiting, other } = manyWaiting()
  const told = (): number[] => waiting.map(({ told: { memory } }) => memory)
  assert.deepEqual(told(), [...Array<number>(64).fill(1), ...Array<number>(86).fill(0)])
  other.give(1)
  other.give(1)
  assert.deepEqual(told(), Array<number>(150).fill(1))
})

test('of many that wait the next are told when those before them have nothing to write, though nothing is given back', () => {
  const { budget, waiting } = manyWaiting()
  const told = (): number => waiting.filter(({ told: { memory } }) => memory === 1).length
  assert.equal(told(), 64)
  budget.goOn()
  assert.equal(told(), 128)
  budget.goOn()
  budget.goOn()
  assert.equal(told(), 150)
})

test('a session whose streams may write is told as soon as they could take more than there is for them', () => {
  const budget = new MemoryBudget(12 * MiB)
  const [idle, growing, late] = [user(budget, 0), user(budget, MiB), user(budget, 500_000)]
  idle.memory.watch(0)
  growing.memory.watch(MiB / 2)
  const other = new SessionMemory(budget)
  const short = (): number[] => [idle, growing, late].map(({ told }) => told.short)
  const leave = (free: number): void => {
    assert.ok(other.take(budget.free - free))
    budget.review()
  }
  // What it holds and may take, four times, beside what it takes.
  leave(4 * (MiB + MiB / 2 + 65_536) + MiB / 2)
  assert.deepEqual(short(), [0, 0, 0])
  leave(budget.free - 1)
  assert.deepEqual(short(), [0, 1, 0])
  growing.memory.rewatch(false, 0)
  leave(262_144)
  assert.deepEqual(short(), [0, 1, 0])
  // A turn needs as much as the session holds, and a write.
  assert.deepEqual([late.memory.beginTurn(), idle.memory.beginTurn()], [false, true])
  leave(65_536)
  assert.deepEqual(short(), [0, 1, 0])
  leave(65_535)
  assert.deepEqual(short(), [1, 1, 0])
  idle.memory.endTurn()
  assert.equal(idle.memory.beginTurn(), false)
})
