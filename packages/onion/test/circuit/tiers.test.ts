import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClientCircuitOptions } from '../../src/circuit/client-circuit.ts'
import type { CountSample } from '../../src/circuit/client-counts.ts'
import { UnitKind } from '../../src/circuit/layer.ts'
import { CircuitReason } from '../../src/circuit/reasons.ts'
import { tierPlans } from '../../src/shaping/tier-plans.ts'
import type { Tier } from '../../src/shaping/tier.ts'
import { FakeNetwork, type Item, type NodeSetting, say, textOf } from './fake-network.ts'
import { HandMadeClient, HandMadeExit } from './hand-made-ends.ts'

const STEP = 5
const REAL = 200
const FLOW = 500

function built(
  hops: string,
  tier: Tier,
  settings: Record<string, NodeSetting> = {},
  options: Partial<ClientCircuitOptions> = {},
) {
  const network = new FakeNetwork('abcde', settings)
  const came: string[] = []
  const ends: (number | undefined)[][] = []
  const circuit = network.build(hops, {
    tier,
    onPacket: (_, payload) => void came.push(textOf(payload)),
    onEnd: (reason, atHop) => void ends.push([reason, atHop]),
    ...options,
  })
  network.run()
  const exit = network.node(hops.at(-1)!).exits[0]
  assert.ok(exit !== undefined)
  /** Lets so many ms go by, in small steps. */
  const pass = (ms: number, change?: (item: Item) => readonly Item[]) => network.pass(ms, change, STEP)
  const cells = (from: string, to: string): number =>
    network.delivered.filter((item) => item.from === from && item.to === to && item.command === 0).length
  return { network, circuit, exit, came, ends, pass, cells }
}

test('without a tier nothing is told, held or padded', async () => {
  const { network, circuit, exit, pass } = built('abc', 'off')
  const before = network.delivered.length
  assert.ok(circuit.seal(say(1, 'at once')))
  network.run()
  assert.deepEqual(exit.packets, [[1, 'at once']])
  await pass(5_000)
  assert.equal(network.delivered.length - before, 3)
  assert.equal(circuit.shaping, undefined)
})

for (const [hops, told] of [
  ['ab', 'b'],
  ['abc', 'bc'],
  ['abcde', 'be'],
] as const)
  test(`over ${hops.length} hops packets come in their order in each tier, and the tier is known at ${told} alone`, async () => {
    for (const tier of ['standard', 'high'] as const) {
      const { circuit, exit, came, pass, network } = built(hops, tier)
      for (let i = 0; i < FLOW; i++) {
        assert.ok(circuit.seal(say(i, `up ${i}`)))
        assert.ok(exit.circuit.seal(say(1_000 + i, `down ${i}`)))
        // Ten at once, and then a flow that goes on, which is what sets the machines of `standard` going.
        if (i > 10) await pass(20)
      }
      await pass(500)
      assert.deepEqual(
        exit.packets,
        Array.from({ length: FLOW }, (_, i) => [i, `up ${i}`]),
      )
      assert.deepEqual(
        came,
        Array.from({ length: FLOW }, (_, i) => `down ${i}`),
      )
      assert.equal(circuit.shaping?.taken, tier)
      // What a hop was told shows in what it does: the others never send padding, and hold nothing.
      for (const name of hops) {
        const isMiddle = name === 'b'
        assert.equal(network.node(name).circuits.shaping.padding > 0, isMiddle, `${tier} ${name}`)
      }
    }
  })

