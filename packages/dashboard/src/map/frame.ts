import { type MapPlace, WORLD } from './project.ts'

/** A rectangle of the flat map. */
export interface Frame {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
}

/** Width for each height: of the world, and of all that is cut out of it. */
export const ASPECT = WORLD.width / WORLD.height

/** Nobody knows where a map of less than this stands, units. */
const LEAST_WIDTH = 150
/** Of the width, around the places. */
const MARGIN = 0.15

/** The part of the world that shows all places and some land around them. */
export function frameOf(places: readonly MapPlace[]): Frame {
  if (places.length === 0) return WORLD
  const xs = places.map(({ x }) => x)
  const ys = places.map(({ y }) => y)
  const across = Math.max(...xs) - Math.min(...xs)
  const down = Math.max(...ys) - Math.min(...ys)
  const least = Math.max(LEAST_WIDTH, across / (1 - 2 * MARGIN), (down * ASPECT) / (1 - 2 * MARGIN))
  const width = Math.min(WORLD.width, least)
  const height = width / ASPECT
  return {
    left: within(middle(xs) - width / 2, WORLD.left, WORLD.left + WORLD.width - width),
    top: within(middle(ys) - height / 2, WORLD.top, WORLD.top + WORLD.height - height),
    width,
    height,
  }
}

function middle(values: readonly number[]): number {
  return (Math.min(...values) + Math.max(...values)) / 2
}

function within(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(most, value))
}
