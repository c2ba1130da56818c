import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { seededRandom } from '@weft/core'
import fc from 'fast-check'
import { type ClosestAnswer, answerClosest } from '../../src/lookup/answer-closest.ts'
import { CLOSEST, MAX_KNOWN } from '../../src/lookup/lookup-limits.ts'
import { readClosest } from '../../src/lookup/read-closest.ts'
import { atOnce } from '../../src/map/in-slices.ts'
import { verifyEntries } from '../../src/map/map-entries.ts'
import type { Member } from '../../src/member.ts'
import { closestMembers } from '../../src/records/closest-members.ts'
import { codeOf, testNetwork } from '../fixtures.ts'
import { ManyEntries, mapBodyOf } from '../map/many-entries.ts'

const { network } = testNetwork()

function mapOf(count: number, seed = 1, placed = 0) {
  const nodes = new ManyEntries(network.id, count, seed)
  nodes.place(placed)
  const entries = nodes.entries()
  const body = mapBodyOf(network, entries, 1, placed)
  return { body, list: atOnce(verifyEntries(body, entries, undefined)) }
}

const { body, list } = mapOf(300)
const target = fc.uint8Array({ minLength: 32, maxLength: 32 })

const byId = (a: Member, b: Member): number => a.id.localeCompare(b.id)

describe('closest members by a map', () => {
  it('are read as they were found, in maps of every size', () => {
    fc.assert(
      fc.property(fc.constantFrom(1, 2, 19, 20, 21, 300), target, (count, to) => {
        const map = mapOf(count, count)
        const question = { target: to, known: [] }
        const members = readClosest(map.body, question, answerClosest(map.list, question), new Map())
        assert.deepEqual(members, closestMembers(map.list.members, to, CLOSEST))
      }),
      { numRuns: 30 },
    )
  })

  it('are those that have a position, once half of the members have one', async () => {
    const map = mapOf(60, 3, 40)
    fc.assert(
      fc.property(target, (to) => {
        const question = { target: to, known: [] }
        const members = readClosest(map.body, question, answerClosest(map.list, question), new Map())
        assert.deepEqual(members, closestMembers(map.list.members, to, CLOSEST, 'beacon'))
      }),
      { numRuns: 20 },
    )
    const question = { target: new Uint8Array(32), known: [] }
    const byKeys = answerClosest(map.list, question, 'key')
    assert.equal(await codeOf(() => readClosest(map.body, question, byKeys, new Map())), 'E_LOOKUP_ANSWER')
    const few = mapOf(30, 4, 15)
    assert.equal(answerClosest(few.list, question).positions.length, 15, 'all that stand anywhere')
  })

  it('come without the entries that are known, and add to them', () => {
    fc.assert(
      fc.property(target, fc.uniqueArray(fc.nat(299), { maxLength: MAX_KNOWN }), (to, positions) => {
        const known = new Map<number, Member>(positions.map((at) => [at, list.members[at] as Member]))
        const question = { target: to, known: positions.toSorted((a, b) => a - b) }
        const answer = answerClosest(list, question)
        assert.ok(answer.positions.filter((at) => !known.has(at)).length === answer.entries.length)
        assert.deepEqual(readClosest(body, question, answer, known), closestMembers(list.members, to, CLOSEST))
        assert.ok(answer.positions.every((at) => known.get(at)?.id === list.members[at]?.id))
      }),
      { numRuns: 50 },
    )
  })

  it('are not read again when others brought them meanwhile, whatever is said of them', () => {
    const question = { target: new Uint8Array(32), known: [] }
    const answer = answerClosest(list, question)
    const known = new Map<number, Member>()
    const members = readClosest(body, question, answer, known)
    const lied = { ...answer, entries: answer.entries.map(() => new Uint8Array(9)), proof: new Uint8Array(32) }
    assert.deepEqual(readClosest(body, question, lied, known), members)
    assert.deepEqual([...known.values()].toSorted(byId), [...members].toSorted(byId))
  })

  it('are refused with anything changed, and nothing is kept of them', async () => {
    const changes: ((answer: ClosestAnswer, at: number) => ClosestAnswer)[] = [
      (answer) => ({ ...answer, positions: answer.positions.slice(1) }),
      (answer) => ({ ...answer, positions: [...answer.positions, 0] }),
      (answer, at) => ({ ...answer, positions: answer.positions.with(at, 300 + at) }),
      (answer, at) => ({ ...answer, positions: answer.positions.with(at, answer.positions[(at + 1) % 20] as number) }),
      (answer) => ({ ...answer, positions: answer.positions.toReversed() }),
      (answer) => ({ ...answer, entries: answer.entries.slice(1) }),
      (answer) => ({ ...answer, entries: answer.entries.toReversed() }),
      (answer, at) => ({ ...answer, entries: answer.entries.with(at, new Uint8Array(3_000)) }),
      (answer, at) => ({
        ...answer,
        entries: answer.entries.with(
          at,
          (answer.entries[at] as Uint8Array).map((byte, i) => (i === 50 ? byte ^ 1 : byte)),
        ),
      }),
      (answer) => ({ ...answer, proof: answer.proof.subarray(32) }),
      (answer) => ({ ...answer, proof: new Uint8Array([...answer.proof, ...new Uint8Array(32)]) }),
      (answer, at) => ({ ...answer, proof: answer.proof.map((byte, i) => (i === at * 32 ? byte ^ 1 : byte)) }),
      () => answerClosest(mapOf(300, 2).list, { target: new Uint8Array(32), known: [] }),
      () => ({ positions: [], entries: [], proof: new Uint8Array() }),
    ]
    for (const [which, change] of changes.entries()) {
      await fc.assert(
        fc.asyncProperty(target, fc.nat(19), async (to, at) => {
          const question = { target: to, known: [] }
          const known = new Map<number, Member>()
          const answer = change(answerClosest(list, question), at)
          assert.equal(await codeOf(() => readClosest(body, question, answer, known)), 'E_LOOKUP_ANSWER', String(which))
          assert.equal(known.size, 0)
        }),
        { numRuns: 10 },
      )
    }
  })

  it('say nothing of members that were left out: that shows beside another answer', () => {
    const random = seededRandom(5)
    const question = { target: random.bytes(32), known: [] }
    const others = list.members.filter((_, at) => at % 2 === 0)
    const named = closestMembers(others, question.target, CLOSEST)
    const all = answerClosest(list, { ...question, known: [] })
    const positions = named.map(({ id }) => list.members.findIndex((member) => member.id === id))
    const known = new Map(positions.map((at) => [at, list.members[at] as Member]))
    const half = { positions, entries: [], proof: new Uint8Array() }
    const given = { ...question, known: positions.toSorted((a, b) => a - b) }
    assert.deepEqual(readClosest(body, given, half, known), named)
    assert.notDeepEqual(all.positions, positions)
  })

  it('are not looked for by a question out of bounds', async () => {
    const to = new Uint8Array(32)
    assert.equal(await codeOf(() => answerClosest(list, { target: to.subarray(1), known: [] })), 'E_LOOKUP_QUESTION')
    assert.equal(await codeOf(() => answerClosest(list, { target: to, known: [2, 1] })), 'E_LOOKUP_QUESTION')
    assert.equal(await codeOf(() => answerClosest(list, { target: to, known: [1, 1] })), 'E_LOOKUP_QUESTION')
    const many = Array.from({ length: MAX_KNOWN + 1 }, (_, at) => at)
    assert.equal(await codeOf(() => answerClosest(list, { target: to, known: many })), 'E_LOOKUP_QUESTION')
  })
})
