import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '@weft/core'
import { shortId } from '@weft/crypto'
import { CircuitReason, type CircuitLink, type ClientCircuitOptions, type ClientCircuits, type Tier } from '@weft/onion'
import { FlushQueue } from '../../src/engine/flush-queue.ts'
import { PathSet } from '../../src/engine/path-set.ts'
import type { ToldEvent } from '../../src/engine/route-log.ts'
import type { RouteMember } from '../../src/route/route-member.ts'
import { makeMember } from '../route/make-member.ts'
import { HoldableClock } from './holdable-clock.ts'
import { SimulatedCircuit, SimulatedExit } from './simulated-circuit.ts'

const EXIT = makeMember(9, ['exit'])
const hopsOf = (number: number): RouteMember[] => [
  makeMember(10 * number, ['entry']),
  makeMember(10 * number + 1, ['relay']),
  EXIT,
]

/** A path set over simulated circuits, and a download of 200 cells a second over it. @param most legs that can be built @param more hops of the second one and so on */
async function download(
  legs: { used: number; reserve: number },
  seed = 1,
  most = 10,
  tier: Tier = 'off',
  more = hopsOf,
) {
  const clock = new HoldableClock()
  const random = seededRandom(seed)
  const exit = new SimulatedExit(clock, random)
  const circuits: SimulatedCircuit[] = []
  const events: ToldEvent[] = []
  const red: RouteMember[] = []
  const ends: string[] = []
  /** Who was to blame for each leg that ended. */
  const blamed: (RouteMember | undefined)[] = []
  const received = { bytes: 0 }
  let built = 1
  const set = new PathSet({
    hops: hopsOf(1),
    legs,
    tier,
    circuits: {
      build: (options: ClientCircuitOptions) => {
        const circuit = new SimulatedCircuit(options, exit, clock, random)
        circuits.push(circuit)
        return circuit.asClientCircuit
      },
    } as unknown as ClientCircuits,
    queue: new FlushQueue(() => {}),
    clock,
    random,
    linkTo: () => ({}) as CircuitLink,
    moreHops: () => (built < most ? more(++built) : undefined),
    onLegEnd: (leg, { culprit }) => {
      ends.push(leg.fault?.code ?? 'ended')
      blamed.push(culprit)
    },
    onRed: (node) => red.push(node),
    onEvent: (event) => events.push(event),
    onEnd: () => ends.push('end'),
  })
  set.start()
  await clock.advance(500)
  const stream = set.openStream({ host: 'a.test', port: 80 })
  assert.ok(stream !== undefined)
  stream.handler = {
    onData: (chunk) => {
      received.bytes += chunk.length
      stream.consume(chunk.length)
      set.wake()
    },
    onReset: () => ends.push('reset'),
  }
  await clock.advance(100)
  /** Lets the download go on for so many ms. */
  const run = async (ms: number): Promise<void> => {
    for (const end = clock.monotonic() + ms; clock.monotonic() < end;) {
      exit.streams[0]?.write(new Uint8Array(1_200))
      exit.wake()
      await clock.advance(5)
    }
  }
  const kinds = (): string[] => events.map(({ kind, role }) => (role === undefined ? kind : `${kind} ${role}`))
  const close = (): void => {
    set.destroy()
    exit.close()
  }
  return { clock, set, circuits, events, kinds, red, ends, blamed, received, run, close }
}

const TIERS: readonly Tier[] = ['off', 'standard']

const states = (set: PathSet): string[] => set.status('active').map(({ state, hops }) => `${state} ${hops[0]?.node}`)
const legAt = (number: number): string => `${hopsOf(number)[0]?.id}`