test('padding is a cell as any other on each link, goes to its hop and no further, and no session sees it', async () => {
  const { network, circuit, exit, came, cells, pass } = built('abc', 'high')
  await pass(100)
  network.delivered.length = 0
  const before = { sent: circuit.shaping!.paddingSent, received: circuit.shaping!.paddingReceived }
  // A real cell now and then: machines begin by chance at one.
  for (let at = 1; at <= REAL; at++) {
    circuit.seal(say(at, 'real'))
    await pass(40)
  }
  const paddingSent = circuit.shaping!.paddingSent - before.sent
  const paddingReceived = circuit.shaping!.paddingReceived - before.received
  assert.ok(paddingSent > 100 && paddingReceived > 100, `${paddingSent} ${paddingReceived}`)
  assert.ok(network.delivered.every(({ bytes }) => bytes.length === 1404))
  // All of it crosses both links to the middle; a few in a thousand are meant for the last hop.
  assert.ok(cells('C', 'a') >= paddingSent && cells('C', 'a') === cells('a', 'b'))
  assert.ok(cells('b', 'c') - REAL < paddingSent / 10)
  assert.ok(cells('b', 'a') >= paddingReceived && cells('b', 'a') === cells('a', 'C'))
  assert.ok(cells('c', 'b') < 10)
  assert.deepEqual([exit.packets.length, came], [REAL, []])
  assert.equal(circuit.dropped, 0)
  for (const name of 'abc')
    assert.deepEqual(
      { ...network.node(name).circuits.drops },
      { unopened: 0, outOfPlace: 0, linkBusy: 0, queueFull: 0, queueLate: 0 },
    )
})

test('a node counts cells that it passed on, padding among them, and no drop shows which were', async () => {
  const { network, circuit, cells, pass } = built('abc', 'high')
  circuit.seal(say(1, 'real'))
  await pass(2_000)
  const { circuits } = network.node('a')
  assert.equal(circuits.forwarded, cells('a', 'b') + cells('a', 'C'))
  const middle = network.node('b').circuits
  assert.equal(middle.forwarded, cells('b', 'c') + cells('b', 'a'))
})

test('a tier that is lost on the way is told again, and known once', async () => {
  let lost = 0
  const { circuit, pass, network } = built('abc', 'standard')
  const again = built('abc', 'standard')
  assert.equal(circuit.shaping?.taken, 'standard')
  const second = again.network.build('abc', { tier: 'standard' })
  // The hops' answers are the first cells behind those of the handshake.
  again.network.run((item) => (second.state === 'ready' && item.command === 0 && lost++ < 6 ? [] : [item]))
  assert.equal(second.shaping?.taken, undefined)
  assert.ok(second.nextTimeout() !== undefined)
  await again.pass(1_000)
  assert.equal(second.shaping?.taken, 'standard')
  assert.equal(second.nextTimeout(), undefined)
  await pass(100)
  assert.equal(network.node('b').circuits.size, 1)
})

test('an operator caps the tier and the padding of all circuits together', async () => {
  const capped = built('abc', 'high', { b: { padding: { most: 'off' } } })
  capped.circuit.seal(say(1, 'real'))
  await capped.pass(2_000)
  assert.equal(capped.circuit.shaping?.taken, 'off')
  assert.equal(capped.circuit.shaping?.paddingReceived, 0)
  const limited = built('abc', 'high', { b: { padding: { perSecond: 8 } } })
  for (let i = 0; i < 3; i++) limited.network.build('abc', { tier: 'high' })
  for (let at = 0; at < 250; at++) {
    limited.circuit.seal(say(at, 'real'))
    await limited.pass(40)
  }
  const { padding } = limited.network.node('b').circuits.shaping
  assert.ok(padding > 0 && padding <= 8 * 10 + 2, `${padding}`)
})

/** Circuits over the middle `b`, by their hops, kept busy for some seconds; of each, padding cells a second that came of late. */
async function busyOver(ways: readonly string[], perSecond: number) {
  const network = new FakeNetwork('abcdef', { b: { padding: { perSecond } } })
  const circuits = ways.map((hops) => network.build(hops, { tier: 'high' }))
  network.run()
  let number = 0
  const busy = async (ms: number): Promise<number[]> => {
    const before = circuits.map(({ shaping }) => shaping?.paddingReceived ?? 0)
    for (let at = 0; at < ms; at += 50) {
      for (const circuit of circuits) circuit.seal(say(number++, 'real'))
      await network.pass(50, undefined, STEP)
    }
    return circuits.map(({ shaping }, at) => (((shaping?.paddingReceived ?? 0) - before[at]!) * 1_000) / ms)
  }
  await busy(6_000)
  const before = circuits.map(({ shaping }) => shaping?.taken)
  const rates = await busy(6_000)
  /** What they are told is what they get. */
  const holds = (): void => {
    for (const [at, { shaping }] of circuits.entries()) {
      const rate = rates[at]!
      const told = `${before[at]} ${shaping?.taken} ${rate}`
      if (shaping?.taken === 'high') assert.ok(rate > 60, told)
      else if (before[at] === 'off') assert.equal(rate, 0, told)
    }
  }
  return { circuits, rates, holds, network }
}

