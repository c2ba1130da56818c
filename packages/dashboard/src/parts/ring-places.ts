/** A place in the drawing, in its own units. */
export interface Place {
  readonly x: number
  readonly y: number
}

/** Nodes drawn in one ring; of more every so-manieth is drawn. */
export const MOST_DRAWN = 120

/** Places around a centre at equal distances, clockwise from the bottom, where the ring's name has room between two. */
export function ringPlaces(count: number, centre: number, radius: number): Place[] {
  return Array.from({ length: count }, (_, at) => {
    const angle = Math.PI / 2 + (2 * Math.PI * (at + 0.5)) / count
    return { x: round(centre + radius * Math.cos(angle)), y: round(centre + radius * Math.sin(angle)) }
  })
}

/** The nodes of a ring that are drawn: all, or as many as there is room for, this node among them. */
export function drawnOf<T extends { readonly self: boolean }>(nodes: readonly T[], most = MOST_DRAWN): readonly T[] {
  if (nodes.length <= most) return nodes
  const step = nodes.length / most
  const drawn = Array.from({ length: most }, (_, at) => nodes[Math.floor(at * step)] as T)
  const self = nodes.find((node) => node.self)
  return self === undefined || drawn.includes(self) ? drawn : [self, ...drawn.slice(1)]
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