for (const tier of TIERS)
  test(`a link that begins to lose is named at its hop, and its leg gives way to the one in reserve without a reset (${tier})`, async () => {
    const { set, circuits, events, kinds, ends, received, red, run, close } = await download(
      { used: 1, reserve: 1 },
      1,
      10,
      tier,
    )
    await run(5_000)
    assert.deepEqual(kinds(), ['ready', 'ready'])
    const before = received.bytes
    circuits[0]!.links[1]!.loss = 0.05
    await run(4_000)
    const degraded = events.find(({ kind }) => kind === 'degraded')
    assert.deepEqual([degraded?.role, degraded?.node, degraded?.code], ['relay', hopsOf(1)[1]?.id, 'E_HOP_DEGRADED'])
    assert.match(degraded?.cause ?? '', /% of packets lost/)
    const moved = events.find(({ kind }) => kind === 'moved')
    assert.deepEqual([moved?.role, moved?.node], ['relay', hopsOf(1)[1]?.id])
    // It is replaced, and ends when the new one is ready.
    assert.ok(kinds().includes('improved'))
    assert.deepEqual(states(set), [`active ${legAt(2)}`, `spare ${legAt(3)}`])
    assert.equal(circuits[0]?.isOver, true)
    assert.deepEqual(ends, [])
    assert.ok(received.bytes - before > 0.95 * 4_000 * 240, `${received.bytes - before} bytes came`)
    assert.deepEqual(red, [])
    close()
  })

test('a delay that is added to a link is named at its hop, and the traffic moves and stays', async () => {
  const { set, circuits, kinds, ends, run, close } = await download({ used: 1, reserve: 1 })
  await run(15_000)
  circuits[0]!.links[2]!.delayMs = 60
  await run(8_000)
  const told = kinds()
  // What is late at once is silent for a moment as well.
  const since = told.slice(told.indexOf('degraded exit'))
  assert.equal(since[0], 'degraded exit', told.join(', '))
  assert.equal(since.filter((kind) => kind.startsWith('moved')).length, 1)
  assert.deepEqual(states(set)[0], `active ${legAt(2)}`)
  assert.deepEqual(ends, [])
  close()
})

test('where all legs are alike bad nothing moves, none is replaced, and what is over is told', async () => {
  const { set, circuits, kinds, red, ends, run, close } = await download({ used: 1, reserve: 0 })
  await run(3_000)
  circuits[0]!.links[0]!.loss = 0.2
  await run(6_000)
  const [entry] = set.status('active')[0]?.hops ?? []
  assert.equal(entry?.health, 'red')
  assert.match(entry.reason, /% of packets lost/)
  assert.ok((entry.lossPercent ?? 0) > 5)
  assert.deepEqual([circuits.length, red, ends], [1, [], []])
  circuits[0]!.links[0]!.loss = 0
  await run(25_000)
  assert.equal(set.status('active')[0]?.hops[0]?.health, 'green')
  const told = kinds()
  assert.deepEqual([told[0], told.at(-1)], ['ready', 'back entry'])
  assert.equal(told.filter((kind) => kind.startsWith('moved')).length, 0)
  close()
})

for (const tier of TIERS)
  test(`where nothing comes back from the exit over one leg its relay is left out, as another leads to the same exit (${tier})`, async () => {
    const { circuits, red, run, close } = await download({ used: 1, reserve: 1 }, 1, 10, tier)
    await run(3_000)
    circuits[0]!.links[2]!.isCut = true
    await run(4_000)
    assert.deepEqual(
      red.map(({ id }) => id),
      [hopsOf(1)[1]?.id],
    )
    close()
  })

test('a leg that gave way and is not replaced carries again when the other is gone, and stays when both are well', async () => {
  const { set, circuits, kinds, ends, received, run, close } = await download({ used: 1, reserve: 1 }, 1, 2)
  await run(3_000)
  circuits[0]!.links[1]!.loss = 0.05
  await run(4_000)
  assert.deepEqual(states(set), [`active ${legAt(2)}`, `spare ${legAt(1)}`])
  circuits[0]!.links[1]!.loss = 0
  circuits[1]!.links[0]!.isCut = true
  await run(1_000)
  const before = received.bytes
  await run(2_000)
  assert.ok(received.bytes > before)
  assert.deepEqual(states(set), [`active ${legAt(1)}`, `silent ${legAt(2)}`])
  circuits[1]!.links[0]!.isCut = false
  await run(40_000)
  assert.ok(kinds().includes('back relay'), kinds().join(', '))
  const moves = kinds().filter((kind) => kind.startsWith('moved')).length
  await run(20_000)
  assert.equal(kinds().filter((kind) => kind.startsWith('moved')).length, moves)
  assert.deepEqual(ends, [])
  close()
})

