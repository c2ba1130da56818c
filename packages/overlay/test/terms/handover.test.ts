import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sha256 } from '@weft/crypto'
import { epochAt } from '../../src/network/epoch.ts'
import { seatsDue } from '../../src/terms/handover-seats.ts'
import { type HandoverValue, encodeHandoverValue } from '../../src/terms/handover-value.ts'
import { codeOf } from '../fixtures.ts'
import { HandoverScene, LAPSE, VALIDATORS, handoverFixture, idsOf, prevotes, proposalOf } from './handover-scene.ts'

const ALL = Array.from({ length: 12 }, (_, index) => index)
const NONSENSE: HandoverValue = { rotates: false, fromEpoch: 9, anchorEpoch: 1, leaving: [], entering: [] }
const WITHOUT_FIRST = ALL.filter((index) => index !== 0)
const WITHOUT_THIRD = ALL.filter((index) => index !== 3)

describe('validators', () => {
  it('seat a candidate in place of one that was out of the maps for long, and all the same', async () => {
    await using scene = new HandoverScene()
    const seated = [0, 1, 2].map((place) => scene.seat(place))
    await scene.maps(2, ALL)
    await scene.maps(LAPSE, WITHOUT_THIRD)
    assert.deepEqual(
      seated.map(({ network }) => network.term.number),
      [0, 0, 0],
      'not before the seat has lapsed',
    )
    await scene.maps(3, WITHOUT_THIRD)
    const terms = seated.map(({ network }) => JSON.stringify(idsOf(network)))
    assert.equal(new Set(terms).size, 1)
    const [network] = seated.map((each) => each.network)
    const kept = scene.fixture.keys.slice(0, 3).map(({ id }) => id)
    const candidates = scene.fixture.keys.slice(VALIDATORS, VALIDATORS + 4).map(({ id }) => id)
    const [entered, ...more] = (network === undefined ? [] : idsOf(network)).filter((id) => !kept.includes(id))
    assert.ok(entered !== undefined && candidates.includes(entered) && more.length === 0)
  })

  it('leave everything as it is while one is away for a short time only, again and again', async () => {
    await using scene = new HandoverScene()
    const seated = [0, 1, 2].map((place) => scene.seat(place))
    for (let round = 0; round < 4; round++) {
      await scene.maps(LAPSE, WITHOUT_THIRD)
      await scene.maps(1, ALL)
    }
    assert.ok(seated.every(({ network }) => network.term.number === 0))
    assert.ok(scene.memory.calls.every(({ method }) => !method.startsWith('handover.')))
  })

  it('keep a seat that nobody asks for', async () => {
    await using scene = new HandoverScene()
    const seated = [0, 1, 2].map((place) => scene.seat(place))
    await scene.maps(
      LAPSE + 4,
      WITHOUT_THIRD.filter((index) => index < VALIDATORS || index >= VALIDATORS + 4),
    )
    assert.ok(seated.every(({ network }) => network.term.number === 0))
  })

  it('become as many as the network file says, one in a term', async () => {
    await using scene = new HandoverScene(handoverFixture({ seats: 6 }))
    const seated = [0, 1, 2, 3].map((place) => scene.seat(place))
    await scene.maps(4, ALL)
    assert.deepEqual(
      seated.map(({ network }) => [network.term.number, network.validators.length]),
      Array.from({ length: 4 }, () => [1, 5]),
    )
  })

  it('that restart in the middle go on where they were, and come to the same', async () => {
    await using scene = new HandoverScene()
    const others = [0, 1].map((place) => scene.seat(place))
    const restarted = scene.seat(2)
    await scene.maps(LAPSE + 1, WITHOUT_THIRD)
    await restarted.stop()
    const again = scene.seat(2, restarted.store)
    await scene.maps(LAPSE + 3, WITHOUT_THIRD)
    const terms = [...others, again].map(({ network }) => JSON.stringify(idsOf(network)))
    assert.equal(new Set(terms).size, 1)
    assert.equal(again.network.term.number, 1)
  })
})

