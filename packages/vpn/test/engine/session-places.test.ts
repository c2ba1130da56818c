import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { MAX_SESSIONS, SessionPlaces } from '../../src/engine/session-places.ts'

/** What is to be known of a session. */
interface Model {
  readonly began: number
  waits: boolean
}

test('whatever sessions do, those with a circuit are counted, and of those that wait the first goes when another begins in a full house', () => {
  const step = fc.record({
    what: fc.constantFrom('begin', 'many', 'orphan', 'orphan', 'found', 'end'),
    which: fc.nat(4_000),
    ms: fc.nat(4_000),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200, size: 'max' }), (steps) => {
      let now = 0
      let next = 0
      const places = new SessionPlaces<number>({ monotonic: () => now })
      const model = new Map<number, Model>()
      /** In the order in which they lost their circuits. */
      let waiting: number[] = []
      const end = (session: number): void => {
        places.end(session)
        model.delete(session)
        waiting = waiting.filter((other) => other !== session)
      }
      const begin = (): void => {
        if (!places.hasRoom(0)) return
        const first = places.inTheWay
        assert.equal(first, model.size < MAX_SESSIONS ? undefined : waiting[0])
        if (first !== undefined) end(first)
        places.begin(next)
        model.set(next++, { began: now, waits: false })
      }
      for (const { what, which, ms } of steps) {
        now += ms
        const session = [...model.keys()][which % Math.max(1, model.size)]
        const known = session === undefined ? undefined : model.get(session)
        if (what === 'begin') begin()
        else if (what === 'many') for (let more = 0; more < 1_000; more++) begin()
        else if (session === undefined || known === undefined) continue
        else if (what === 'end') end(session)
        else if (what === 'found') {
          places.found(session)
          known.waits = false
          waiting = waiting.filter((other) => other !== session)
        } else if (!known.waits) {
          assert.equal(places.orphan(session), now - known.began >= 5_000)
          known.waits = now - known.began >= 5_000
          if (known.waits) waiting.push(session)
        }
        const active = model.size - waiting.length
        assert.deepEqual([places.active, places.fill], [active, active / MAX_SESSIONS])
        assert.equal(places.hasRoom(3), active + 3 < MAX_SESSIONS)
        assert.ok(model.size <= MAX_SESSIONS)
        assert.deepEqual([...places.all], [...model.keys()])
      }
    }),
    { numRuns: 40 },
  )
})
