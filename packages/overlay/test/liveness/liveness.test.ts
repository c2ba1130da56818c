import assert from 'node:assert/strict'
import { test } from 'node:test'
import { liars } from './liars.ts'
import { LivenessSimulation, type SimulationOptions } from './liveness-simulation.ts'

/** Each node stands still for 2 s about once a minute, and links lose one segment in twenty. */
const BAD = { loss: 0.05, stallMs: 2_000, stallEveryMs: 60_000 } as const
/** What takes minutes is run with the long forms, at more seeds, sizes and hours. */
const LONG = process.env['WEFT_LONG'] !== undefined
const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index)

/** Does something to some nodes and tells after how many ms each other node saw them as gone. */
function detections(
  options: SimulationOptions,
  act: (simulation: LivenessSimulation) => readonly number[],
  ms = 20_000,
): { readonly times: readonly number[]; readonly pairs: number; readonly simulation: LivenessSimulation } {
  const simulation = new LivenessSimulation(options)
  simulation.run(10_000)
  const gone = act(simulation)
  const began = simulation.now
  const seen = new Map<string, number>()
  simulation.onStanding = (observer, { standing }, accused) => {
    if (standing === 'answers' || !gone.includes(accused.index) || gone.includes(observer.index)) return
    const pair = `${observer.index} ${accused.index}`
    if (!seen.has(pair)) seen.set(pair, simulation.now - began)
  }
  simulation.run(ms)
  const pairs = gone.length * (options.nodes - gone.length)
  return { times: [...seen.values()].toSorted((a, b) => a - b), pairs, simulation }
}

function quantile(times: readonly number[], part: number): number {
  return times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? Number.NaN
}

test('a node that loses power is seen by everybody within 10 s, in networks of all sizes', () => {
  for (const nodes of LONG ? [2, 3, 4, 7, 12, 50, 64] : [2, 3, 4, 12, 30]) {
    const { times, pairs, simulation } = detections({ nodes, seed: nodes }, (at) => (at.crash(0), [0]))
    assert.equal(times.length, pairs, `${nodes} nodes: everybody sees it`)
    assert.ok(quantile(times, 1) < 10_000, `${nodes} nodes: ${quantile(times, 1)} ms`)
    assert.deepEqual(simulation.alarms, [])
  }
})

test('over bad links, and among nodes that stand still for 2 s, p99 is below 10 s and nobody else is suspected', () => {
  const times: number[] = []
  for (const seed of range(LONG ? 20 : 2)) {
    const one = detections({ nodes: 20, seed, ...BAD }, (at) => (at.crash(3), [3]))
    assert.equal(one.times.length, one.pairs)
    assert.deepEqual(one.simulation.alarms, [], `seed ${seed}`)
    times.push(...one.times)
  }
  times.sort((a, b) => a - b)
  assert.ok(quantile(times, 0.99) < 10_000, `${quantile(times, 0.99)} ms`)
})

test('hours of bad links and stalls: no false alarm', () => {
  const simulation = new LivenessSimulation({ nodes: 12, seed: 5, ...BAD })
  simulation.run((LONG ? 300 : 15) * 60_000)
  assert.deepEqual(simulation.alarms, [])
  assert.ok(simulation.count.asks > 100, 'there was something to doubt')
})

test('nodes that stand still for 3 s, one after the other, are not taken for dead', () => {
  const simulation = new LivenessSimulation({ nodes: 12, seed: 13 })
  simulation.run(10_000)
  for (const turn of range(LONG ? 36 : 12)) {
    simulation.stall(turn % 12, 3_000)
    simulation.run(5_000)
  }
  assert.deepEqual(simulation.alarms, [])
})

test('a node that stands still for 12 s is seen, and does not take its own stand-still for the silence of others', () => {
  const simulation = new LivenessSimulation({ nodes: 12, seed: 6 })
  simulation.run(10_000)
  simulation.stall(4, 12_000)
  simulation.run(20_000)
  assert.ok(simulation.alarms.length > 5 && simulation.alarms.every(({ accused }) => accused === 4))
  for (const node of simulation.nodes) {
    for (const other of simulation.nodes) {
      if (other !== node) assert.equal(node.liveness.standing(other.id), 'answers', 'and forgotten with its answers')
    }
  }
})

test('half of the network at once: those that are left see it', () => {
  const half = range(10)
  const { times, pairs, simulation } = detections({ nodes: 20, seed: 1 }, (at) => {
    for (const index of half) at.crash(index)
    return half
  })
  assert.equal(times.length, pairs)
  assert.ok(quantile(times, 0.99) < 10_000, `${quantile(times, 0.99)} ms`)
  assert.ok(simulation.alarms.every(({ observer }) => observer < 10))
})

