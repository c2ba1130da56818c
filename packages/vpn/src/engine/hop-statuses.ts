import { Suite } from '@weft/onion'
import type { HopHealthStatus } from '../health/leg-health.ts'
import type { RouteMember } from '../route/route-member.ts'
import type { HopHealth, HopRole, HopStatus, HopSuite } from '../vpn.ts'

/** What a leg knows of its hops; each list from the entry on. */
export interface LegFacts {
  readonly hops: readonly RouteMember[]
  readonly known: readonly HopHealthStatus[]
  /** ms there and back to each hop that answered a ping. */
  readonly rttMs: readonly (number | undefined)[]
  readonly suites: readonly (Suite | undefined)[]
  /** It is ready, or was: all of them answered. */
  readonly wasReady: boolean
  /** Why it is over; undefined while it is not. */
  readonly over: string | undefined
  readonly isSuspect: boolean
  /** The hop that the overlay cannot reach. */
  readonly unreachable: RouteMember | undefined
}

export function hopStatuses(facts: LegFacts): HopStatus[] {
  const isPlaced = facts.known.some(({ health }) => health === 'red')
  return facts.known.map((known, index) => {
    const { id, country, region, simulated } = facts.hops[index] as RouteMember
    const { latencyMs, jitterMs, lossPercent, bandwidthBytesPerSecond, upMs } = known
    const [health, reason] = verdict(facts, index, isPlaced)
    return {
      node: id,
      role: roleAt(index, facts.hops.length),
      country,
      region,
      simulated,
      latencyMs: latencyMs === undefined || latencyMs === 0 ? pingedMs(facts.rttMs, index) : latencyMs,
      jitterMs,
      lossPercent,
      bandwidthBytesPerSecond,
      upMs,
      suite: suiteName(facts.suites[index]),
      health,
      reason,
    }
  })
}

export function roleAt(index: number, hops: number): HopRole {
  if (index === 0) return 'entry'
  return index >= hops - 1 ? 'exit' : 'relay'
}

/** The hop has said something. */
export function hasAnswered({ wasReady, suites }: Pick<LegFacts, 'wasReady' | 'suites'>, index: number): boolean {
  return wasReady || suites[index] !== undefined
}

/** ms from the hop before and back; undefined where pings of the two passed each other: these tell nothing of the way between them. */
function pingedMs(rttMs: LegFacts['rttMs'], index: number): number | undefined {
  const rtt = rttMs[index]
  const before = index === 0 ? 0 : rttMs[index - 1]
  return rtt === undefined || before === undefined || rtt <= before ? undefined : rtt - before
}

function verdict(facts: LegFacts, index: number, isPlaced: boolean): [HopHealth, string] {
  const { over, isSuspect, unreachable } = facts
  const { health, reason } = facts.known[index] as HopHealthStatus
  if (over !== undefined) return ['red', over]
  if (!hasAnswered(facts, index)) return ['unknown', 'it has not answered yet']
  if (isSuspect && unreachable !== undefined)
    return facts.hops[index] === unreachable ? ['red', 'the node cannot be reached'] : ['green', '']
  if (health === 'yellow' || health === 'red') return [health, reason]
  if (isSuspect && !isPlaced)
    return ['yellow', 'nothing has come back from the exit for a while; which hop it is is not known']
  return ['green', '']
}

function suiteName(suite: Suite | undefined): HopSuite | undefined {
  if (suite === undefined) return undefined
  return suite === Suite.aes256Gcm ? 'aes-256-gcm' : 'chacha20-poly1305'
}
