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
