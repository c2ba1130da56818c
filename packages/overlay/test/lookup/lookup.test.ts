import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Random, randomInt, seededRandom } from '@weft/core'
import { type DidKey, toDidKey } from '@weft/crypto'
import fc from 'fast-check'
import { CLOSEST, LOOKUP_LIMITS, type LookupLimits } from '../../src/lookup/lookup-limits.ts'
import { Lookup, type LookupStep } from '../../src/lookup/lookup.ts'
import type { Member } from '../../src/member.ts'
import { closestMembers } from '../../src/records/closest-members.ts'
import { memberOf } from '../records/record-network.ts'

const ids = seededRandom(3)
const ALL = Array.from({ length: 400 }, (_, at) => memberOf(toDidKey(ids.bytes(32)), at))
const SELF = toDidKey(new Uint8Array(32).fill(9))
const TARGET = new Uint8Array(32).fill(0x5a)
const RIGHT = closestMembers(ALL, TARGET, CLOSEST)

/** What a node does with a question: the members that it names after `ms`, nothing for a failure, or silence. */
type Reply = { readonly ms: number; readonly members: readonly Member[] | undefined } | undefined

interface Run {
  readonly lookup: Lookup
  readonly asked: readonly DidKey[]
  /** Most questions that were under way. */
  readonly most: number
  /** ms that it took. */
  readonly ms: number
}

function run(
  reply: (id: DidKey) => Reply,
  starts: readonly DidKey[],
  { limits = LOOKUP_LIMITS, count = ALL.length }: { limits?: LookupLimits; count?: number } = {},
): Run {
  const lookup = new Lookup({ target: TARGET, count, placing: 'key', starts, self: SELF, limits }, 0)
  const asked: DidKey[] = []
  const coming: { readonly at: number; readonly id: DidKey; readonly members: readonly Member[] | undefined }[] = []
  let now = 0
  let most = 0
  let step: LookupStep = lookup.tick(now)
  for (let turns = 0; ; turns++) {
    assert.ok(turns < 10_000, 'it goes on for ever')
    for (const id of step.ask) {
      asked.push(id)
      const answer = reply(id)
      if (answer !== undefined) coming.push({ at: now + answer.ms, id, members: answer.members })
    }
    if (step.wakeAt === undefined) return { lookup, asked, most, ms: now }
    most = Math.max(most, asked.length)
    assert.ok(step.wakeAt > now, 'it would be woken at once, and again')
    coming.sort((a, b) => a.at - b.at)
    const next = coming[0]
    if (next === undefined || next.at > step.wakeAt) {
      now = step.wakeAt
      step = lookup.tick(now)
      continue
    }
    coming.shift()
    now = next.at
    step = next.members === undefined ? lookup.fail(next.id, now) : lookup.answer(next.id, next.members, now)
  }
}

function someOf(random: Random, members: readonly Member[], count: number): DidKey[] {
  return Array.from({ length: count }, () => (members[randomInt(random, members.length)] as Member).id)
}

const honest: Reply = { ms: 10, members: RIGHT }

