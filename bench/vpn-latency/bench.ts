import { seededRandom } from '@weft/core'
import { PathChooser } from '../../packages/vpn/src/route/path-chooser.ts'
import { RouteTable } from '../../packages/vpn/src/route/route-table.ts'
import type { Bench, BenchRow } from '../lib/bench-result.ts'
import { MACHINE_NOTE, machineRow } from '../lib/machine-row.ts'
import { summarise } from '../lib/summarise.ts'
import { PlacedNetwork } from './placed-network.ts'
import {
  BETWEEN_REGIONS_MS,
  CLIENT,
  FARTHEST_MS,
  NEAREST_MS,
  SERVER,
  drawPlaces,
  pathMs,
  routeMs,
  shortestMs,
} from './places.ts'

// What a route costs in time where ways are long: until it is built, and for each request over it.

const NODES = 8
const ROUNDS = 5
/** Routes of a round, each drawn anew; and of the one before all, which is not counted: it compiles. */
const ROUTES = 20
const WARMUP_ROUTES = 6
/** Round trips over each route, of a byte and of a datagram; and straight, in each round. */
const ECHOES = 4
const DIRECT_ECHOES = 20
/** ms over direct, and of a build over links that stand: 1.15 round trips of its path and 5 ms. */
const SETTINGS = [
  { name: 'within a region', regions: 1, goal: 15 },
  { name: 'across two regions', regions: 2, goal: 25 },
] as const
/** Clients of each tier that choose by themselves, in each round; how long they stand before they are asked, and round trips over each. */
const CLIENTS = 4
const TIERS = ['off', 'standard', 'high'] as const
const SETTLE_MS = 90_000
const CHOSEN_ECHOES = 20
const BUILD_TRIPS = 1.15
const BUILD_MS = 5

type Setting = (typeof SETTINGS)[number]
type Tier = (typeof TIERS)[number]

/** What one round of a setting gave. */
interface RoundFigures {
  readonly routes: readonly RouteFigures[]
  /** Of clients that choose by themselves, ms over direct: means, of each client of a tier. */
  readonly chosen: Readonly<Record<Tier, readonly { readonly byte: number; readonly datagram: number }[]>> | undefined
}

/** Of one route, ms. Links: the delays that are simulated, there and back. */
interface RouteFigures {
  readonly cold: number
  readonly warm: number
  /** To the exit and back. */
  readonly coldPing: number
  readonly warmPing: number
  readonly pingLinks: number
  readonly byte: number
  readonly datagram: number
  readonly directByte: number
  readonly directDatagram: number
  /** The middle one, in which a machine that was busy for a while does not show. */
  readonly datagramP50: number
  readonly directDatagramP50: number
  readonly links: number
  readonly directLinks: number
  /** Of the shortest route there is. */
  readonly shortestLinks: number
}

const bench: Bench = async () => {
  const rounds = new Map<Setting, RoundFigures[]>(SETTINGS.map((setting) => [setting, []]))
  await using network = await PlacedNetwork.up(NODES)
  for (let round = 0; round <= ROUNDS; round++)
    for (const setting of SETTINGS) {
      console.error(`bench: ${setting.name}, ${round === 0 ? 'warming up' : `round ${round} of ${ROUNDS}`}`)
      const figures = await measureRound(network, setting, round)
      if (round > 0) rounds.get(setting)?.push(figures)
    }
  const rows: BenchRow[] = []
  for (const setting of SETTINGS) rows.push(...rowsOf(setting, rounds.get(setting) ?? []))
  rows.push(await machineRow())
  return {
    name: 'vpn-latency',
    rows,
    notes: [
      `Client, server and ${NODES} nodes, each in a network namespace and a process of its own; between them a process that carries IP packets over TUN interfaces and delays each by what its two ends are apart. All share two cores. Nothing is lost, and no line is limited.`,
      `Simulated geography: places are points on a plane, and the straight line between two of them is the delay one way. Those of a region lie anywhere in a circle, ${NEAREST_MS} to ${FARTHEST_MS} ms from each other; the middles of two regions are ${BETWEEN_REGIONS_MS} ms apart, the client in one, the server in the other, half of the nodes in each. Every round draws other places from a seed, and ${ROUTES} routes among the nodes as a client does that has measured nothing yet, by country alone and from any entry; a sample is a figure of those ${ROUTES}.`,
      `As clients choose: ${CLIENTS} of each tier, each with guards of its own, know all ${NODES} nodes and nothing of where they are but the country. They have had routes for ${SETTLE_MS / 1_000} s when they are asked, ${CHOSEN_ECHOES} round trips each: two legs and a spare to one exit, and two routes to others, of which the nearer is taken. A sample is the mean over the clients of a round.`,
      `Added: the mean of the round trips over all routes, ${ECHOES} each, one after the other over a connection that stands, less the same straight from client to server, where ${DIRECT_ECHOES} are made in each round. "Links alone" is what the delays of the same routes come to, and of the shortest route that these places have; "beyond its links" is what processors, queues and the link's own process add: the p50 of the rest over the routes.`,
      `Build: a circuit of three hops, from the call that begins it to its being ready at the client, of links, circuits and a UDP port put together as the engine has them, by itself. Without links: all nodes have been started anew, so that the link to the entry and those between nodes are made on the way; then once more over the same route, where they stand. The onion keys are new, so that early keys are taken from the start; elsewhere a node takes them 96 s after its own. A round trip of the path is the client's ping to the exit over the circuit that was built, the p50 of three. p50 and p95 are of ${ROUTES} routes.`,
      MACHINE_NOTE,
    ],
  }
}

