import type { Random } from '@weft/core'

/** ms one way: how far places of a region are from each other, and the middles of two regions. */
export const NEAREST_MS = 2
export const FARTHEST_MS = 10
export const BETWEEN_REGIONS_MS = 40

/** Where everybody is: the client first, then the server, then the nodes. */
export interface Places {
  /** ms one way, by who sends and who receives. */
  readonly delays: readonly (readonly number[])[]
  /** The region of each. */
  readonly regions: readonly number[]
}

export const CLIENT = 0
export const SERVER = 1
export const FIRST_NODE = 2

/**
 * Draws places on a plane where the straight line between two of them is the delay: those of a region anywhere in a circle. The client
 * is in the first region, the server in the last, and the nodes in turn in each.
 */
export function drawPlaces(nodes: number, regions: 1 | 2, random: Random): Places {
  const of = (at: number): number => (at === CLIENT ? 0 : at === SERVER ? regions - 1 : (at - FIRST_NODE) % regions)
  const points: (readonly [number, number])[] = []
  while (points.length < FIRST_NODE + nodes) {
    const radius = FARTHEST_MS / 2
    const [x, y] = [radius * (2 * fraction(random) - 1), radius * (2 * fraction(random) - 1)]
    const point = [x + BETWEEN_REGIONS_MS * of(points.length), y] as const
    if (Math.hypot(x, y) > radius || points.some((other) => distance(point, other) < NEAREST_MS)) continue
    points.push(point)
  }
  return {
    delays: points.map((from) => points.map((to) => distance(from, to))),
    regions: points.map((_, at) => of(at)),
  }
}

/** ms one way from the client to the server over these places. */
export function pathMs({ delays }: Places, route: readonly number[]): number {
  const stops = [...route, SERVER]
  return stops.reduce((sum, to, at) => sum + (delays[stops[at - 1] ?? CLIENT]?.[to] ?? Number.NaN), 0)
}

/** ms one way from the client to the last of these places. */
export function routeMs(places: Places, route: readonly number[]): number {
  const exit = route.at(-1) ?? CLIENT
  return pathMs(places, route) - (places.delays[exit]?.[SERVER] ?? Number.NaN)
}

/** The same of the way over three nodes that is the shortest there is. */
export function shortestMs(places: Places): number {
  const nodes = places.delays
    .keys()
    .filter((at) => at >= FIRST_NODE)
    .toArray()
  let least = Number.POSITIVE_INFINITY
  for (const entry of nodes)
    for (const relay of nodes)
      for (const exit of nodes)
        if (new Set([entry, relay, exit]).size === 3) least = Math.min(least, pathMs(places, [entry, relay, exit]))
  return least
}

function distance([x, y]: readonly [number, number], [otherX, otherY]: readonly [number, number]): number {
  return Math.hypot(x - otherX, y - otherY)
}

/** Uniform in [0, 1), in steps of 2^-32. */
function fraction(random: Random): number {
  return Buffer.from(random.bytes(4)).readUInt32BE() / 2 ** 32
}
