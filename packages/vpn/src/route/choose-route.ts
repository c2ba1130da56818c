import { type Random, WeftError } from '@weft/core'
import { type DidKey, shortId } from '@weft/crypto'
import type { HopRole } from '../vpn.ts'
import type { RouteMember } from './route-member.ts'

export interface RouteWishes {
  /** Nodes that are never taken: this node itself. */
  readonly never: ReadonlySet<DidKey>
  /** Nodes of other legs: left out where there are others. */
  readonly busy: ReadonlySet<DidKey>
  /** Nodes that failed lately, the latest last: taken again only where there are no others, the earliest first. */
  readonly failed: readonly DidKey[]
  /** Where the route leads: out of the network, by default, or to a service of a member, to which relays lead as well. */
  readonly end?: 'exit' | 'service'
  /** Nodes that are taken as the entry only where no route begins at another, be that one busy or failed. */
  readonly notEntry?: ReadonlySet<DidKey>
  /** Nodes that are taken as the entry only where all others are of `notEntry`; then they are as any others. */
  readonly unlikelyEntry?: ReadonlySet<DidKey>
}

/** From the client outwards. */
const POSITIONS: readonly HopRole[] = ['entry', 'relay', 'exit']

/** A reason for which a candidate cannot stand beside those that are chosen; undefined when it can. */
function conflictWith(candidate: RouteMember, chosen: readonly RouteMember[]): string | undefined {
  for (const other of chosen) {
    if (other.id === candidate.id) return 'already in the route'
    if (other.family !== '' && other.family === candidate.family) return `same family as …${shortId(other.id)}`
    if (other.prefix === candidate.prefix) return `same network as …${shortId(other.id)}`
    if (other.asn !== 0 && other.asn === candidate.asn) return `same AS as …${shortId(other.id)}`
  }
  return undefined
}

/**
 * Weight of a node for a position: a scarce role's nodes are spared elsewhere, as Tor spares its exits (Tor directory
 * specification, "bandwidth weights", with all bandwidths alike): an exit serves as anything else only if it must.
 */
function weightOf(member: RouteMember, position: HopRole): number {
  if (position !== 'exit' && member.roles.includes('exit')) return 0.1
  return 1
}

/**
 * Chooses distinct nodes for a route, at random by weight: no two of one family, one /16 (/32) or one AS. The scarcest
 * position, the exit, is drawn first; nodes of other legs serve when nobody else can, and those that failed lately when not even they can.
 * @returns from the entry to the exit
 * @throws WeftError E_NO_EXIT, E_NO_RELAY, E_NO_ENTRY, with why each candidate fell out in `details`
 */
export function chooseRoute(members: readonly RouteMember[], wishes: RouteWishes, random: Random): RouteMember[] {
  const { notEntry = NOBODY_SPARED, unlikelyEntry = NOBODY_SPARED } = wishes
  if (unlikelyEntry.size > 0) {
    try {
      return chooseAmong(members, { ...wishes, notEntry: notEntry.union(unlikelyEntry) }, true, random)
    } catch (error) {
      if (!(error instanceof WeftError)) throw error
    }
  }
  if (notEntry.size === 0) return chooseAmong(members, wishes, false, random)
  try {
    // Another leg's entry, or one that failed, comes before one that is named.
    return chooseAmong(members, wishes, true, random)
  } catch (error) {
    if (!(error instanceof WeftError)) throw error
    return chooseAmong(members, wishes, false, random)
  }
}

/** @param strict those of `notEntry` are no entries. */
function chooseAmong(
  members: readonly RouteMember[],
  wishes: RouteWishes,
  strict: boolean,
  random: Random,
): RouteMember[] {
  const usable = members.filter(({ id }) => !wishes.never.has(id))
  let failure: WeftError | undefined
  // With every round one more of those that failed may serve: it may have been mended, or have been blamed for another.
  for (let readmitted = 0; readmitted <= wishes.failed.length; readmitted++) {
    const failed = new Set(wishes.failed.slice(readmitted))
    const working = usable.filter(({ id }) => !failed.has(id))
    const idle = working.filter(({ id }) => !wishes.busy.has(id))
    // Without those of other legs; with as few of them as a draw needs; with any.
    const ways = [
      [idle, NOBODY_SPARED],
      [working, wishes.busy],
      [working, NOBODY_SPARED],
    ] as const
    for (const [candidates, spared] of ways) {
      try {
        return draw(candidates, spared, wishes, strict, random)
      } catch (error) {
        if (!(error instanceof WeftError)) throw error
        failure = error
      }
    }
  }
  throw failure as WeftError
}