/** Measures routes in turn, and clients that choose theirs, over other places in each round. */
async function measureRound(network: PlacedNetwork, setting: Setting, round: number): Promise<RoundFigures> {
  const random = seededRandom(10 * round + setting.regions)
  const places = drawPlaces(NODES, setting.regions, random)
  await network.place(places)
  const figures: RouteFigures[] = []
  const chooser = new PathChooser(new RouteTable(network.members))
  const direct = await network.echo(undefined, DIRECT_ECHOES)
  for (let count = 0; count < (round === 0 ? WARMUP_ROUTES : ROUTES); count++) {
    const route = chooser.choose({}, random).hops.map(({ member }) => member)
    const at = route.map((member) => network.placeOf(member))
    const over = await network.echo(route, ECHOES)
    const { cold, warm } = await network.build(route)
    figures.push({
      cold: cold.build,
      warm: warm.build,
      coldPing: percentile(cold.pings, 0.5),
      warmPing: percentile(warm.pings, 0.5),
      pingLinks: 2 * routeMs(places, at),
      byte: mean(over.bytes),
      datagram: mean(over.datagrams),
      directByte: mean(direct.bytes),
      directDatagram: mean(direct.datagrams),
      datagramP50: percentile(over.datagrams, 0.5),
      directDatagramP50: percentile(direct.datagrams, 0.5),
      links: 2 * pathMs(places, at),
      directLinks: 2 * (places.delays[CLIENT]?.[SERVER] ?? Number.NaN),
      shortestLinks: 2 * shortestMs(places),
    })
  }
  if (round === 0) return { routes: figures, chosen: undefined }
  const tiers = TIERS.flatMap((tier) => Array.from({ length: CLIENTS }, () => tier))
  const said = await network.echoChosen(tiers, SETTLE_MS, CHOSEN_ECHOES)
  const of = (tier: Tier) =>
    said
      .filter((_, at) => tiers[at] === tier)
      .map(({ bytes, datagrams }) => ({
        byte: mean(bytes) - mean(direct.bytes),
        datagram: mean(datagrams) - mean(direct.datagrams),
      }))
  return { routes: figures, chosen: { off: of('off'), standard: of('standard'), high: of('high') } }
}

function rowsOf({ name, goal }: Setting, rounds: readonly RoundFigures[]): BenchRow[] {
  const row = (
    what: string,
    pick: (figures: RouteFigures) => number,
    sum: (all: readonly number[]) => number,
    more: Partial<BenchRow> = {},
  ): BenchRow => ({
    what: `${name}: ${what}`,
    unit: 'ms',
    ...summarise(rounds.map(({ routes }) => sum(routes.map(pick)))),
    ...more,
  })
  const chosenRow = (tier: Tier, what: 'byte' | 'datagram'): BenchRow => ({
    what: `${name}: ${what === 'byte' ? 'a byte over TCP' : 'a datagram'}, there and back, \`${tier}\`, added, as clients choose`,
    unit: 'ms',
    ...summarise(
      rounds.flatMap(({ chosen }) => (chosen === undefined ? [] : [mean(chosen[tier].map((of) => of[what]))])),
    ),
    ...(tier === 'off' ? { goal } : {}),
  })
  const p50 = (all: readonly number[]): number => percentile(all, 0.5)
  const p95 = (all: readonly number[]): number => percentile(all, 0.95)
  const trips = { unit: '×' }
  const beyond = `less ${BUILD_TRIPS} round trips of its path`
  return [
    ...TIERS.flatMap((tier) => [chosenRow(tier, 'byte'), chosenRow(tier, 'datagram')]),
    row('a byte over TCP, there and back, `off`, added, over routes at random', (of) => of.byte - of.directByte, mean),
    row('a datagram, there and back, `off`, added, over the same', (of) => of.datagram - of.directDatagram, mean),
    row('added by the links of these routes alone', (of) => of.links - of.directLinks, mean),
    row('added by the links of the shortest route alone', (of) => of.shortestLinks - of.directLinks, mean),
    row('a datagram over a route, beyond its links', (of) => of.datagramP50 - of.links, p50),
    row('a datagram straight', (of) => of.directDatagram, mean),
    row('a datagram straight, beyond its link', (of) => of.directDatagramP50 - of.directLinks, p50),
    row('build over links that stand, p50', (of) => of.warm, p50),
    row('build over links that stand, p95', (of) => of.warm, p95),
    row('build over links that stand, in round trips of its path, p50', (of) => of.warm / of.warmPing, p50, trips),
    row(`build over links that stand, ${beyond}, p50`, (of) => of.warm - BUILD_TRIPS * of.warmPing, p50, {
      goal: BUILD_MS,
    }),
    row(`build over links that stand, ${beyond}, p95`, (of) => of.warm - BUILD_TRIPS * of.warmPing, p95),
    row('build without links, p50', (of) => of.cold, p50),
    row('build without links, p95', (of) => of.cold, p95),
    row('build without links, in round trips of its path, p50', (of) => of.cold / of.coldPing, p50, trips),
    row('a round trip to the exit, p50', (of) => of.warmPing, p50),
    row('a round trip to the exit, beyond its links', (of) => of.warmPing - of.pingLinks, p50),
  ]
}

function mean(all: readonly number[]): number {
  return all.reduce((sum, each) => sum + each, 0) / all.length
}

function percentile(all: readonly number[], part: number): number {
  return all.toSorted((a, b) => a - b)[Math.ceil(part * all.length) - 1] ?? Number.NaN
}

export default bench
