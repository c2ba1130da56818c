import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock, seededRandom } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import { Nearest, type NearTarget } from '../../src/engine/nearest.ts'
import { REGIONS, regionOf } from '../../src/route/regions.ts'
import { makeMember } from '../route/make-member.ts'
import { PlacedExits } from './nearest-placed.ts'

const MINUTE = 60_000
/** More than the longest question takes in the placed network. */
const ASKED_MS = 20_000

test('once it is known the exit stands in the region of the target in 95 of 100 draws and more; 5 exits are asked at most', async () => {
  let hits = 0
  let draws = 0
  let auto = 0
  for (let seed = 1; seed <= 80; seed++) {
    const network = new PlacedExits(seed)
    for (const region of REGIONS) {
      const target = network.target(region, 'a')
      assert.equal(network.nearest.of(target), undefined)
      await network.clock.advance(ASKED_MS)
      const asked = network.asked.get(target.host) ?? []
      assert.ok(asked.length <= 5 && new Set(asked).size === asked.length)
      assert.ok(asked.includes(network.inUse.id))
      for (let draw = 0; draw < 10; draw++) {
        draws++
        if (regionOf(network.choose(target).country) === region) hits++
        if (regionOf(network.choose(undefined).country) === region) auto++
      }
    }
  }
  assert.ok(hits / draws >= 0.95, `${hits} of ${draws}; as by auto: ${auto}`)
  assert.ok(auto / draws < 0.3, 'auto alone would do')
})

/** Networks of which shares are the mean: with eight the part of honest exits alone came to 7 to 16 %. */
const SEEDS = 24

/** What liars do, and what streams meet. */
interface Deceit {
  /** By the exit's word, ms. */
  readonly says: (ms: number) => number
  /** It says that it is connected before it is. */
  readonly opensEarly: boolean
  /** Whether answers are held against what exits said. */
  readonly learns: boolean
  /** ms by which any time may be longer than another, at the most. */
  readonly jitterMs: number
}

const HONEST: Deceit = { says: (ms) => ms, opensEarly: false, learns: true, jitterMs: 0 }

/** Share of streams that go over one tenth of exits, of 20 targets with 4 streams each, behind 60 others; and of all exits those that are doubted in the end. */
async function shareOfTenth(deceit: Partial<Deceit>): Promise<{ readonly share: number; readonly doubted: number }> {
  const { says, opensEarly, learns, jitterMs } = { ...HONEST, ...deceit }
  let [over, all, doubted, exits] = [0, 0, 0, 0]
  for (let seed = 1; seed <= SEEDS; seed++) {
    const tenth = new Set<DidKey>()
    const network = new PlacedExits(seed, ({ id }, ms) => (tenth.has(id) ? says(ms) : ms))
    for (const [at, { id }] of network.members.entries()) if ((at + seed) % 10 === 0) tenth.add(id)
    const random = seededRandom(1_000 + seed)
    const jitter = (): number => (jitterMs * (random.bytes(1)[0] as number)) / 255
    for (let count = 0; count < 80; count++) {
      const region = REGIONS[(random.bytes(1)[0] as number) % REGIONS.length] as (typeof REGIONS)[number]
      const target = network.target(region, `t${count}`)
      const thinkMs = random.bytes(1)[0] as number
      for (let stream = 0; stream < 4; stream++) {
        const exit = network.nearest.of(target) === undefined ? network.inUse : network.choose(target)
        if (count >= 60) all++
        if (count >= 60 && tenth.has(exit.id)) over++
        // The session smooths what it measures.
        const routeMs = network.toExit(exit)
        const clientMs = routeMs + jitterMs / 2
        const connectMs = routeMs + jitter() + (opensEarly && tenth.has(exit.id) ? 0 : network.toTarget(exit, target))
        const answerMs = routeMs + jitter() + network.toTarget(exit, target) + thinkMs
        if (learns) {
          const way = { clientMs, variationMs: jitterMs / 4 }
          network.nearest.learn(target.host, exit.id, { kind: 'connect', tookMs: connectMs, ...way })
          network.nearest.learn(target.host, exit.id, { kind: 'answer', tookMs: answerMs, ...way })
        }
        await network.clock.advance(ASKED_MS)
      }
      // Routes are given up for others now and then.
      if (count % 5 === 4) network.inUse = network.choose(undefined)
    }
    exits += network.members.length
    doubted += network.doubted
  }
  return { share: over / all, doubted: doubted / exits }
}

test('a tenth of exits that say 0 ms of every target soon get no more than 1.2 times their part, also where they say early that they are connected', async () => {
  const honest = await shareOfTenth({})
  const unjudged = await shareOfTenth({ says: () => 0, learns: false })
  assert.ok(unjudged.share > 2 * honest.share, `${unjudged.share} of ${honest.share}`)
  for (const deceit of [{}, { opensEarly: true }, { opensEarly: true, jitterMs: 50 }]) {
    const { share } = await shareOfTenth({ says: () => 0, ...deceit })
    assert.ok(share <= 1.2 * honest.share, `${JSON.stringify(deceit)}: ${share} of ${honest.share}`)
  }
})

