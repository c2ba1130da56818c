import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock, seededRandom } from '@weft/core'
import {
  type CircuitLink,
  type ClientCircuit,
  type ClientCircuitOptions,
  ClientCircuits,
  type CountSample,
  Session,
  type SessionStream,
  type Tier,
} from '@weft/onion'
import { FlushQueue } from '../../src/engine/flush-queue.ts'
import { PathSet } from '../../src/engine/path-set.ts'
import { LOW_ORDER_KEY, makeMember } from '../route/make-member.ts'
import { HoldableClock } from './holdable-clock.ts'

const PAYLOAD = 1329
const EXIT = 2

/** Of a path set that has one leg. */
const ALONE = {
  linkTo: () => ({ newCircuitId: () => 1, sendMessage: () => true }) as unknown as CircuitLink,
  moreHops: () => undefined,
  onLegEnd: () => assert.fail(),
  onRed: () => assert.fail(),
}

/** A leg over a circuit that is ready at once; each packet and each answer takes 5 ms. @param cellsAt of the circuit, after so many ms */
function makeLeg(tier: Tier = 'off', cellsAt: (ms: number) => number = () => 0) {
  const clock = new HoldableClock()
  const random = seededRandom(1)
  const hops = [makeMember(1, ['entry']), makeMember(2, ['relay']), makeMember(3, ['exit'])]
  const told: string[] = []
  /** When which hop was pinged, monotonic ms. */
  const pings: { readonly at: number; readonly hop: number }[] = []
  /** When hops were asked what they counted, monotonic ms. */
  const counts: number[] = []
  /** Whether the exit's session hears and talks, and whether the hops answer pings. */
  const exit = { serves: true, pongs: true, answerMs: 5 }
  const streams: SessionStream[] = []
  const session = new Session({
    role: 'exit',
    clock,
    random,
    payloadLength: PAYLOAD,
    onStream: (stream) => {
      streams.push(stream)
      stream.accept('192.0.2.1')
    },
  })
  let circuit: ClientCircuitOptions | undefined
  const talk = (): void => {
    while (exit.serves && session.next() !== undefined) {
      const payload = new Uint8Array(PAYLOAD)
      circuit?.onPacket?.(session.fill(payload), payload)
    }
  }
  const circuits = {
    build: (options: ClientCircuitOptions) => {
      circuit = options
      return {
        payloadLength: PAYLOAD,
        get rttMs() {
          return pings.length < 4 ? [] : [5, 5, exit.answerMs]
        },
        suites: [],
        get cells() {
          return cellsAt(clock.monotonic())
        },
        shaping: tier === 'off' ? undefined : { taken: 'standard' },
        evidence: { opened: [], sealed: [], asked: [], answered: [] },
        count: () => {
          counts.push(clock.monotonic())
          const round = counts.length
          const answer = (hop: number): void => options.onCounted?.(hop, counted(clock.monotonic(), round))
          if (exit.pongs) clock.after(exit.answerMs, () => [0, 1, EXIT].forEach(answer))
        },
        ping: (hop: number) => {
          pings.push({ at: clock.monotonic(), hop })
          if (exit.pongs) clock.after(exit.answerMs, () => options.onPong?.(hop, exit.answerMs))
        },
        seal: (fill: (payload: Uint8Array) => number) => {
          const payload = new Uint8Array(PAYLOAD)
          const packetNumber = fill(payload)
          if (exit.serves) {
            session.receive(packetNumber, payload)
            clock.after(5, talk)
          }
          return true
        },
        destroy: () => {},
      } as unknown as ClientCircuit
    },
  } as unknown as ClientCircuits
  const leg = new PathSet({
    ...ALONE,
    hops,
    circuits,
    tier,
    queue: new FlushQueue(() => {}),
    clock,
    random,
    onReady: () => told.push('ready'),
    onSuspect: () => told.push('suspect'),
    onEnd: () => told.push('end'),
  })
  leg.start()
  circuit?.onReady?.()
  return { clock, leg, told, pings, counts, exit, streams, talk }
}

/** What a hop counted of a circuit over which nothing is lost. */
function counted(now: number, round: number): CountSample {
  const hop = { opened: round, passed: 0, droppedForward: 0, came: 0, droppedBackward: 0, sent: round }
  const places = { askedAt: 2 * round - 1, answeredAt: 2 * round, askedMs: now - 5, answeredMs: now }
  const own = { sealed: round, sealedAtAnswer: round, sealedForHop: round, opened: round, openedAtQuestion: round - 1 }
  return { round, hop, ...places, ...own, padding: 0 }
}

