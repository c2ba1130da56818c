import { LivenessSimulation, type SimulationOptions } from '../../packages/overlay/test/liveness/liveness-simulation.ts'
import type { Bench, BenchRow } from '../lib/bench-result.ts'
import { measure } from '../lib/measure.ts'
import { poissonBound } from '../lib/poisson-bound.ts'
import { summarise } from '../lib/summarise.ts'

const HOUR_MS = 3_600_000
const BAD = { loss: 0.05, stallMs: 2_000, stallEveryMs: 60_000 } as const
/** Nodes that lose power one after the other in a sample of detection times. */
const CRASHES = 8
/** Of the network in which false alarms are counted, and virtual hours a sample; with `--long` the 30,000 node-hours that the goal takes, some forty minutes of a core. */
const NODES = 12
const HOURS = process.env['WEFT_LONG'] === undefined ? 5 : 500
const HOURS_OF_LONG_STALLS = 1
const SAMPLES = 5
const GOAL = 0.01

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
  const counted = alarms(2_000, HOURS)
  rows.push({ ...alarmRow(2_000, HOURS, counted), better: 'lower' })
  const nodeHours = counted.length * NODES * HOURS
  const bound = (100 * poissonBound(counted.reduce((sum, seen) => sum + seen, 0))) / nodeHours
  rows.push({
    what: `the same, at most (95 %) after ${nodeHours.toLocaleString('en')} node-hours`,
    unit: '%',
    median: bound,
    min: bound,
    max: bound,
    samples: counted.length,
    goal: GOAL,
    better: 'lower',
  })
  for (const stallMs of [3_000, 4_000]) {
    rows.push(alarmRow(stallMs, HOURS_OF_LONG_STALLS, alarms(stallMs, HOURS_OF_LONG_STALLS)))
  }
  return {
    name: 'overlay-liveness',
    rows,
    notes: [
      `A failure is a node that loses power: nothing closes. A sample is the 99th percentile over ${CRASHES} failures and all other nodes. A node that is killed is seen at once, by its connections.`,
      `False alarms: a node that is up and held to be down or silent by any other; each such stretch counts once. ${NODES} nodes; each stands still about once a minute; a sample is ${NODES * HOURS} node-hours (${NODES * HOURS_OF_LONG_STALLS} for the longer stalls). A rate of 0.01 % is shown by 30,000 node-hours without an alarm; where the bound misses the goal the time was too short, and the longer stalls show how far the rate is. \`--long\` plays ${(NODES * 500 * SAMPLES).toLocaleString('en')} node-hours in some forty minutes of a core.`,
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

/** False alarms in each sample of so many virtual hours. */
function alarms(stallMs: number, hours: number): readonly number[] {
  return Array.from({ length: SAMPLES }, (_, at) =>
    countAlarms({ nodes: NODES, ...BAD, stallMs, seed: stallMs + at }, hours),
  )
}

function alarmRow(stallMs: number, hours: number, counts: readonly number[]): BenchRow {
  const rates = counts.map((count) => (100 * count) / (NODES * hours))
  const what = `false alarms a node-hour: 5 % loss, stalls of ${stallMs / 1_000} s`
  return { what, unit: '%', ...summarise(rates) }
}

function countAlarms(options: SimulationOptions, hours: number): number {
  const simulation = new LivenessSimulation(options)
  const accusers = simulation.nodes.map(() => new Set<number>())
  let count = 0
  simulation.onStanding = (observer, { standing }, { index }) => {
    const those = accusers[index] as Set<number>
    if (standing === 'answers') those.delete(observer.index)
    else if (those.size === 0) count++
    if (standing !== 'answers') those.add(observer.index)
  }
  simulation.run(hours * HOUR_MS)
  return count
}

export default bench
