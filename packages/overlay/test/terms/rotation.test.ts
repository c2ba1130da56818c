import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { silentLogger } from '@weft/core'
import { sha256 } from '@weft/crypto'
import { epochAt } from '../../src/network/epoch.ts'
import { MemoryMembershipStore } from '../../src/state/memory-membership-store.ts'
import { type SeatedMap, rotationDue } from '../../src/terms/handover-seats.ts'
import { type HandoverValue, encodeHandoverValue, termAfterHandover } from '../../src/terms/handover-value.ts'
import { Rotation } from '../../src/terms/rotation.ts'
import { rotationAt } from '../../src/terms/rotation-times.ts'
import { termOf } from '../../src/terms/term.ts'
import { codeOf } from '../fixtures.ts'
import {
  HandoverScene,
  LAPSE,
  VALIDATORS,
  beaconOf,
  handoverFixture,
  idsOf,
  listOf,
  prevotes,
  proposalOf,
  seatedMapOf,
} from './handover-scene.ts'

const ALL = Array.from({ length: 12 }, (_, index) => index)
const WITHOUT_THIRD = ALL.filter((index) => index !== 3)
/** Map epochs of a rotation. */
const R = 16
const sceneOf = (): HandoverScene => new HandoverScene(handoverFixture({ rotateMs: R * 5_000 }), true)
const seededBy = (map: SeatedMap, epoch: number): SeatedMap => ({ ...map, seed: beaconOf(epoch).value })

describe('validators rotate', () => {
  it('with the first beacon of a rotation, all the same: one leaves, and one of those who wait enters', async () => {
    await using scene = sceneOf()
    const seated = [0, 1, 2, 3].map((place) => scene.seat(place))
    await scene.maps(R, ALL)
    assert.ok(seated.every(({ network }) => network.term.number === 0))
    const { term } = scene.fixture.network
    const due = rotationDue(term, seededBy(scene.list, R))
    assert.ok(due !== undefined)
    await scene.maps(2, ALL)
    const [place] = due.leaving
    const next = [...idsOf(scene.fixture.network).filter((_, at) => at !== place), due.entering[0]?.id]
    for (const { network } of seated)
      assert.deepEqual([idsOf(network), network.term.number, network.term.rotation], [next, 1, 1])
  })

  it('not without a beacon, and not while nobody waits', async () => {
    await using without = new HandoverScene(handoverFixture({ rotateMs: R * 5_000 }))
    await using alone = sceneOf()
    const nobody = ALL.filter((index) => index < VALIDATORS || index >= VALIDATORS + 4)
    for (const [scene, indexes] of [
      [without, ALL],
      [alone, nobody],
    ] as const) {
      const seated = [0, 1, 2, 3].map((place) => scene.seat(place))
      await scene.maps(R + 4, indexes)
      assert.ok(seated.every(({ network }) => network.term.number === 0))
      assert.ok(scene.memory.calls.every(({ method }) => !method.startsWith('handover.')))
    }
  })

  it('when one of them is away, and when its seat has lapsed as well', async () => {
    await using scene = sceneOf()
    const seated = [0, 1, 2].map((place) => scene.seat(place))
    await scene.maps(R - LAPSE, ALL)
    await scene.maps(LAPSE + 3, WITHOUT_THIRD)
    assert.deepEqual(
      seated.map(({ network }) => [network.term.number, network.term.rotation]),
      [
        [1, 1],
        [1, 1],
        [1, 1],
      ],
    )
  })

  it('also when all of them have restarted since the draw, at once', async () => {
    await using scene = sceneOf()
    const before = [0, 1, 2].map((place) => scene.seat(place))
    await scene.maps(R, ALL)
    // They learn the beacon and end before they can say a word.
    await scene.maps(1, ALL, 1)
    await Promise.all(before.map(({ stop }) => stop()))
    await scene.maps(6, ALL)
    const seated = before.map(({ store }, place) => scene.seat(place, store))
    await scene.maps(2, ALL)
    assert.deepEqual(
      seated.map(({ network }) => network.term.rotation),
      [1, 1, 1],
    )
  })

  it('in the next rotation when too few of them saw the map; until then nothing is used up', async () => {
    await using scene = sceneOf()
    const seated = [0, 1].map((place) => scene.seat(place))
    await scene.maps(R + 2, ALL)
    seated.push(scene.seat(2))
    await scene.maps(R - 3, ALL)
    assert.deepEqual(
      seated.map(({ network }) => network.term.number),
      [0, 0, 0],
    )
    await scene.maps(4, ALL)
    assert.deepEqual(
      seated.map(({ network }) => network.term.rotation),
      [2, 2, 2],
    )
  })
})