/** Tries again with other draws when an early choice leaves no candidate for a later position. */
const TRIES = 16

const NOBODY_SPARED: ReadonlySet<DidKey> = new Set()

/** @param spared are taken for a position only where no other fits. */
function draw(
  candidates: readonly RouteMember[],
  spared: ReadonlySet<DidKey>,
  { end = 'exit', notEntry = NOBODY_SPARED }: RouteWishes,
  strict: boolean,
  random: Random,
): RouteMember[] {
  // The scarcest first: entries, where some of them had better not be.
  const order = notEntry.size === 0 ? [2, 1, 0] : [0, 2, 1]
  let failure: WeftError | undefined
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const hops = new Map<number, RouteMember>()
    failure = undefined
    for (const index of order) {
      const position = POSITIONS[index] as HopRole
      const chosen = [...hops.values()]
      const fitting: RouteMember[] = []
      const discarded: Record<string, string> = {}
      for (const candidate of candidates) {
        const fits = rolesFor(position, end).some((role) => candidate.roles.includes(role))
        if (strict && position === 'entry' && notEntry.has(candidate.id)) continue
        const why = fits ? conflictWith(candidate, chosen) : `not of the role ${position}`
        if (why === undefined) fitting.push(candidate)
        else discarded[candidate.id] = why
      }
      const member = pick(without(fitting, spared), end === 'exit' ? position : 'relay', random)
      if (member === undefined) {
        failure = nobodyFor(position === 'exit' && end === 'service' ? 'relay' : position, candidates.length, discarded)
        break
      }
      hops.set(index, member)
    }
    if (failure === undefined) return POSITIONS.map((_, index) => hops.get(index) as RouteMember)
  }
  throw failure as WeftError
}

/** A circuit to a member may end at any node that passes on for others: exits, of which there are few, are spared. */
function rolesFor(position: HopRole, end: 'exit' | 'service'): readonly HopRole[] {
  return position === 'exit' && end === 'service' ? ['relay', 'exit'] : [position]
}

/** Those that are not in `left`; all of them where there is nobody else. */
function without(members: readonly RouteMember[], left: ReadonlySet<DidKey>): readonly RouteMember[] {
  const others = members.filter(({ id }) => !left.has(id))
  return others.length > 0 ? others : members
}

function pick(candidates: readonly RouteMember[], position: HopRole, random: Random): RouteMember | undefined {
  const weights = candidates.map((candidate) => weightOf(candidate, position))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  let left = uniform(random) * total
  for (const [index, weight] of weights.entries()) {
    left -= weight
    if (left < 0) return candidates[index]
  }
  return candidates.at(-1)
}

/** Uniform in [0, 1), 48 bits. */
function uniform(random: Random): number {
  let value = 0
  for (const byte of random.bytes(6)) value = value * 256 + byte
  return value / 2 ** 48
}

/** No member can take a position: only another map mends that. */
export function isNobodyLeft(code: string): boolean {
  return Object.values<string>(NOBODY).includes(code)
}

const NOBODY = { entry: 'E_NO_ENTRY', relay: 'E_NO_RELAY', exit: 'E_NO_EXIT' } as const

function nobodyFor(position: HopRole, considered: number, discarded: Readonly<Record<string, string>>): WeftError {
  const others = Object.values(discarded).filter((why) => !why.startsWith('not of the role'))
  const reasons = [...Map.groupBy(others, (why) => why.replace(/ as ….*/, ''))].map(
    ([why, all]) => `${all.length} ${why}`,
  )
  return new WeftError({
    code: NOBODY[position],
    cause:
      considered === 0
        ? `No member of the signed map carries packets, so none can be the ${position} of a route.`
        : `None of ${considered} members that carry packets can be the ${position} of this route${reasons.length === 0 ? `: none has the role ${position}` : ` (${reasons.join(', ')})`}.`,
    fix:
      considered === 0
        ? 'weft check says whether this node has a signed map, and what keeps it from one; weft members shows the roles of those in it.'
        : 'See the roles of the members with weft members; a route needs an entry, a relay and an exit of different operators and networks.',
    retryable: true,
    details: { position, discarded },
  })
}
