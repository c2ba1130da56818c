import type { VpnStatusAnswer } from '@weft/node'
import type { Tone } from './state-badge.tsx'

export type Leg = VpnStatusAnswer['route']['legs'][number]
export type Hop = Leg['hops'][number]

/** A leg by a name that people can point at. */
export interface NamedLeg {
  /** Of it alone, and the same for as long as it has the same nodes. */
  readonly key: string
  readonly name: string
  readonly leg: Leg
}

export const LEG_STATE: Readonly<Record<Leg['state'], readonly [Tone, string]>> = {
  active: ['good', 'in use'],
  spare: ['idle', 'spare'],
  silent: ['bad', 'silent'],
  building: ['warn', 'being built'],
  failed: ['bad', 'failed'],
}

export const HOP_HEALTH: Readonly<Record<Hop['health'], readonly [Tone, string]>> = {
  green: ['good', 'as usual'],
  yellow: ['warn', 'not as usual'],
  red: ['bad', 'bad'],
  unknown: ['idle', 'not known yet'],
}

/** @param what whose legs they are; of several kinds each is counted by itself */
export function namedLegs(legs: readonly Leg[], what = 'Leg'): readonly NamedLeg[] {
  const seen = new Map<string, number>()
  return legs.map((leg, index) => {
    const hops = leg.hops.map(({ node }) => node).join()
    // A leg that is built anew may go over the nodes of one that ends.
    const count = (seen.get(hops) ?? 0) + 1
    seen.set(hops, count)
    return { key: `${what} ${hops} ${count}`, name: `${what} ${index + 1}`, leg }
  })
}

/** ms of all links of a leg together, there and back; undefined until each was measured. */
export function sumOfLinks({ hops }: Pick<Leg, 'hops'>): number | undefined {
  return hops.reduce<number | undefined>(
    (sum, { latencyMs }) => (sum === undefined || latencyMs === undefined ? undefined : sum + latencyMs),
    0,
  )
}