test('a partition: each side sees the other as gone, and finds it again', () => {
  const few = range(8)
  const { times, simulation } = detections({ nodes: 20, seed: 2 }, (at) => (at.part(few), few))
  assert.equal(times.length, 96)
  assert.ok(quantile(times, 0.99) < 10_000, `${quantile(times, 0.99)} ms`)
  simulation.part()
  simulation.run(60_000)
  for (const node of simulation.nodes) {
    for (const other of simulation.nodes) {
      if (other !== node) assert.equal(node.liveness.standing(other.id), 'answers')
    }
    assert.equal(node.liveness.down.size, 0)
  }
})

test('a node that is cut off alone holds nobody to be down: nobody confirms it', () => {
  const simulation = new LivenessSimulation({ nodes: 20, seed: 3 })
  simulation.run(10_000)
  simulation.part([0])
  simulation.run(120_000)
  assert.equal(simulation.nodes[0]?.liveness.down.size, 0)
  assert.equal(simulation.nodes[0]?.liveness.standing(simulation.nodes[1]?.id as never), 'silent')
  assert.ok(simulation.nodes.slice(1).every(({ liveness }) => liveness.down.has(simulation.nodes[0]?.id as never)))
})

test('more nodes than are neighbours of each, with 64 of them', () => {
  const count = LONG ? 200 : 100
  const around = (index: number): number[] =>
    range(64).map((step) => (index + (step < 32 ? step + 1 : 31 - step) + count) % count)
  const { times, simulation } = detections(
    { nodes: count, seed: 4, mode: 'sparse', neighbours: around },
    (at) => (at.crash(5), [5]),
    12_000,
  )
  assert.equal(times.length, 64)
  assert.ok(quantile(times, 1) < 10_000, `${quantile(times, 1)} ms`)
  assert.deepEqual(simulation.alarms, [])
})

test('a quarter of liars has no honest node called down, over bad links and stalls', () => {
  const simulation = new LivenessSimulation({ nodes: 12, seed: 7, ...BAD })
  const hostile = new Set(range(3))
  liars(simulation, hostile, { accuse: true })
  simulation.run(LONG ? 600_000 : 30_000)
  const honest = simulation.alarms.filter(({ observer, accused }) => !hostile.has(observer) && !hostile.has(accused))
  assert.deepEqual(honest, [])
  assert.ok(simulation.count.lies > 1_000, 'they did lie')
  for (const { index, liveness } of simulation.nodes) {
    if (!hostile.has(index)) assert.ok(liveness.health <= 2, `node ${index} is not made deaf by accusations`)
  }
})

test('a quarter of liars keeps nobody alive: they vouch for it, replay what it signed and blame others', () => {
  const hostile = new Set(range(3))
  const { times, pairs } = detections({ nodes: 12, seed: 8 }, (at) => {
    liars(at, hostile, { accuse: true, vouchFor: 9 })
    at.run(10_000)
    at.crash(9)
    return [9]
  })
  const honest = times.length - hostile.size
  assert.ok(honest >= pairs - hostile.size, `${times.length} of ${pairs}`)
  assert.ok(quantile(times, 1) < 10_000, `${quantile(times, 1)} ms`)
})

test('one operator with half of the nodes cannot have a node called down over a link that broke', () => {
  const simulation = new LivenessSimulation({
    nodes: 14,
    seed: 9,
    familyOf: (index) => (index < 7 ? 'one' : `f${index}`),
  })
  const hostile = new Set(range(7))
  liars(simulation, hostile, { accuse: true })
  simulation.run(10_000)
  // The link between two honest nodes breaks; everybody else reaches both.
  simulation.cut(12, 13)
  simulation.run(30_000)
  const [a, b] = [simulation.nodes[12], simulation.nodes[13]]
  assert.equal(a?.liveness.standing(b?.id as never), 'silent')
  assert.equal(a?.liveness.down.size, 0)
})

test('the same seed gives the same course of events', () => {
  const course = (): string => {
    const simulation = new LivenessSimulation({ nodes: 8, seed: 11, ...BAD })
    const lines: string[] = []
    simulation.onStanding = ({ index }, { standing, observers }, accused) =>
      lines.push(`${simulation.now} ${index} ${accused.index} ${standing} ${observers}`)
    simulation.run(60_000)
    simulation.kill(2)
    simulation.run(60_000)
    return [...lines, JSON.stringify(simulation.count)].join('\n')
  }
  assert.equal(course(), course())
})