test('an exit that says nothing for 5 s ends the leg, and it is not known which hop it was', async () => {
  const { clock, leg, told, exit } = makeLeg()
  await clock.advance(1_000)
  exit.serves = false
  exit.pongs = false
  leg.openStream({ host: 'a.test', port: 80 })
  await clock.advance(500)
  assert.deepEqual([leg.healthy, told], [true, ['ready']])
  await clock.advance(500)
  assert.deepEqual([leg.healthy, told], [false, ['ready', 'suspect']])
  assert.equal(leg.status('active')[0]?.state, 'silent')
  await clock.advance(4_000)
  assert.equal(leg.over, false)
  await clock.advance(200)
  assert.equal(leg.over, true)
  assert.deepEqual(told, ['ready', 'suspect', 'end'])
  assert.equal(leg.loss?.fault.code, 'E_ROUTE_SILENT')
  assert.match(leg.loss.fault.cause, /Nothing came back .* for 5 s/)
  assert.equal(leg.loss.culprit, undefined)
  assert.equal(leg.openStream({ host: 'a.test', port: 80 }), undefined)
})

test('a word of the exit clears the suspicion, and 5 s count anew from the next silence', async () => {
  const { clock, leg, told, exit } = makeLeg()
  exit.serves = false
  exit.pongs = false
  const stream = leg.openStream({ host: 'a.test', port: 80 })
  await clock.advance(1_500)
  assert.deepEqual([leg.healthy, told], [false, ['ready', 'suspect']])
  exit.serves = true
  exit.pongs = true
  // What was lost is sent again, and is answered.
  await clock.advance(4_500)
  assert.deepEqual([leg.healthy, told], [true, ['ready', 'suspect']])
  exit.serves = false
  exit.pongs = false
  stream?.write(new Uint8Array(1))
  leg.wake()
  await clock.advance(4_900)
  assert.equal(leg.over, false)
  await clock.advance(400)
  assert.deepEqual([leg.over, told], [true, ['ready', 'suspect', 'suspect', 'end']])
})

test('a look that comes late blames nobody: what came meanwhile is not read yet', async () => {
  const { clock, leg, told, exit } = makeLeg()
  exit.serves = false
  exit.pongs = false
  leg.openStream({ host: 'a.test', port: 80 })
  await clock.advance(300)
  clock.holdUp(60_000)
  await clock.advance(500)
  assert.deepEqual([leg.healthy, told], [true, ['ready']])
  // From here on nothing held this thread up, and the silence is the route's.
  await clock.advance(500)
  assert.deepEqual([leg.over, told], [false, ['ready', 'suspect']])
  await clock.advance(3_800)
  assert.equal(leg.over, false)
  await clock.advance(600)
  assert.deepEqual([leg.over, told], [true, ['ready', 'suspect', 'end']])
})

test('a leg whose open streams are quiet is asked ever more rarely while only pings are answered', async () => {
  const { clock, leg, told, pings, streams, talk } = makeLeg()
  leg.openStream({ host: 'a.test', port: 80 })
  await clock.advance(50)
  const [stream] = streams
  assert.ok(stream !== undefined)
  /** ms from the last answer to each of the probes in the next `ms`; answers come 5 ms after what they answer. */
  const gapsWithin = async (ms: number): Promise<number[]> => {
    const from = clock.monotonic()
    await clock.advance(ms)
    const probes = pings.filter(({ at, hop }) => at > from && hop === EXIT).map(({ at }) => at)
    return probes.map((at, index) => at - (index === 0 ? from : (probes[index - 1] ?? 0) + 5))
  }
  const doubling = (gaps: readonly number[]): void => {
    assert.equal(gaps.length, 4, `${gaps.join(', ')}`)
    // A look is due every 100 ms.
    for (const [index, gap] of gaps.entries()) {
      const least = 300 * 2 ** index - 50
      assert.ok(gap >= least && gap <= least + 200, `${gap} ms is not about ${least}`)
    }
  }
  doubling(await gapsWithin(5_000))
  // More than an answer to a ping: it begins anew.
  stream.write(new Uint8Array(1))
  talk()
  await clock.advance(10)
  assert.equal(pings.filter(({ hop }) => hop !== EXIT).length, 2)
  doubling(await gapsWithin(4_900))
  assert.deepEqual([leg.healthy, told], [true, ['ready']])
  leg.destroy()
})

/** Rests, and even times of 100 cells a second either way in turn, of some seconds each. */
function coverAt(ms: number): number {
  const [CYCLE, EVEN] = [17_300, 6_450]
  const inCycle = Math.max(0, (ms % CYCLE) - (CYCLE - EVEN))
  return Math.floor(0.2 * (Math.floor(ms / CYCLE) * EVEN + inCycle))
}