describe('a proposer in other hands', () => {
  async function answersTo(change: (good: HandoverValue, maps: ReadonlyMap<number, SeatedMap>) => HandoverValue) {
    await using scene = sceneOf()
    const hostile = scene.hostile(0)
    for (const place of [1, 2]) scene.seat(place)
    const maps = new Map<number, SeatedMap>()
    await scene.maps(R - 2, ALL)
    for (let more = 0; more < 3; more++) {
      await scene.maps(1, ALL, more === 2 ? 10 : undefined)
      maps.set(scene.epoch, scene.list)
    }
    const { file, term } = scene.fixture.network
    const due = rotationDue(term, seededBy(maps.get(R) as SeatedMap, R))
    assert.ok(due !== undefined)
    const fromEpoch = epochAt(file, scene.clock.now()) + 2
    const value = encodeHandoverValue(change({ ...due, rotates: true, anchorEpoch: R, fromEpoch }, maps))
    for (const place of [1, 2]) {
      const to = scene.fixture.keys[place]?.id
      assert.ok(to !== undefined)
      const message = proposalOf(scene.fixture, value)
      assert.equal(await codeOf(() => hostile.node.rpc.call(to, 'handover.send', { message })), 'nothing')
    }
    await scene.clock.advance(2_000)
    return { said: prevotes(hostile.heard), hash: sha256(value), term, maps }
  }

  it('is followed when it says what is right', async () => {
    const { said, hash } = await answersTo((good) => good)
    assert.deepEqual([said.get(1), said.get(2)], [hash, hash])
  })

  const drawnFrom = (good: HandoverValue, maps: ReadonlyMap<number, SeatedMap>, epoch: number): HandoverValue => {
    const { network } = handoverFixture()
    return { ...good, anchorEpoch: epoch, ...rotationDue(network.term, seededBy(maps.get(epoch) as SeatedMap, epoch)) }
  }
  const WRONG: Record<string, (good: HandoverValue, maps: ReadonlyMap<number, SeatedMap>) => HandoverValue> = {
    'draws from the map before': (good, maps) => drawnFrom(good, maps, R - 1),
    'unseats another': (good) => ({ ...good, leaving: [((good.leaving[0] ?? 0) + 1) % VALIDATORS] }),
    'seats another': (good) => ({
      ...good,
      entering: good.entering.map((seat) => ({
        ...seat,
        id: 'did:key:z6Mkon3Necd6NkkyfoGoHxid2znGc59LU3K7mubaRcFbLfLX',
      })),
    }),
    'calls it a lapse': (good) => ({ ...good, rotates: false }),
    'begins in a distant future': (good) => ({ ...good, fromEpoch: good.fromEpoch + 100 }),
  }
  for (const [name, change] of Object.entries(WRONG)) {
    it(`finds nobody at once when it ${name}`, async () => {
      const { said, hash } = await answersTo(change)
      assert.ok([...said.values()].every((vote) => vote === null || !Buffer.from(vote).equals(Buffer.from(hash))))
      assert.deepEqual([said.get(1), said.get(2)], [null, null])
    })
  }

  it('finds nobody when it draws from a later map, which nobody can refuse yet', async () => {
    const { said, hash } = await answersTo((good, maps) => drawnFrom(good, maps, R + 1))
    assert.ok([...said.values()].every((vote) => vote === null || !Buffer.from(vote).equals(Buffer.from(hash))))
  })
})