test('honest exits keep their part, and none is doubted, where times are up to 100 ms off', async () => {
  const { share, doubted } = await shareOfTenth({ jitterMs: 100 })
  const calm = await shareOfTenth({})
  assert.deepEqual([doubted, calm.doubted], [0, 0])
  assert.ok(Math.abs(share - calm.share) < 0.25 * calm.share, `${share} and ${calm.share}`)
})

/** Exits that answer when they are told to. */
function bench() {
  const clock = new VirtualClock()
  const exits = Array.from({ length: 8 }, (_, at) =>
    makeMember(at + 1, ['exit'], { country: at % 2 === 0 ? 'DE' : 'US' }),
  )
  const asked: { readonly exit: DidKey; readonly host: string; answer(ms: number | undefined): void }[] = []
  const nearest = new Nearest({
    clock,
    random: seededRandom(1),
    exits: () => [...exits, makeMember(20, ['relay'])],
    inUse: () => exits[0]?.id,
    standing: () => [],
    measure: ({ id: exit }, { host }) => {
      const { promise, resolve } = Promise.withResolvers<{ exitMs: number; clientMs: number } | undefined>()
      asked.push({ exit, host, answer: (ms) => resolve(ms === undefined ? undefined : { exitMs: ms, clientMs: 40 }) })
      return promise
    },
  })
  const target = (name: string): NearTarget => ({ host: `${name}.test`, port: 443 })
  /** Those that are asked answer. */
  const answer = async (ms: (exit: DidKey) => number | undefined): Promise<void> => {
    for (const each of asked.splice(0)) each.answer(ms(each.exit))
    await clock.advance(0)
  }
  return { clock, exits, asked, nearest, target, answer }
}

test('one target is asked about at a time, 16 wait, what is beyond is asked for when it comes again', async () => {
  const { nearest, target, asked, answer } = bench()
  for (let count = 0; count < 30; count++) assert.equal(nearest.of(target(`${count}`)), undefined)
  const hosts = new Set<string>()
  for (let count = 0; count < 80 && asked.length > 0; count++) {
    assert.equal(new Set(asked.map(({ host }) => host)).size, 1)
    hosts.add(asked[0]?.host ?? '')
    await answer(() => 20)
  }
  assert.equal(hosts.size, 17)
  assert.ok((nearest.of(target('16'))?.size ?? 0) >= 2)
  assert.equal(nearest.of(target('17')), undefined)
  assert.equal(asked[0]?.host, '17.test')
})

test('nobody is asked twice in 30 minutes, however often a target is used; exits that do not answer are passed over', async () => {
  const { clock, exits, nearest, target, asked, answer } = bench()
  nearest.of(target('a'))
  const first = asked.length
  const inUse = exits[0]?.id
  await answer((exit) => (exit === inUse ? undefined : 20))
  const then = asked.length
  await answer(() => 15)
  assert.deepEqual([first, then, asked.length], [4, 1, 0])
  const near = nearest.of(target('a'))
  assert.equal(near?.size, 4)
  assert.equal(near.has(inUse as DidKey), false)
  await clock.advance(30 * MINUTE - 1)
  nearest.of(target('a'))
  assert.equal(asked.length, 0)
  await clock.advance(1)
  assert.equal(nearest.of(target('a')), undefined)
  assert.equal(asked.length, 4)
})

test('where nobody answers it stays as by auto, and nobody is asked again at once', async () => {
  const { nearest, target, asked, answer } = bench()
  nearest.of(target('a'))
  await answer(() => undefined)
  assert.equal(nearest.of(target('a')), undefined)
  assert.equal(asked.length, 0)
})

test('where there is one exit alone nobody is asked; once there are two they are', async () => {
  const { exits, nearest, target, asked, answer } = bench()
  const others = exits.splice(1)
  assert.equal(nearest.of(target('a')), undefined)
  assert.equal(asked.length, 0)
  exits.push(...others.slice(0, 1))
  assert.equal(nearest.of(target('a')), undefined)
  assert.equal(asked.length, 2)
  await answer(() => 20)
  assert.equal(nearest.of(target('a'))?.size, 2)
})

test('what one isolation key learned no other has', async () => {
  const [one, other] = [bench(), bench()]
  one.nearest.of(one.target('a'))
  await one.answer(() => 20)
  await one.answer(() => 20)
  assert.ok(one.nearest.of(one.target('a')) !== undefined)
  assert.equal(other.nearest.of(other.target('a')), undefined)
})

test('closed, it asks nobody any more', async () => {
  const { nearest, target, asked, answer } = bench()
  nearest.of(target('a'))
  nearest.of(target('b'))
  nearest.close()
  await answer(() => 20)
  nearest.of(target('c'))
  assert.equal(asked.length, 0)
})