describe('lookup', () => {
  it('asks as many nodes as it has paths when all say the same, and none twice', () => {
    const starts = ALL.slice(0, 30).map(({ id }) => id)
    const { lookup, asked, ms } = run(() => honest, starts)
    const { members, agreeing, differing, failed, doubtful, hops } = lookup.result()
    assert.deepEqual(members, RIGHT)
    assert.deepEqual(asked, starts.slice(0, LOOKUP_LIMITS.paths))
    assert.deepEqual(
      { agreeing: agreeing.length, differing, failed, doubtful, hops, ms },
      {
        agreeing: 8,
        differing: [],
        failed: [],
        doubtful: false,
        hops: 1,
        ms: 10,
      },
    )
  })

  it('goes on to those who were named when only one node is known', () => {
    const { lookup, asked } = run(() => honest, [ALL[0]?.id as DidKey])
    assert.deepEqual(lookup.result().members, RIGHT)
    assert.equal(asked.length, 2)
    assert.ok(RIGHT.some(({ id }) => id === asked[1]))
    assert.equal(lookup.result().hops, 2)
  })

  it('climbs towards the target where nodes know only some of the others', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = seededRandom(seed)
        // Each knows the sixty members around it on the way, which the next one knows better.
        const knows = new Map(
          ALL.map(({ id }) => [
            id,
            new Set([...someOf(random, ALL, 60), ...RIGHT.slice(0, 1 + (seed & 3)).map((m) => m.id)]),
          ]),
        )
        const reply = (id: DidKey): Reply => ({
          ms: 10,
          members: closestMembers(
            ALL.filter((member) => knows.get(id)?.has(member.id) === true),
            TARGET,
            CLOSEST,
          ),
        })
        const { lookup, asked } = run(reply, someOf(random, ALL, 12))
        const all = new Map(asked.flatMap((id) => (reply(id)?.members ?? []).map((member) => [member.id, member])))
        assert.deepEqual(lookup.result().members, closestMembers([...all.values()], TARGET, CLOSEST))
        assert.ok(lookup.result().hops > 1)
      }),
      { numRuns: 8 },
    )
  })

  it('is right as soon as one honest node answers in time, whatever all others do', () => {
    fc.assert(
      fc.property(fc.integer(), fc.nat({ max: 7 }), (seed, which) => {
        const random = seededRandom(seed)
        const starts = [...new Set(someOf(random, ALL, 40))].slice(0, 20)
        const lone = starts[which] as DidKey
        const hostile = ALL.filter((_, at) => at % 4 === 0)
        const reply = (id: DidKey): Reply => {
          if (id === lone) return honest
          const ms = randomInt(random, 400)
          const others = closestMembers(hostile, TARGET, 60)
          const from = randomInt(random, 40)
          const conduct = randomInt(random, 5)
          if (conduct === 0) return undefined
          if (conduct === 1) return { ms: ms * 20, members: others.slice(0, CLOSEST) }
          if (conduct === 2) return { ms, members: undefined }
          return { ms, members: others.slice(from, from + CLOSEST) }
        }
        const { lookup, asked, ms } = run(reply, starts)
        assert.deepEqual(lookup.result().members, RIGHT)
        assert.ok(asked.length <= LOOKUP_LIMITS.questions)
        assert.equal(new Set(asked).size, asked.length)
        assert.ok(ms <= LOOKUP_LIMITS.totalMs)
        const { agreeing, differing, failed } = lookup.result()
        assert.ok(agreeing.includes(lone) && !differing.includes(lone) && !failed.includes(lone))
      }),
      { numRuns: 100 },
    )
  })

  it('ends within its limits whatever is answered and whenever', () => {
    const limits = { ...LOOKUP_LIMITS, paths: 3, perPath: 4, questions: 9, shortlist: 10 }
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 0, max: 20 }), (seed, known) => {
        const random = seededRandom(seed)
        const reply = (): Reply => {
          const members = randomInt(random, 3) === 0 ? undefined : new Set(someOf(random, ALL, randomInt(random, 21)))
          const ms = randomInt(random, 6_000)
          return randomInt(random, 4) === 0
            ? undefined
            : { ms, members: members === undefined ? undefined : ALL.filter(({ id }) => members.has(id)) }
        }
        const { lookup, asked, most, ms } = run(reply, someOf(random, ALL, known), { limits })
        assert.ok(asked.length <= limits.questions && most <= limits.questions)
        assert.equal(new Set(asked).size, asked.length)
        assert.ok(!asked.includes(SELF))
        assert.ok(ms <= limits.totalMs)
        assert.ok(lookup.result().members.length <= CLOSEST)
      }),
      { numRuns: 300 },
    )
  })

  it('asks another node beside a silent one, and does not wait for that', () => {
    const [silent, ...others] = ALL.slice(0, 12).map(({ id }) => id)
    const { lookup, asked, ms } = run((id) => (id === silent ? undefined : honest), [silent as DidKey, ...others])
    assert.deepEqual(lookup.result().members, RIGHT)
    assert.equal(asked.length, LOOKUP_LIMITS.paths + 1)
    assert.equal(ms, LOOKUP_LIMITS.patienceMs + 10)
  })

  it('takes an answer behind its deadline while the lookup lasts', () => {
    const [late, other] = ALL.slice(0, 2).map(({ id }) => id) as [DidKey, DidKey]
    const limits = { ...LOOKUP_LIMITS, deadlineMs: 1_000 }
    const few = RIGHT.slice(0, 3)
    const reply = (id: DidKey): Reply => (id === late ? { ms: 1_500, members: RIGHT } : { ms: 900, members: few })
    const { lookup, asked } = run(reply, [late, other], { limits })
    assert.deepEqual(lookup.result().members, RIGHT)
    assert.ok(!lookup.result().failed.includes(late))
    // It led nowhere: the other path alone was followed.
    assert.ok(asked.every((id) => id === late || id === other || few.some((member) => member.id === id)))
  })

  it('adds paths when what all said cannot be right', () => {
    const starts = ALL.slice(100, 132).map(({ id }) => id)
    const liars = new Set(starts.slice(0, LOOKUP_LIMITS.paths))
    const far = closestMembers(
      ALL.filter((_, at) => at % 8 === 0),
      TARGET,
      CLOSEST,
    )
    const { lookup } = run((id) => (liars.has(id) ? { ms: 10, members: far } : honest), starts)
    assert.deepEqual(lookup.result().members, RIGHT)
    assert.equal(lookup.result().differing.length, liars.size)
    const all = run(() => ({ ms: 10, members: far }), starts)
    assert.equal(all.lookup.result().doubtful, true)
    assert.equal(all.asked.length, starts.length)
  })

  it('says who named whom', () => {
    const [a, b] = ALL.slice(0, 2).map(({ id }) => id) as [DidKey, DidKey]
    const limits = { ...LOOKUP_LIMITS, paths: 2, perPath: 1 }
    const reply = (id: DidKey): Reply => ({ ms: 10, members: id === a ? RIGHT : RIGHT.slice(0, 5) })
    const { lookup } = run(reply, [a, b], { limits })
    const { namedBy, agreeing, differing } = lookup.result()
    assert.deepEqual(namedBy.get(RIGHT[0]?.id as DidKey), [a, b])
    assert.deepEqual(namedBy.get(RIGHT[5]?.id as DidKey), [a])
    assert.deepEqual({ agreeing, differing }, { agreeing: [a], differing: [b] })
  })

  it('is over at once when nobody is known, and finds all of a small map', () => {
    const { lookup } = run(() => honest, [])
    assert.deepEqual(lookup.result().members, [])
    assert.equal(lookup.result().doubtful, true)
    const few = closestMembers(ALL.slice(0, 5), TARGET, CLOSEST)
    const small = run(
      () => ({ ms: 10, members: few }),
      few.map(({ id }) => id),
      { count: 5 },
    )
    assert.deepEqual(small.lookup.result().members, few)
    assert.equal(small.lookup.result().doubtful, false)
  })
})