describe('what a term owes', () => {
  const fixture = handoverFixture({ rotateMs: R * 5_000 })
  const { network } = fixture
  const map = seatedMapOf(listOf(fixture, 5, ALL))
  const rotationOf = (term = network.term, store = new MemoryMembershipStore()): Rotation =>
    new Rotation({ network, term, store, logger: silentLogger })

  it('follows from the first beacon of an epoch of the rotation and of the term, and from no other', () => {
    const late = termOf({ ...network.term, number: 3, fromEpoch: R + 5 })
    const done = termOf({ ...network.term, number: 3, fromEpoch: R + 5, rotation: 1 })
    const at = (term: typeof late, epoch: number, previous = epoch - 1): number | undefined => {
      const rotation = rotationOf(term)
      rotation.note({ ...beaconOf(epoch), previous }, () => map)
      return rotation.due?.anchorEpoch
    }
    assert.deepEqual(
      [R - 1, R, R + 1].map((epoch) => at(network.term, epoch)),
      [undefined, R, undefined],
    )
    assert.deepEqual([at(network.term, R + 3, R - 2), at(network.term, R + 3, R)], [R + 3, undefined])
    // A seat that lapsed between does not put it off: the next term owes it from its own first beacon on.
    assert.deepEqual([at(late, R + 4), at(late, R + 5), at(late, R + 6)], [undefined, R + 5, undefined])
    assert.deepEqual([at(done, R + 5), at(done, 2 * R)], [undefined, 2 * R])
  })

  it('is not known to who lacks the map; what another drew from it is neither refused nor followed', () => {
    const rotation = rotationOf()
    rotation.note(beaconOf(R), () => undefined)
    assert.equal(rotation.due, undefined)
    const other = rotationOf()
    other.note(beaconOf(R), () => map)
    assert.ok(other.due !== undefined)
    assert.deepEqual([rotation.judge(other.due), other.judge(other.due)], [undefined, true])
  })

  it('outlives a restart, and is given up for the next', () => {
    const store = new MemoryMembershipStore()
    const first = rotationOf(network.term, store)
    first.note(beaconOf(R), () => map)
    const again = rotationOf(network.term, store)
    assert.ok(first.due !== undefined)
    assert.deepEqual([again.due, again.judge(first.due)], [first.due, true])
    again.note(beaconOf(2 * R), () => map)
    assert.deepEqual([again.due?.anchorEpoch, again.judge(first.due)], [2 * R, false])
    store.saveRotation(1, new Uint8Array([1]))
    assert.equal(rotationOf(network.term, store).due, undefined)
  })

  it('is owed no more once the next rotation has a beacon, also to who lacks its map or finds nobody, and after a restart', () => {
    const nobody = seatedMapOf(listOf(fixture, 5, ALL.slice(0, VALIDATORS)))
    for (const later of [undefined, nobody]) {
      const store = new MemoryMembershipStore()
      const rotation = rotationOf(network.term, store)
      rotation.note(beaconOf(R), () => map)
      const stale = rotation.due
      assert.ok(stale !== undefined)
      rotation.note(beaconOf(2 * R), () => later)
      assert.deepEqual([rotation.due, rotation.judge(stale)], [undefined, false])
      assert.equal(rotationOf(network.term, store).due, undefined)
      const drawn = { ...stale, anchorEpoch: 2 * R }
      assert.equal(rotation.judge(drawn), later === undefined ? undefined : false)
      // The map may still come.
      rotation.note(beaconOf(2 * R), () => map)
      assert.equal(rotation.due?.anchorEpoch, later === undefined ? 2 * R : undefined)
    }
  })

  it('begins no term before its time, twice, or with another number of seats', async () => {
    const rotation = rotationOf()
    rotation.note(beaconOf(R), () => map)
    const good = rotation.due as HandoverValue
    const next = termOf(termAfterHandover(network, network.term, good))
    assert.deepEqual([next.rotation, next.validators.length, rotationAt(network.file, R)], [1, VALIDATORS, 1])
    for (const wrong of [
      { ...good, anchorEpoch: R - 1 },
      { ...good, leaving: [] },
    ])
      assert.equal(await codeOf(() => termAfterHandover(network, network.term, wrong)), 'E_SUCCESSION')
    const again = { ...good, entering: good.entering.map((seat) => ({ ...seat, id: fixture.keys[11]!.id })) }
    const behind = { ...again, fromEpoch: R + 3, anchorEpoch: R + 2 }
    assert.equal(await codeOf(() => termAfterHandover(network, next, behind)), 'E_SUCCESSION')
    const later = { ...again, fromEpoch: 2 * R + 3, anchorEpoch: 2 * R }
    assert.equal(termAfterHandover(network, next, later).rotation, 2)
  })
})