for (const tier of ['standard', 'high'] as const)
  test(`in ${tier} hops are asked at the same times with a stream that is open, used and answered as with none`, async () => {
    const questions = async (uses: 'nothing' | 'a quiet stream' | 'a stream') => {
      const made = makeLeg(tier, coverAt)
      const { clock, leg, exit, pings, counts, streams, talk, told } = made
      const stream = uses === 'nothing' ? undefined : leg.openStream({ host: 'a.test', port: 80 })
      for (let at = 0; at < 120_000; at += 30) {
        // Answers to questions are lost now and then, and for most of a second.
        exit.pongs = at % 7_110 > 60 && at % 33_000 > 900
        if (uses === 'a stream' && at % 90 === 0) {
          stream?.write(new Uint8Array(10))
          leg.wake()
          streams[0]?.write(new Uint8Array(100))
          talk()
        }
        await clock.advance(30)
      }
      assert.equal(leg.over, false)
      assert.deepEqual(leg.status('active')[0]?.tier, { asked: tier, taken: 'standard' })
      leg.destroy()
      return { pings, counts, told }
    }
    const { told: _, ...without } = await questions('nothing')
    for (const uses of ['a quiet stream', 'a stream'] as const) {
      const { told, ...withOne } = await questions(uses)
      assert.ok(told.includes('ready'))
      assert.deepEqual(withOne, without, uses)
    }
    // Twice a second in even times, and every ten seconds else.
    const isEven = (ms: number): boolean => ms % 17_300 > 17_300 - 6_450 + 600
    const [even, rest] = [without.counts.filter(isEven), without.counts.filter((ms) => !isEven(ms))]
    assert.ok(even.length > 60 && rest.length > 8 && rest.length < 50, `${even.length} ${rest.length}`)
  })

test('with a tier a leg whose download stops is found silent by questions that its cells alone bring about', async () => {
  for (const stopsAt of [20_000, 20_120, 20_240, 20_380]) {
    const { clock, leg, told, exit } = makeLeg('standard', (ms) => Math.floor(0.2 * Math.min(ms, stopsAt)))
    leg.openStream({ host: 'a.test', port: 80 })
    await clock.advance(stopsAt)
    assert.deepEqual(told, ['ready'])
    exit.serves = false
    exit.pongs = false
    await clock.advance(1_500)
    assert.deepEqual([told, leg.healthy], [['ready', 'suspect'], false])
    await clock.advance(5_000)
    assert.deepEqual([told.at(-1), leg.loss?.fault.code], ['end', 'E_ROUTE_SILENT'])
  }
})

test('with a tier an exit that is far away is not taken for silent while nothing else is said', async () => {
  const { clock, leg, told, exit } = makeLeg('standard')
  exit.answerMs = 900
  await clock.advance(60_000)
  assert.deepEqual([told.filter((word) => word !== 'ready').length <= 2, leg.healthy], [true, true], told.join())
  leg.destroy()
})

test('a leg outlives a ping that is lost', async () => {
  const { clock, leg, told, pings, exit } = makeLeg()
  leg.openStream({ host: 'a.test', port: 80 })
  await clock.advance(600)
  exit.pongs = false
  const before = pings.length
  while (pings.length === before) await clock.advance(50)
  exit.pongs = true
  await clock.advance(6_000)
  assert.deepEqual([leg.over, told], [false, ['ready']])
})

test('a leg whose entry has no usable onion key is over when it is started', () => {
  const clock = new VirtualClock()
  const random = seededRandom(1)
  const circuits = new ClientCircuits({ networkId: 'test', clock, random })
  const entry = makeMember(1, ['entry'], { onionKey: LOW_ORDER_KEY })
  const told: string[] = []
  const leg = new PathSet({
    ...ALONE,
    hops: [entry, makeMember(2, ['relay']), makeMember(3, ['exit'])],
    circuits,
    queue: new FlushQueue(() => {}),
    clock,
    random,
    onReady: () => told.push('ready'),
    onSuspect: () => told.push('suspect'),
    onEnd: ({ over, loss }) => {
      assert.ok(over)
      assert.equal(loss?.fault.code, 'E_CIRCUIT_ENDED')
      assert.equal(loss.culprit, entry)
      told.push('end')
    },
  })
  leg.start()
  assert.deepEqual(told, ['end'])
  assert.deepEqual([leg.over, leg.ready, leg.promising], [true, false, false])
  assert.equal(leg.openStream({ host: 'a.test', port: 80 }), undefined)
  assert.deepEqual(leg.status('active'), [])
  assert.equal(circuits.size, 0)
  leg.destroy()
  assert.deepEqual(told, ['end'])
})