test("who keeps many circuits busy over one entry takes no padding from another entry's: their tier ends, and they are told", async () => {
  const alone = await busyOver(['abc'], 400)
  const { circuits, rates, holds, network } = await busyOver(['abc', ...Array.from({ length: 10 }, () => 'dbc')], 400)
  const [honest = 0] = rates
  assert.ok(honest > 0.75 * alone.rates[0]!, `${honest} of ${alone.rates[0]}`)
  const taken = circuits.map(({ shaping }) => shaping?.taken)
  assert.equal(taken[0], 'high')
  assert.ok(taken.filter((tier) => tier === 'high').length >= 2, taken.join())
  holds()
  assert.ok(network.node('b').circuits.shaping.padding <= 400 * 12.5 + 100)
  assert.ok(circuits.every(({ state }) => state === 'ready'))
})

test('of many entries, too, no circuit is told a tier that it does not get', async () => {
  const { circuits, holds } = await busyOver(['abc', 'abc', 'dbc', 'dbc', 'ebc', 'ebc', 'fbc', 'fbc'], 300)
  const taken = circuits.map(({ shaping }) => shaping?.taken)
  assert.ok(taken.includes('high') && taken.includes('off'), taken.join())
  holds()
})

test('what a tier held back leaves as the tier ends, in its order', async () => {
  const { circuits, network } = await busyOver(['abc', 'abc'], 1)
  assert.deepEqual(
    circuits.map(({ shaping }) => shaping?.taken),
    ['off', 'off'],
  )
  for (const { packets } of network.node('c').exits)
    assert.deepEqual(
      packets.map(([number]) => number),
      packets.map(([number]) => number).toSorted((a, b) => a - b),
    )
  const received = network.node('c').exits.reduce((sum, { packets }) => sum + packets.length, 0)
  await network.pass(200, undefined, STEP)
  assert.ok(received >= 2 * 238, `${received}`)
  assert.equal(network.node('b').circuits.shaping.held, 0)
})

/** A hop that a client and entry in one speak to, which say what they like. */
function handMade(settings: Record<string, NodeSetting> = {}) {
  const network = new FakeNetwork('abc', settings)
  const client = new HandMadeClient(network, 'a', 'b')
  const pass = (ms: number) => network.pass(ms, client.take, STEP)
  const padding = (): number => client.units.filter(({ kind }) => kind === UnitKind.padding).length
  return { network, client, pass, padding, circuits: network.node('b').circuits }
}

test('a hop answers every tier message, begins with the first, and is made to send no more than its budget by all of them', async () => {
  const { client, pass, padding, circuits } = handMade()
  const { allowance, perSecond } = tierPlans.high!.middle.padding!.limits
  for (const tier of [2, 1, 2, 0, 2]) client.send(UnitKind.control, Uint8Array.of(9, tier))
  await pass(100)
  assert.deepEqual(
    client.units
      .filter(({ kind }) => kind === UnitKind.control)
      .map(({ kind, content }) => [kind, ...content.subarray(0, 3)]),
    [2, 2, 2, 2, 2].map((tier) => [UnitKind.control, 10, tier, 0]),
  )
  const most = (seconds: number): number => allowance + perSecond * seconds
  for (let seconds = 1; seconds <= 20; seconds++) {
    // A flood of all that can set a machine going; nothing real goes the way that padding does but the answers to these.
    for (let at = 0; at < 200; at++) {
      client.send(UnitKind.padding, new Uint8Array(0))
      client.send(UnitKind.control, Uint8Array.of(9, 2))
      if (at % 10 === 0) await pass(50)
    }
    assert.ok(padding() <= most(seconds) + 1, `${padding()} after ${seconds} s`)
  }
  assert.equal(circuits.size, 1)
})

