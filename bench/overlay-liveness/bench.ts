import { LivenessSimulation, type SimulationOptions } from '../../packages/overlay/test/liveness/liveness-simulation.ts'
import type { Bench, BenchRow } from '../lib/bench-result.ts'
import { measure } from '../lib/measure.ts'

const HOUR_MS = 3_600_000
const BAD = { loss: 0.05, stallMs: 2_000, stallEveryMs: 60_000 } as const
/** Nodes that lose power one after the other in a sample of detection times. */
const CRASHES = 8
/** Of the network in which false alarms are counted, and virtual hours a sample. */
const NODES = 12
const HOURS = 5

/** Failure detection on a virtual clock: the code that ships over simulated TCP links, each sample of another seed. */
const bench: Bench = async () => {
  let seed = 0
  const rows: BenchRow[] = []
  for (const [what, options] of [
    ['50 nodes, good links', { nodes: 50 }],
    ['50 nodes, 5 % loss, stalls of 2 s', { nodes: 50, ...BAD }],
    ['12 nodes, 5 % loss, stalls of 2 s', { nodes: 12, ...BAD }],
    ['4 nodes, 5 % loss, stalls of 2 s', { nodes: 4, ...BAD }],
  ] as const) {
    const p99 = await measure(() => detection({ ...options, seed: ++seed }), { warmup: 0 })
    rows.push({ what: `failure seen by each other node, p99: ${what}`, unit: 's', ...p99, goal: 10 })
  }
  for (const [stallMs, goal] of [
    [2_000, 0.01],
    [3_000, undefined],
    [4_000, undefined],
  ] as const) {
    const options = { nodes: NODES, ...BAD, stallMs }
    const hours = goal === undefined ? HOURS / 5 : HOURS
    const alarms = await measure(() => falseAlarms({ ...options, seed: ++seed }, hours), { warmup: 0 })
    const what = `false alarms a node-hour: 5 % loss, stalls of ${stallMs / 1_000} s`
    rows.push({ what, unit: '%', ...alarms, ...(goal !== undefined && { goal }), better: 'lower' })
  }
  return {
    name: 'overlay-liveness',
    rows,
    notes: [
      `A failure is a node that loses power: nothing closes. A sample is the 99th percentile over ${CRASHES} failures and all other nodes. A node that is killed is seen at once, by its connections.`,
      `False alarms: a node that is up and held to be down or silent by any other; each such stretch counts once. ${NODES} nodes; each stands still about once a minute; a sample is ${NODES * HOURS} node-hours (${(NODES * HOURS) / 5} for the longer stalls), which cannot show a rate of 0.01 % by counting: the longer stalls show how far it is.`,
      'Links: 5 to 80 ms one way; a segment that is lost comes 200 ms later, doubling each time, and all behind it waits. A node that stood still runs its timers before it reads what came in.',
    ],
  }
}

/** s: 99th percentile of when the others saw a node as gone. */
function detection(options: SimulationOptions): number {
  const simulation = new LivenessSimulation(options)
  const times: number[] = []
  let crashedAt = 0
  const seen = new Set<number>()
  simulation.onStanding = ({ index }, { standing }, { up }) => {
    if (up || standing === 'answers' || seen.has(index)) return
    seen.add(index)
    times.push(simulation.now - crashedAt)
  }
  for (let turn = 0; turn < CRASHES; turn++) {
    simulation.run(10_000 + 777 * turn)
    crashedAt = simulation.now
    seen.clear()
    simulation.crash(turn % options.nodes)
    simulation.run(15_000)
    // Who has not seen it counts with all of that time.
    for (let unseen = seen.size; unseen < options.nodes - 1; unseen++) times.push(15_000)
    simulation.restart(turn % options.nodes)
  }
  times.sort((a, b) => a - b)
  return (times[Math.floor(times.length * 0.99)] as number) / 1_000
}

/** % a node-hour. */
function falseAlarms(options: SimulationOptions, hours: number): number {
  const simulation = new LivenessSimulation(options)
  const accusers = simulation.nodes.map(() => new Set<number>())
  let alarms = 0
  simulation.onStanding = (observer, { standing }, { index }) => {
    const those = accusers[index] as Set<number>
    if (standing === 'answers') those.delete(observer.index)
    else if (those.size === 0) alarms++
    if (standing !== 'answers') those.add(observer.index)
  }
  simulation.run(hours * HOUR_MS)
  return (100 * alarms) / (options.nodes * hours)
}

export default bench