for (const tier of TIERS)
  test(`a hop behind which nothing comes back is named (${tier})`, async () => {
    const { set, circuits, kinds, run, close } = await download({ used: 1, reserve: 1 }, 1, 10, tier)
    await run(3_000)
    circuits[0]!.links[1]!.isCut = true
    await run(3_500)
    const hops = set.status('active').find(({ state }) => state === 'silent')?.hops
    assert.deepEqual(
      hops?.map(({ health }) => health),
      ['green', 'red', 'yellow'],
    )
    assert.match(hops?.[1]?.reason ?? '', /does not answer, nor does any hop behind it/)
    assert.ok(kinds().includes('lost'))
    close()
  })

test('a question to all hops is answered with what each counted', async () => {
  const { clock, set, run, close } = await download({ used: 1, reserve: 1 })
  await run(2_000)
  const asked = set.verify('active')
  await clock.advance(100)
  const [used, spare] = await asked
  assert.deepEqual([used?.state, spare?.state], ['active', 'spare'])
  for (const leg of [used, spare]) {
    assert.deepEqual(
      leg?.hops.map(({ role, answered }) => [role, answered]),
      [
        ['entry', true],
        ['relay', true],
        ['exit', true],
      ],
    )
    for (const { sent, counted } of leg?.hops ?? [])
      assert.ok((counted?.opened ?? 0) > 0 && sent >= (counted?.opened ?? 0))
    assert.deepEqual([leg?.losses, leg?.delays, leg?.contradictions, leg?.rejected], [[], [], [], 0])
  }
  assert.ok((used?.verified ?? 0) > 300 && (used?.hops[2]?.verified ?? 0) === used?.verified)
  close()
})

test('hops that do not answer within 3 s are told as such, and are asked three times', async () => {
  const { clock, set, circuits, run, close } = await download({ used: 1, reserve: 0 })
  await run(1_000)
  circuits[0]!.links[1]!.isCut = true
  const asked = set.verify('active')
  const rounds = circuits[0]!.rounds
  await clock.advance(2_900)
  assert.ok(circuits[0]!.rounds - rounds >= 2)
  await clock.advance(200)
  const [leg] = await asked
  assert.deepEqual(
    leg?.hops.map(({ answered }) => answered),
    [true, false, false],
  )
  close()
})

test('a leg over which nothing flows is asked every 10 s', async () => {
  const { clock, circuits, close } = await download({ used: 1, reserve: 1 })
  await clock.advance(1_000)
  const before = circuits[1]!.rounds
  await clock.advance(60_000)
  const asked = circuits[1]!.rounds - before
  assert.ok(asked >= 5 && asked <= 7, `${asked} times`)
  close()
})

test('one leg a minute is replaced: where the next one is as bad, it gives way and stays', async () => {
  const { clock, set, circuits, kinds, ends, run, close } = await download({ used: 1, reserve: 1 })
  await run(3_000)
  circuits[0]!.links[1]!.loss = 0.05
  await run(4_000)
  assert.equal(circuits.length, 3)
  circuits[1]!.links[1]!.loss = 0.05
  await run(6_000)
  assert.deepEqual(states(set), [`active ${legAt(3)}`, `spare ${legAt(2)}`])
  assert.deepEqual([circuits.length, kinds().filter((kind) => kind === 'improved').length], [3, 1])
  await clock.advance(60_000)
  set.keep()
  await clock.advance(100)
  assert.deepEqual(states(set), [`active ${legAt(3)}`, `spare ${legAt(4)}`])
  assert.deepEqual(ends, [])
  close()
})