test("a client's real cells and padding make a hop send no more padding than its budget", async () => {
  const { network, circuit, pass } = built('abc', 'high')
  const { allowance, perSecond } = tierPlans.high!.middle.padding!.limits
  for (let at = 0; at < 500; at++) {
    circuit.seal(say(at, 'real'))
    await pass(20)
  }
  const { padding } = network.node('b').circuits.shaping
  assert.ok(padding > 100 && padding <= allowance + perSecond * 10, `${padding}`)
})

test('signs of life and questions for counters set no machine going, in no tier', async () => {
  for (const tier of ['standard', 'high'] as const) {
    const { network, circuit, pass } = built('abc', tier)
    for (let at = 0; at < 200; at++) {
      for (const hop of [0, 1, 2]) circuit.ping(hop)
      circuit.count()
      await pass(100)
    }
    const { paddingSent } = circuit.shaping!
    const { padding } = network.node('b').circuits.shaping
    // In `high` those of the Poisson process at rest: one time of going evenly has hundreds.
    const most = tier === 'standard' ? 0 : 100
    assert.ok(paddingSent <= most && padding <= most, `${tier} ${paddingSent} ${padding}`)
  }
})

test('counters have padding as cells: nothing is lost by them, and none says how much it was', async () => {
  for (const tier of ['standard', 'high'] as const) {
    const samples: CountSample[][] = [[], [], []]
    const { circuit, pass, network } = built(
      'abc',
      tier,
      {},
      { onCounted: (hop, sample) => void samples[hop]!.push(sample) },
    )
    for (let at = 0; at < FLOW; at++) {
      circuit.seal(say(at, 'real'))
      network.node('c').exits[0]!.circuit.seal(say(at, 'back'))
      await pass(20)
    }
    circuit.count()
    await pass(200)
    const [entry, middle, last] = samples.map((each) => each.at(-1)!)
    assert.ok(circuit.shaping!.paddingSent > 100 && circuit.shaping!.paddingReceived > 100, tier)
    for (const { hop, sealed, opened } of [entry!, middle!, last!]) {
      assert.equal(hop.opened, sealed, tier)
      assert.equal(hop.sent, opened, tier)
      assert.equal(hop.droppedForward + hop.droppedBackward, 0)
    }
    assert.equal(entry!.hop.opened - entry!.hop.passed, entry!.sealedForHop)
    assert.equal(middle!.hop.opened - middle!.hop.passed, middle!.sealedForHop)
    assert.equal(last!.hop.opened - last!.hop.passed, last!.sealedForHop)
    // The question to the last hop is behind that to the middle.
    assert.equal(middle!.hop.passed + 1, last!.hop.opened)
    // What the middle sent beyond what came to it is its padding and its answers, and within what its tier lets it.
    const own = middle!.hop.sent - middle!.hop.came
    assert.ok(own > 100 && own <= middle!.padding + middle!.sealedForHop + 2, `${tier} ${own} ${middle!.padding}`)
    assert.deepEqual([entry!.padding, last!.padding], [0, 0])
  }
})

test('no tier but the known ones is taken: another ends the circuit', () => {
  for (const tier of [3, 127, 255]) {
    const { client, circuits } = handMade()
    client.send(UnitKind.control, Uint8Array.of(9, tier))
    client.run()
    assert.deepEqual([circuits.size, client.isEnded], [0, true], `${tier}`)
  }
})

test('padding to a hop that knows of no tier is dropped there, and brings nothing about', async () => {
  const { network, client, pass, circuits } = handMade()
  const before = network.delivered.length
  for (let at = 0; at < 100; at++) client.send(UnitKind.padding, new Uint8Array(0))
  client.run()
  await pass(1_000)
  assert.deepEqual([client.units, circuits.size, network.delivered.length - before], [[], 1, 100])
})

test('an entry takes no tier', () => {
  const { network, circuit } = built('abc', 'high')
  assert.equal(network.node('a').circuits.shaping.padding, 0)
  assert.equal(network.node('a').circuits.nextTimeout()! > 1_000, true)
  assert.equal(circuit.state, 'ready')
})

