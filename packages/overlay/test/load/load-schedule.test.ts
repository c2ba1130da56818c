import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { SLOT_MS, refreshMs } from '../../src/load/load-limits.ts'
import { LoadSchedule } from '../../src/load/load-schedule.ts'
import type { LoadStep } from '../../src/load/load-step.ts'
import { BEGIN } from './load-network.ts'

const keys = fc.uint8Array({ minLength: 32, maxLength: 32 })

test('property: whatever a node carries it looks at one time of each slot, and says a change in the next one and anything else when it is due', () => {
  fc.assert(
    fc.property(
      keys,
      fc.nat({ max: SLOT_MS }),
      fc.array(fc.nat({ max: 4 }), { maxLength: 60 }),
      fc.nat({ max: 300 }),
      (key, start, steps, carriers) => {
        let now = BEGIN + start
        const schedule = new LoadSchedule(key, now)
        const times = new Set<number>()
        let said: { readonly slot: number; readonly step: number } | undefined
        for (const step of steps) {
          now += schedule.wait(now)
          times.add(now % SLOT_MS)
          const slot = schedule.look(step as LoadStep, now, carriers)
          assert.equal(schedule.look(step as LoadStep, now, carriers), undefined, 'once a slot')
          const isDue = said === undefined || (Math.floor(now / SLOT_MS) - said.slot) * SLOT_MS >= refreshMs(carriers)
          assert.equal(slot !== undefined, isDue || said?.step !== step)
          if (slot === undefined) continue
          assert.equal(slot, Math.floor(now / SLOT_MS))
          said = { slot, step }
        }
        assert.ok(times.size <= 1)
      },
    ),
  )
})

test('nothing is said in the slot of the start, in which the process before may have spoken, nor in one of before', () => {
  const schedule = new LoadSchedule(new Uint8Array(32), BEGIN)
  assert.equal(schedule.look(1, BEGIN + SLOT_MS - 1, 10), undefined)
  assert.notEqual(schedule.look(1, BEGIN + 2 * SLOT_MS, 10), undefined)
  assert.equal(schedule.look(3, BEGIN + SLOT_MS, 10), undefined, 'the clock was set back')
})
