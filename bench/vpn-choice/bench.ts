import { systemClock, systemRandom } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import { DEFAULT_ROUTE_PROFILE } from '../../packages/vpn/src/profile/route-profile.ts'
import { ClientChoice, type RouteWishes } from '../../packages/vpn/src/route/client-choice.ts'
import { PathChooser } from '../../packages/vpn/src/route/path-chooser.ts'
import type { RouteMeasures } from '../../packages/vpn/src/route/route-measures.ts'
import type { RouteMember } from '../../packages/vpn/src/route/route-member.ts'
import { RouteTable } from '../../packages/vpn/src/route/route-table.ts'
import { makeMember } from '../../packages/vpn/test/route/make-member.ts'
import { captureInTheory, simulateCapture } from '../../packages/vpn/test/route/simulate-capture.ts'
import type { Bench, BenchRow } from '../lib/bench-result.ts'
import { MACHINE_NOTE, machineRow } from '../lib/machine-row.ts'
import { measure } from '../lib/measure.ts'
import { summarise } from '../lib/summarise.ts'

// What hostile nodes get of the routes that clients choose, and how long a choice takes.

const SAMPLES = 5
const HOSTILE = 0.1
const MEMBERS = 200
/** Of each sample: 80,000 routes. capture.long.test.ts draws 1,000,000 at once. */
const CLIENTS = 4_000
const ROUTES_OF_CLIENT = 20
/** Times the theory. */
const MOST_CAPTURE = 1.1

const SIZES = [100, 1_000, 10_000] as const
const CHOICES = 300
/** µs, of a choice among 10,000 members. */
const MOST_MICROSECONDS = 1_000
const COUNTRIES = ['DE', 'US', 'SG', 'AU', 'BR', 'CH', 'FR', 'GB']

const bench: Bench = async () => {
  const rows = ([1, 2] as const).flatMap((legs) => captureRows(legs))
  for (const size of SIZES) rows.push(...(await costRows(size)))
  rows.push(await machineRow())
  return {
    name: 'vpn-choice',
    rows,
    notes: [
      `Capture: the part of routes with a hostile exit and a hostile entry of a leg in use, where a tenth of ${MEMBERS} members is hostile. All are entry, relay and exit, of families, networks and AS of their own. A sample is ${CLIENTS} clients who draw guards of their own and then ${ROUTES_OF_CLIENT} routes each, from a seed, as the daemon does: a leg, and with two the other beside it. Health, latency, capacity and load differ among members in ten ways; hostile ones do in the same. Theory: each exit is as likely as any other, and so is each of as many entries, all different, as there are legs in use.`,
      '"Saying that they have no load": the same, but the hostile ones publish that they have none, while of ten others three publish step 0, three step 1, two step 2 and two step 3. Entries are not weighed, so what they gain is gained at the exit.',
      'A choice: µs on one thread, of a leg with what weft vpn route --why tells of it. Load and capacity are known of each member, health and latency of as many as a client keeps (4,096); all are entry, relay and exit. What is made once for each map, and whenever measures changed, stands apart.',
      MACHINE_NOTE,
    ],
  }
}

function captureRows(legs: 1 | 2): BenchRow[] {
  const settings = { members: MEMBERS, hostile: HOSTILE, legs, clients: CLIENTS, routesOfClient: ROUTES_OF_CLIENT }
  const theory = captureInTheory(settings)
  const name = legs === 1 ? 'one leg' : 'two legs'
  console.error(`bench: capture, ${name}`)
  const parts = (claims: 'alike' | 'flattering'): number[] =>
    Array.from({ length: SAMPLES }, (_, seed) => simulateCapture({ ...settings, claims, seed: seed + 1 }).captured)
  const alike = parts('alike')
  const flattering = parts('flattering')
  const row = (what: string, unit: string, figures: readonly number[], goal?: number): BenchRow => ({
    what: `${name}: ${what}`,
    unit,
    ...summarise(figures),
    better: 'lower',
    ...(goal === undefined ? {} : { goal }),
  })
  const percent = (figures: readonly number[]): number[] => figures.map((part) => 100 * part)
  const timesTheory = (figures: readonly number[]): number[] => figures.map((part) => part / theory)
  return [
    row('captured by a tenth of hostile nodes', '%', percent(alike)),
    row('captured in theory', '%', percent(alike.map(() => theory))),
    row('captured, to the theory', '×', timesTheory(alike), MOST_CAPTURE),
    row('captured by nodes saying that they have no load, to the theory', '×', timesTheory(flattering)),
  ]
}

async function costRows(size: number): Promise<BenchRow[]> {
  console.error(`bench: choices among ${size}`)
  const members = Array.from({ length: size }, (_, index) =>
    makeMember(index + 1, ['entry', 'relay', 'exit'], {
      country: COUNTRIES[index % COUNTRIES.length] as string,
      bandwidthMbps: 1 + (index % 7),
    }),
  )
  const choice = clientAmong(members)
  const first = choice.choose({}).hops
  const beside = { exit: first.at(-1)?.id as DidKey, legs: [first.map(({ id }) => id)] }
  const leg = async (what: string, wishes: RouteWishes): Promise<BenchRow> => ({
    what: `${size.toLocaleString('en')} members: ${what}`,
    unit: 'µs',
    ...(await measure(() => {
      const started = performance.now()
      for (let count = 0; count < CHOICES; count++) choice.choose(wishes)
      return ((performance.now() - started) / CHOICES) * 1_000
    })),
    ...(size === SIZES.at(-1) ? { goal: MOST_MICROSECONDS } : {}),
  })
  const once = async (what: string, make: () => unknown): Promise<BenchRow> => ({
    what: `${size.toLocaleString('en')} members: ${what}`,
    unit: 'ms',
    ...(await measure(() => {
      const started = performance.now()
      make()
      return performance.now() - started
    })),
  })
  const measures = measuresOf(members)
  const table = new RouteTable(members)
  return [
    await leg('one leg from a guard, with its reasons', {}),
    await leg('one more leg to the same exit, with its reasons', { beside }),
    await once('the table of a map', () => new RouteTable(members)),
    await once('weights, when measures changed', () => new PathChooser(table, measures)),
    await once('what is told of one leg when it is asked for', () => choice.describe(first, { named: 10 })),
  ]
}

/** A client that knows the load and capacity of all members, and measured as many as it keeps. */
function clientAmong(members: readonly RouteMember[]): ClientChoice {
  const choice = new ClientChoice({
    self: makeMember(60_000, []).id,
    clock: systemClock,
    random: systemRandom,
    guards: undefined,
    profile: DEFAULT_ROUTE_PROFILE,
    keepGuards: () => {},
  })
  choice.setMembers(members)
  const { load, latencyMs } = measuresOf(members)
  choice.setLoads(load)
  for (const [node, ms] of latencyMs) choice.learn([{ node, latencyMs: ms, health: ms % 2 === 0 ? 'green' : 'yellow' }])
  return choice
}

function measuresOf(members: readonly RouteMember[]) {
  const each = (of: (index: number) => number): ReadonlyMap<DidKey, number> =>
    new Map(members.map(({ id }, index) => [id, of(index)]))
  return {
    health: each((index) => 1 - (index % 10) / 20),
    load: each((index) => index % 5),
    capacity: each((index) => 1 + (index % 7)),
    latencyMs: each((index) => 10 + (index % 200)),
  } satisfies RouteMeasures
}

export default bench