test('a hop that sends more padding than its tier may is left; without a tier it is dropped as anything that was not asked for', async () => {
  const flood = async (tier: Tier) => {
    const network = new FakeNetwork('ab')
    const exit = new HandMadeExit(network, 'b')
    const ends: (number | undefined)[][] = []
    const circuit = network.build('ab', { tier, onEnd: (reason, atHop) => void ends.push([reason, atHop]) })
    network.run(exit.take)
    assert.equal(circuit.state, 'ready')
    const plan = tierPlans[tier]?.middle.padding?.limits
    const honest = plan?.allowance ?? 0
    for (let at = 0; at < honest; at++) exit.send(UnitKind.padding)
    network.run(exit.take)
    assert.deepEqual([ends, circuit.shaping?.paddingReceived ?? 0], [[], honest])
    for (let at = 0; at < 2 * honest + 50; at++) exit.send(UnitKind.padding)
    network.run(exit.take)
    return { circuit, ends }
  }
  for (const tier of ['standard', 'high'] as const)
    assert.deepEqual((await flood(tier)).ends, [[CircuitReason.malformed, 1]], tier)
  const { circuit, ends } = await flood('off')
  assert.deepEqual([ends, circuit.state, circuit.dropped], [[], 'ready', 50])
})

test("padding at a session's hop has the counters of its control units, and no other", () => {
  const network = new FakeNetwork('ab')
  const exit = new HandMadeExit(network, 'b')
  const circuit = network.build('ab', { tier: 'standard' })
  network.run(exit.take)
  exit.send(UnitKind.padding, undefined, 12_345)
  network.run(exit.take)
  assert.deepEqual([circuit.dropped, circuit.shaping?.paddingReceived], [1, 0])
})

test('what is held is bounded: what finds no room leaves at once, in its order', async () => {
  const { network, circuit, exit, pass } = built('abc', 'high')
  for (let at = 0; at < 6_000; at++) assert.ok(circuit.seal(say(at, 'much')))
  network.run()
  assert.ok(network.node('b').circuits.shaping.held <= 4_096)
  for (let turns = 0; turns < 100; turns++) {
    await pass(STEP)
    // A turn passes on so many cells, as a node's does.
    for (const name of 'abc') network.node(name).circuits.queue.serve()
    network.run()
  }
  // What is left are the client's padding cells of the moment.
  assert.ok(network.node('b').circuits.shaping.held < 20)
  const numbers = exit.packets.map(([number]) => number)
  assert.deepEqual(
    numbers,
    numbers.toSorted((a, b) => a - b),
  )
  // So many at once are more than queues of nodes take, which say so.
  const dropped = ['a', 'b', 'c'].map((name) => network.node(name).circuits.drops)
  const late = dropped.reduce((sum, { queueFull, queueLate }) => sum + queueFull + queueLate, 0)
  assert.equal(numbers.length + late, 6_000)
})

test("a session's last words leave before the end of their circuit, at either side", async () => {
  const atExit = built('abc', 'high')
  atExit.exit.circuit.seal(say(1, 'last'))
  atExit.exit.circuit.destroy(CircuitReason.none)
  atExit.network.run()
  await atExit.pass(100)
  assert.deepEqual(atExit.came, ['last'])
  const atClient = built('ab', 'standard')
  atClient.circuit.seal(say(1, 'last'))
  atClient.circuit.destroy()
  assert.equal(atClient.network.queue.length, 2)
})

test('a circuit that ended leaves no timer and holds nothing, at its client and at its hops', async () => {
  const { network, circuit, pass } = built('abc', 'high')
  circuit.seal(say(1, 'real'))
  await pass(200)
  circuit.seal(say(2, 'held'))
  network.cut('C', 'a')
  network.run()
  assert.equal(circuit.state, 'closed')
  assert.equal(network.client.nextTimeout(), undefined)
  for (const name of 'abc') {
    const { circuits } = network.node(name)
    assert.deepEqual([circuits.size, circuits.shaping.held], [0, 0], name)
  }
  const before = network.delivered.length
  await pass(2_000)
  assert.equal(network.delivered.length, before)
})
