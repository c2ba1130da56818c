import { BenchDevnet, type DevnetUp, weft } from '../lib/bench-devnet.ts'
import type { Bench, BenchRow } from '../lib/bench-result.ts'
import { clientConnected } from '../lib/client-connected.ts'
import { MACHINE_NOTE, machineRow } from '../lib/machine-row.ts'
import { summarise } from '../lib/summarise.ts'
import { FLOWS, type FlowName, FlowTargets, HeldFlows } from './held-flows.ts'

// How long what is under way stalls when the entry or the relay of a leg that carries is killed, beside the stalls of quiet times.

const BASE_PORT = 29_000
const KILLS = 40
const GOAL_MS = 300
/** ms from a kill on in which the longest stall is looked for; and of the quiet times before. */
const WATCH_MS = 3_000
const PATIENCE_MS = 60_000

interface Route {
  readonly legs: readonly {
    readonly state: string
    readonly hops: readonly { readonly node: string }[]
  }[]
}

type Stalls = Readonly<Record<FlowName, number>>

const bench: Bench = async () => {
  await using devnet = new BenchDevnet(BASE_PORT)
  await devnet.up()
  await clientConnected(devnet.client)
  using targets = await FlowTargets.listen()
  using flows = await HeldFlows.open(BASE_PORT + 1, targets)
  const quiet: Stalls[] = []
  const killed: Stalls[] = []
  for (let round = 0; round < KILLS; round++) {
    await untilWhole(devnet)
    quiet.push(await watched(flows, () => {}))
    const node = await hopOf(devnet, round % 2)
    killed.push(await watched(flows, () => void process.kill(node.pid, 'SIGKILL')))
    console.error(`bench: ${round + 1} of ${KILLS}: ${JSON.stringify(killed.at(-1))}`)
    await weft(['devnet', 'restart', node.name, '--dir', devnet.network])
  }
  const rows: BenchRow[] = FLOWS.flatMap((name) => {
    const of = (stalls: readonly Stalls[]): number[] => stalls.map((stall) => stall[name])
    return [
      { what: `${name}: stall at a kill, median`, unit: 'ms', ...summarise(of(killed)) },
      { what: `${name}: stall at a kill, p95`, unit: 'ms', ...summarise(blocksP95(of(killed))), goal: GOAL_MS },
      { what: `${name}: longest stall of a quiet time, median`, unit: 'ms', ...summarise(of(quiet)) },
    ]
  })
  const resets = flows.faults.length
  rows.push({
    what: `connections reset by ${KILLS} kills`,
    unit: 'resets',
    median: resets,
    min: resets,
    max: resets,
    samples: KILLS,
    goal: 0,
  })
  rows.push(await machineRow())
  return {
    name: 'vpn-failover',
    rows,
    notes: [
      `A download at 5 MB/s, a key each 20 ms that is echoed, and a call of a packet each 20 ms, all over one proxy, while the entry and the relay of a leg that carries are killed in turn (SIGKILL), ${KILLS} times; each is started again before the next. The stall is the longest time within ${WATCH_MS / 1_000} s of the kill in which nothing of a flow came. p95: the median over five blocks of kills of each block's 95th percentile.`,
      `Twelve nodes, client, and targets share two cores: a quiet time shows what these take by themselves.`,
      MACHINE_NOTE,
    ],
  }
}

/** Stalls within the time behind `begin`. */
async function watched(flows: HeldFlows, begin: () => void): Promise<Stalls> {
  flows.takeStalls()
  begin()
  await new Promise((done) => setTimeout(done, WATCH_MS))
  return flows.takeStalls()
}

const BLOCKS = 5

function blocksP95(samples: readonly number[]): number[] {
  return Array.from({ length: BLOCKS }, (_, block) => {
    const sorted = samples.filter((_sample, at) => at % BLOCKS === block).toSorted((a, b) => a - b)
    return sorted[Math.min(sorted.length - 1, Math.ceil(0.95 * sorted.length) - 1)] ?? Number.NaN
  })
}

async function route(devnet: BenchDevnet): Promise<Route> {
  return JSON.parse((await weft(['vpn', 'route', '--json'], devnet.client)).text) as Route
}

/** Until two legs carry and one stands ready beside them. */
async function untilWhole(devnet: BenchDevnet): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS
  for (;;) {
    const { legs } = await route(devnet)
    const exit = legs[0]?.hops.at(-1)?.node
    const ready = legs.filter(({ state, hops }) => state === 'spare' && hops.at(-1)?.node === exit)
    if (legs.filter(({ state }) => state === 'active').length === 2 && ready.length > 0) return
    if (performance.now() > deadline) throw new Error(`the route is not whole: ${JSON.stringify(legs)}`)
  }
}

async function hopOf(devnet: BenchDevnet, at: number): Promise<DevnetUp['nodes'][number]> {
  const { legs } = await route(devnet)
  const { text } = await weft(['devnet', 'status', '--dir', devnet.network, '--json'])
  const node = (JSON.parse(text) as DevnetUp).nodes.find(({ id }) => id === legs[0]?.hops[at]?.node)
  if (node === undefined) throw new Error('no leg carries')
  return node
}

export default bench