test('no hop is called silent for what this thread did not hear', async () => {
  const { clock, circuits, kinds, run, close } = await download({ used: 1, reserve: 0 })
  circuits[0]!.links[0]!.delayMs = 900
  await run(8_000)
  clock.holdUp(20_000)
  await run(3_000)
  assert.ok(!kinds().some((kind) => kind.startsWith('degraded')), kinds().join(', '))
  close()
})

test('traffic is led away from delay once a minute: it brings delay along to where it goes', async () => {
  const { set, circuits, kinds, run, close } = await download({ used: 1, reserve: 2 }, 1, 3)
  await run(15_000)
  circuits[0]!.links[1]!.delayMs = 40
  await run(20_000)
  assert.deepEqual(states(set)[0], `active ${legAt(2)}`)
  circuits[1]!.links[1]!.delayMs = 40
  await run(10_000)
  assert.equal(kinds().filter((kind) => kind === 'degraded relay').length, 2, kinds().join(', '))
  assert.deepEqual(states(set)[0], `active ${legAt(2)}`)
  close()
})

test('legs that carry and share a node say which and why, and those that share none or wait do not', async () => {
  const faultsWith = async (more: typeof hopsOf, reserve = 1) => {
    const { set, run, close } = await download({ used: 2, reserve }, 1, 2 + reserve, 'off', more)
    await run(1_000)
    const faults = set.status('active').map(({ state, fault }) => [state, fault?.code])
    const [first] = set.status('active')
    close()
    return { faults, first }
  }
  const apart = await faultsWith(hopsOf)
  assert.deepEqual(apart.faults, [
    ['active', undefined],
    ['active', undefined],
    ['spare', undefined],
  ])
  // The entry of the first one is the relay of the second.
  const [entry] = hopsOf(1) as [RouteMember]
  const sharing = (number: number): RouteMember[] =>
    number === 2 ? [hopsOf(2)[0] as RouteMember, entry, EXIT] : hopsOf(number)
  const shared = await faultsWith(sharing, 0)
  assert.deepEqual(shared.faults, [
    ['active', 'E_LEGS_SHARED'],
    ['active', 'E_LEGS_SHARED'],
  ])
  assert.match(shared.first?.fault?.cause ?? '', new RegExp(`^Legs share …${shortId(entry.id)}, since `))
  const waiting = await faultsWith((number) => (number === 3 ? [hopsOf(3)[0] as RouteMember, entry, EXIT] : hopsOf(2)))
  assert.deepEqual(waiting.faults, apart.faults)
  assert.deepEqual((await faultsWith(sharing)).faults, apart.faults, 'one that shares none carries in its place')
})

test('legs that share a node are parted as soon as others are there, and nothing is reset', async () => {
  const [entry] = hopsOf(1) as [RouteMember]
  let isThere = false
  const more = (number: number): RouteMember[] =>
    isThere ? hopsOf(number) : [makeMember(10 * number, ['entry']), entry, EXIT]
  const { clock, set, circuits, kinds, ends, run, close } = await download({ used: 2, reserve: 0 }, 1, 10, 'off', more)
  await run(6_000)
  set.keep()
  assert.equal(circuits.length, 2, 'none is built that would share one again')
  isThere = true
  await clock.advance(5_000)
  set.keep()
  await run(1_000)
  assert.deepEqual(
    set.status('active').map(({ state, fault }) => [state, fault]),
    [
      ['active', undefined],
      ['active', undefined],
    ],
  )
  assert.deepEqual([circuits.length, ends, kinds().filter((kind) => kind === 'improved').length], [3, [], 1])
  set.keep()
  await run(10_000)
  assert.equal(circuits.length, 3)
  close()
})

