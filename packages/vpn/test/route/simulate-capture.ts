import { type Clock, type Random, seededRandom } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { ChosenRoute, ClientChoice } from '../../src/route/client-choice.ts'
import { makeMember } from './make-member.ts'
import { testChoice } from './test-choice.ts'

export interface CaptureSettings {
  readonly members: number
  /** The part of all members that is hostile, 0 to 1. */
  readonly hostile: number
  readonly legs: 1 | 2
  /** Each with guards of its own. */
  readonly clients: number
  readonly routesOfClient: number
  readonly seed: number
  /**
   * `alike`: nothing tells hostile nodes from others. `flattering`: they publish that they have no load, while that of others differs; what is measured is the same for
   * both.
   */
  readonly claims: 'alike' | 'flattering'
}

export interface Capture {
  readonly routes: number
  /** Part of routes with a hostile exit and a hostile entry of a leg in use. */
  readonly captured: number
  readonly hostileExits: number
  /** Part of entries of legs in use. */
  readonly hostileEntries: number
}

/** Members differ in ten ways, the hostile ones in the same, each way as often. */
const WAYS = 10
const COUNTRIES = ['DE', 'US', 'SG', 'AU', 'BR', 'CH', 'FR', 'GB', 'US', 'NL']
const STILL: Clock = { now: () => Date.UTC(2026, 0, 1), monotonic: () => 0, after: () => () => undefined }

/**
 * What the theory gives: exits are hostile with the part of all that is, and of as many entries as there are legs, each another node, at least one is.
 */
export function captureInTheory({
  members,
  hostile,
  legs,
}: Pick<CaptureSettings, 'members' | 'hostile' | 'legs'>): number {
  const bad = Math.round(members * hostile)
  let allGood = 1
  // The exit is one of the hostile ones: of all but it, one after the other is an honest one.
  for (let leg = 0; leg < legs; leg++) allGood *= (members - bad - leg) / (members - 1 - leg)
  return (bad / members) * (1 - allGood)
}

/** Clients of one map draw guards, and then routes over them, each anew. The choice is the client's own. */
export function simulateCapture(settings: CaptureSettings): Capture {
  const random = seededRandom(settings.seed)
  const hostile = Math.round(settings.members * settings.hostile)
  const wayOf = (index: number): number => (index < hostile ? index : index - hostile) % WAYS
  const members = Array.from({ length: settings.members }, (_, index) =>
    makeMember(index + 1, ['entry', 'relay', 'exit'], {
      country: COUNTRIES[wayOf(index)] as string,
      bandwidthMbps: 1 + ((7 * wayOf(index)) % 5),
    }),
  )
  const bad = new Set(members.slice(0, hostile).map(({ id }) => id))
  const known = members.map(({ id }, index) => ({ id, way: wayOf(index) }))
  const load = new Map(known.map(({ id, way }) => [id, settings.claims === 'flattering' && bad.has(id) ? 0 : way % 4]))
  let [captured, exits, entries] = [0, 0, 0]
  for (let client = 0; client < settings.clients; client++) {
    const choice = clientOf(random)
    choice.setMembers(members)
    choice.setLoads(load)
    for (const { id, way } of known)
      choice.learn([{ node: id, latencyMs: 10 + 10 * ((3 * way) % WAYS), health: way < WAYS / 2 ? 'green' : 'yellow' }])
    for (let route = 0; route < settings.routesOfClient; route++) {
      const legs = chooseLegs(choice, settings.legs)
      const hostileEntries = legs.filter(([entry]) => bad.has(entry)).length
      const isExitHostile = bad.has(legs[0]?.at(-1) as DidKey)
      entries += hostileEntries
      if (isExitHostile) exits++
      if (isExitHostile && hostileEntries > 0) captured++
    }
  }
  const routes = settings.clients * settings.routesOfClient
  return {
    routes,
    captured: captured / routes,
    hostileExits: exits / routes,
    hostileEntries: entries / (routes * settings.legs),
  }
}

function clientOf(random: Random): ClientChoice {
  return testChoice({ clock: STILL, random })
}

/** As engines do it: one leg, and the other beside it, to the same exit. */
function chooseLegs(choice: ClientChoice, legs: 1 | 2): [DidKey, ...DidKey[]][] {
  const idsOf = ({ hops }: ChosenRoute) => hops.map(({ id }) => id) as [DidKey, ...DidKey[]]
  const first = idsOf(choice.choose({}))
  if (legs === 1) return [first]
  return [first, idsOf(choice.choose({ beside: { exit: first.at(-1) as DidKey, legs: [first] } }))]
}
