import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '@weft/core'
import fc from 'fast-check'
import { Padding } from '../../src/circuit/padding.ts'
import { Packet } from '../../src/packet/packet.ts'
import { HeldCells } from '../../src/queue/held-cells.ts'
import { CellGate, type GatePlan } from '../../src/shaping/cell-gate.ts'
import { exponential } from '../../src/shaping/distribution.ts'
import { DueHeap } from '../../src/shaping/due-heap.ts'
import type { ShapingParts } from '../../src/shaping/shaping-parts.ts'

function partsWith(capacity: number): ShapingParts {
  return {
    clock: { monotonic: () => 0 },
    random: new Padding(seededRandom(3)),
    held: new HeldCells(capacity),
    due: new DueHeap(() => {}),
    slot: new Packet(),
  }
}

const body = new Uint8Array(1_404)
const numbered = (number: number): Uint8Array => {
  new DataView(body.buffer).setUint32(0, number)
  return body
}

test('cells leave in their order, none is lost, and none waits longer than the most', () => {
  const step = fc.record({
    after: fc.double({ min: 0, max: 10, noNaN: true }),
    does: fc.constantFrom('cell', 'pad', 'wait'),
  })
  fc.assert(
    fc.property(
      fc.array(step, { minLength: 40, maxLength: 300 }),
      fc.boolean(),
      fc.integer({ min: 1, max: 40 }),
      (steps, spreads, capacity) => {
        const parts = partsWith(capacity)
        const plan: GatePlan = spreads ? { delay: exponential(4, 20), spreads } : { delay: exponential(4, 20) }
        const came: number[] = []
        const left: number[] = []
        let now = 0
        const gate = new CellGate(plan, parts, () => {
          const number = parts.slot.view.getUint32(36)
          assert.ok(now - (came[number] as number) <= 20 + 1e-9, `${now - (came[number] as number)} ms`)
          left.push(number)
        })
        for (const { after, does } of steps) {
          const until = now + after
          while (gate.openAt <= until) {
            now = Math.max(now, gate.openAt)
            gate.open()
          }
          now = until
          if (does === 'cell') {
            came.push(now)
            const number = came.length - 1
            if (!gate.hold(numbered(number), now, now + 7)) left.push(number)
          } else if (does === 'pad' && gate.size > 0) gate.openForPadding()
          assert.equal(left.length + gate.size, came.length)
          assert.equal(gate.size, parts.held.size)
          assert.equal(gate.size === 0, gate.openAt === Infinity)
        }
        gate.open()
        assert.deepEqual(
          left,
          came.map((_, at) => at),
        )
      },
    ),
  )
})

test('what waits takes no more than its place, one circuit no more than half, and one that ends gives it back', () => {
  const parts = partsWith(64)
  let left = 0
  const plan: GatePlan = { delay: exponential(4, 20) }
  const [one, two] = [new CellGate(plan, parts, () => left++), new CellGate(plan, parts, () => left++)]
  for (let at = 0; at < 32; at++) assert.ok(one.hold(body, 0, Infinity))
  assert.ok(two.hold(body, 0, Infinity))
  assert.equal(one.hold(body, 0, Infinity), false)
  assert.deepEqual([left, one.size, two.size], [32, 0, 1])
  two.close()
  assert.equal(parts.held.size, 0)
})