describe('a proposer in other hands', () => {
  /** What the honest three say to this in round 0. */
  async function answersTo(change: (good: HandoverValue, scene: HandoverScene) => HandoverValue, away = LAPSE + 1) {
    await using scene = new HandoverScene()
    const hostile = scene.hostile(0)
    for (const place of [1, 2]) scene.seat(place)
    await scene.maps(away, WITHOUT_THIRD, 10)
    const { file, term } = scene.fixture.network
    const gone = scene.fixture.keys[3]?.id
    const due = seatsDue(file, term, scene.list, (id) => id === gone)
    assert.ok(due !== undefined)
    const good = { ...due, rotates: false, anchorEpoch: scene.epoch, fromEpoch: epochAt(file, scene.clock.now()) + 2 }
    const value = encodeHandoverValue(change(good, scene))
    for (const place of [1, 2]) {
      const to = scene.fixture.keys[place]?.id
      assert.ok(to !== undefined)
      const message = proposalOf(scene.fixture, value)
      assert.equal(await codeOf(() => hostile.node.rpc.call(to, 'handover.send', { message })), 'nothing')
    }
    await scene.clock.advance(4_000)
    return { said: prevotes(hostile.heard), hash: sha256(value) }
  }

  it('is followed when it says what is right', async () => {
    const { said, hash } = await answersTo((good) => good)
    assert.deepEqual([said.get(1), said.get(2)], [hash, hash])
  })

  const WRONG: Record<string, (good: HandoverValue, scene: HandoverScene) => HandoverValue> = {
    'seats a friend of its own': (good, { fixture }) => ({
      ...good,
      entering: [{ id: fixture.keys[11]?.id ?? 'did:key:z', addresses: ['/ip4/127.0.0.1/tcp/9'], family: 'friends' }],
    }),
    'names another address for who was drawn': (good) => ({
      ...good,
      entering: good.entering.map((seat) => ({ ...seat, addresses: ['/ip4/127.0.0.1/tcp/9'] })),
    }),
    'unseats a validator that is there': (good) => ({ ...good, leaving: [1] }),
    'unseats nobody and adds a seat': (good) => ({ ...good, leaving: [] }),
    'begins in the past': (good) => ({ ...good, fromEpoch: good.anchorEpoch }),
    'begins in a distant future': (good) => ({ ...good, fromEpoch: good.fromEpoch + 100 }),
    'draws from a map of long ago': (good) => ({ ...good, anchorEpoch: 0 }),
  }
  for (const [name, change] of Object.entries(WRONG)) {
    it(`finds nobody when it ${name}`, async () => {
      const { said } = await answersTo(change)
      assert.deepEqual([said.get(1), said.get(2)], [null, null])
    })
  }

  it('finds nobody before the seat has lapsed for the others', async () => {
    const { said } = await answersTo((good) => good, LAPSE - 1)
    assert.equal(said.size, 0, 'one alone does not make the others vote')
  })
})

describe('validators in other hands use up no round', () => {
  const ROUNDS_MS = 45 * 60_000
  const EPOCH_MS = 5_000

  it('while nothing is due, whatever one of them says', async () => {
    await using scene = new HandoverScene()
    const hostile = scene.hostile(0)
    const seated = [1, 2].map((place) => scene.seat(place))
    await scene.maps(2, ALL)
    for (const { node } of seated) {
      const message = proposalOf(scene.fixture, encodeHandoverValue(NONSENSE))
      await hostile.node.rpc.call(node.id, 'handover.send', { message })
    }
    await scene.maps(ROUNDS_MS / EPOCH_MS, ALL)
    assert.deepEqual(hostile.heard, [])
    seated.push(scene.seat(3))
    await scene.maps(LAPSE + 3, WITHOUT_FIRST)
    assert.deepEqual(
      seated.map(({ network }) => network.term.number),
      [1, 1, 1],
    )
  })

  it('when what was due passed by while its proposer kept silent', async () => {
    await using scene = new HandoverScene()
    scene.hostile(0)
    const seated = [1, 2, 3].map((place) => scene.seat(place))
    await scene.maps(LAPSE + 1, WITHOUT_THIRD, 1_000)
    await scene.maps(ROUNDS_MS / EPOCH_MS, ALL)
    await scene.maps(LAPSE + 3, WITHOUT_FIRST)
    assert.deepEqual(
      seated.map(({ network }) => network.term.number),
      [1, 1, 1],
    )
  })
})