test('an exit that is gone while the relays before it answer is named within 2 s or so, and what ran over it is reset', async () => {
  for (const legs of [
    { used: 1, reserve: 1 },
    { used: 2, reserve: 1 },
  ]) {
    const { set, circuits, events, ends, run, close } = await download(legs, 1, legs.used + legs.reserve)
    await run(3_000)
    for (const circuit of circuits) circuit.links[2]!.isCut = true
    await run(1_500)
    assert.equal(ends.length, 0, 'one that is held up for so long is not gone')
    await run(1_000)
    assert.deepEqual([ends.at(-1), set.over, set.streams], ['end', true, 0])
    assert.ok(ends.includes('reset'))
    const lost = events.at(-1)
    assert.deepEqual([lost?.kind, lost?.code, lost?.role, lost?.node], ['lost', 'E_EXIT_LOST', 'exit', EXIT.id])
    const { loss } = set
    assert.deepEqual([loss?.fault.code, loss?.culprit, loss?.isAgreed], ['E_EXIT_LOST', EXIT, true])
    for (const { cause } of events.filter(({ code }) => code === 'E_ROUTE_SILENT'))
      assert.match(cause, /from the exit …/)
    close()
  }
})

test('an exit that comes back in time, or is reached over one leg, is not gone, nor where nothing gets as far as the relays', async () => {
  const back = await download({ used: 1, reserve: 1 }, 1, 2)
  await back.run(3_000)
  for (const { links } of back.circuits) links[2]!.isCut = true
  await back.run(1_600)
  for (const { links } of back.circuits) links[2]!.isCut = false
  await back.run(4_000)
  assert.deepEqual([back.ends, back.set.over], [[], false])
  back.close()
  const one = await download({ used: 2, reserve: 0 }, 1, 2)
  await one.run(3_000)
  one.circuits[0]!.links[2]!.isCut = true
  await one.run(10_000)
  assert.deepEqual([one.ends.includes('reset'), one.set.over], [false, false])
  one.close()
  // The line of the client itself, and the way to one relay with the way behind another.
  for (const cuts of [
    [0, 0],
    [1, 2],
  ] as const) {
    const line = await download({ used: 1, reserve: 1 }, 1, 2)
    await line.run(3_000)
    for (const [at, hop] of cuts.entries()) line.circuits[at]!.links[hop]!.isCut = true
    await line.run(4_000)
    assert.deepEqual([line.ends, line.set.over], [[], false], `links ${cuts.join(' and ')}`)
    line.close()
  }
})

test('the word of one relay ends nothing of an exit that goes on over another leg, and is laid to that relay', async () => {
  for (const pauseMs of [1_100, 1_600]) {
    const { set, circuits, ends, blamed, run, close } = await download({ used: 2, reserve: 0 }, 1, 2)
    await run(3_000)
    circuits[0]!.tellEnd(CircuitReason.nextHopNotReached, 2)
    assert.deepEqual(blamed, [hopsOf(1)[1]])
    await run(5_000)
    circuits[1]!.links[2]!.isCut = true
    await run(pauseMs)
    assert.equal(set.healthy, false)
    circuits[1]!.links[2]!.isCut = false
    await run(2_000)
    assert.deepEqual([set.over, set.healthy, ends], [false, true, ['E_CIRCUIT_ENDED']])
    close()
  }
})

test('a leg that is silent at the exit for long makes no moment of silence of another one more', async () => {
  const { set, circuits, ends, run, close } = await download({ used: 2, reserve: 0 }, 1, 2)
  await run(3_000)
  circuits[0]!.links[2]!.isCut = true
  await run(4_000)
  circuits[1]!.links[2]!.isCut = true
  await run(1_600)
  assert.equal(set.healthy, false)
  circuits[1]!.links[2]!.isCut = false
  await run(500)
  assert.deepEqual([set.over, set.healthy, ends], [false, true, []])
  close()
})

test('an exit of which one relay says that it is gone is gone when it is silent over another leg for as long as without', async () => {
  const { set, circuits, events, run, close } = await download({ used: 2, reserve: 0 }, 1, 2)
  await run(3_000)
  for (const circuit of circuits) circuit.links[2]!.isCut = true
  circuits[0]!.tellEnd(CircuitReason.nextHopNotReached, 2)
  await run(1_500)
  assert.equal(set.over, false)
  await run(1_000)
  assert.deepEqual([set.over, events.at(-1)?.code], [true, 'E_EXIT_LOST'])
  close()
})
