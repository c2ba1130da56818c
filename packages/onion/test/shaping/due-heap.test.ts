import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DueHeap, type HasDue } from '../../src/shaping/due-heap.ts'

class Item implements HasDue {
  dueAt: number
  calls = 0

  constructor(dueAt: number) {
    this.dueAt = dueAt
  }

  onDue(now: number): void {
    assert.ok(this.dueAt <= now)
    this.calls++
    this.dueAt = Infinity
  }
}

const action = fc.oneof(
  fc.record({ does: fc.constant('add' as const), at: fc.nat(100) }),
  fc.record({ does: fc.constant('move' as const), at: fc.nat(100), item: fc.nat(20) }),
  fc.record({ does: fc.constant('remove' as const), item: fc.nat(20) }),
  fc.record({ does: fc.constant('run' as const), at: fc.nat(100) }),
)

test('whatever moves, is added and goes: nothing is called too early, and nothing is missed', () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 120 }), (actions) => {
      let sooner = 0
      const heap = new DueHeap(() => sooner++)
      const items: Item[] = []
      let now = 0
      for (const one of actions) {
        const before = heap.next() ?? Infinity
        const soonerBefore = sooner
        if (one.does === 'add') {
          const item = new Item(now + one.at)
          items.push(item)
          heap.add(item)
        } else if (one.does === 'move') {
          const item = items[one.item]
          if (item !== undefined) {
            item.dueAt = now + one.at
            heap.moved(item)
          }
        } else if (one.does === 'remove') {
          const [item] = items.splice(one.item, 1)
          if (item !== undefined) heap.remove(item)
        } else {
          now += one.at
          heap.run(now)
          for (const item of items) assert.ok(item.dueAt > now, 'missed')
        }
        const next = heap.next() ?? Infinity
        assert.ok(next <= Math.min(Infinity, ...items.map(({ dueAt }) => dueAt)), 'later than the first')
        if (one.does !== 'run' && one.does !== 'remove') assert.equal(sooner > soonerBefore, next < before)
      }
    }),
  )
})

test('one that is due again and again holds up nobody, and one may go while it is called', () => {
  const heap = new DueHeap(() => {})
  let calls = 0
  const eager: HasDue = { dueAt: 5, onDue: () => void calls++ }
  const other = new Item(6)
  const leaving: HasDue = { dueAt: 4, onDue: () => heap.remove(leaving) }
  for (const item of [eager, other, leaving]) heap.add(item)
  heap.run(10)
  assert.deepEqual([calls, other.calls], [1, 1])
  heap.run(10.1)
  assert.equal(calls, 2)
})
