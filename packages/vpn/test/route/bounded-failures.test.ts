import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { boundedFailures } from '../../src/route/bounded-failures.ts'
import { makeMember } from './make-member.ts'

const relays = Array.from({ length: 5 }, (_, at) => makeMember(1 + at, ['relay']))
const exits = Array.from({ length: 4 }, (_, at) => makeMember(20 + at, ['exit']))
const both = Array.from({ length: 3 }, (_, at) => makeMember(40 + at, ['relay', 'exit']))
const entries = Array.from({ length: 3 }, (_, at) => makeMember(60 + at, ['entry']))
const members = [...relays, ...exits, ...both, ...entries]

test('those that failed last are left out, and never more than half of the relays or of the exits', () => {
  const ids = members.map(({ id }) => id)
  fc.assert(
    fc.property(fc.shuffledSubarray(ids), (failed) => {
      const left = boundedFailures(failed, members)
      for (const role of ['relay', 'exit'] as const) {
        const all = members.filter(({ roles }) => roles.includes(role))
        const out = all.filter(({ id }) => left.includes(id))
        assert.ok(out.length <= all.length / 2, `${out.length} of ${all.length} ${role}s`)
      }
      // In their order; and the last one always, as there are two of each kind and more.
      assert.deepEqual(
        left,
        failed.filter((id) => left.includes(id)),
      )
      assert.equal(left.at(-1), failed.at(-1))
    }),
  )
})

test('entries are bound by nothing here, nor is who left the map', () => {
  const failed = [...entries.map(({ id }) => id), makeMember(99, ['relay']).id]
  assert.deepEqual(boundedFailures(failed, members), failed)
})

test('the only relay is not left out', () => {
  const [one] = relays as [(typeof relays)[number]]
  assert.deepEqual(boundedFailures([one.id], [one, ...exits]), [])
})
