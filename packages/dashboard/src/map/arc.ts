import type { MapPlace } from './project.ts'

/** Of the distance that it spans, for each leg: legs over the same two nodes are told apart. */
const BULGE = 0.14
const BULGE_STEP = 0.05

/** An arc that bulges upwards as an SVG path. @param index of its leg */
export function arcPath(from: MapPlace, to: MapPlace, index: number): string {
  const side = to.x < from.x ? -1 : 1
  const bulge = (BULGE + BULGE_STEP * index) * side
  const x = (from.x + to.x) / 2 + (to.y - from.y) * bulge
  const y = (from.y + to.y) / 2 - (to.x - from.x) * bulge
  return `M${round(from.x)} ${round(from.y)}Q${round(x)} ${round(y)} ${round(to.x)} ${round(to.y)}`
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
