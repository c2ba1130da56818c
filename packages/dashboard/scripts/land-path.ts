import { type MapPlace, project, WORLD } from '../src/map/project.ts'

/** TopoJSON (the specification at github.com/topojson), as far as world-atlas uses it: delta-coded arcs, and rings made of them. */
export interface Topology {
  readonly transform: { readonly scale: readonly [number, number]; readonly translate: readonly [number, number] }
  readonly arcs: readonly (readonly (readonly [number, number])[])[]
  readonly objects: { readonly land: { readonly geometries: readonly [{ readonly arcs: readonly Polygon[] }] } }
}

/** Rings, each of arcs by index; ~index is the arc from its end. */
type Polygon = readonly (readonly number[])[]

const TURN = 360
/** Steps a unit of the flat map. */
const STEPS = 2
/** Islands and lakes of a smaller area are left out, square units. */
const LEAST_AREA = 3
/** A point that is nearer to the line between its neighbours is left out, units. */
const TOLERANCE = 0.45

/** The land as an SVG path in whole steps. */
export function landPath(topology: Topology): string {
  return topology.objects.land.geometries[0].arcs
    .flat()
    .map((arcs) => unwrapped(ringOf(topology, arcs)))
    .filter((ring) => areaOf(ring) >= LEAST_AREA && ring.some(({ y }) => y < WORLD.top + WORLD.height))
    .map(simplified)
    .flatMap((ring) => [ring, ...[-TURN, TURN].map((x) => shifted(ring, x)).filter(isSeen)])
    .map(drawn)
    .join('')
}

/** A ring that goes over the edge of the map goes on beyond it, rather than all the way back. */
function unwrapped(ring: readonly MapPlace[]): MapPlace[] {
  let turns = 0
  return ring.map(({ x, y }, at) => {
    const before = ring[at - 1]?.x ?? x
    if (Math.abs(x - before) > TURN / 2) turns -= Math.sign(x - before)
    return { x: x + turns * TURN, y }
  })
}

function shifted(ring: readonly MapPlace[], by: number): MapPlace[] {
  return ring.map(({ x, y }) => ({ x: x + by, y }))
}

function isSeen(ring: readonly MapPlace[]): boolean {
  return ring.some(({ x }) => x > WORLD.left && x < WORLD.left + WORLD.width)
}

function ringOf({ arcs, transform: { scale, translate } }: Topology, indexes: readonly number[]): MapPlace[] {
  return indexes.flatMap((index) => {
    let x = 0
    let y = 0
    const places = (arcs[index < 0 ? ~index : index] ?? []).map(([dx, dy]) => {
      x += dx
      y += dy
      return project({ longitude: x * scale[0] + translate[0], latitude: y * scale[1] + translate[1] })
    })
    return (index < 0 ? places.toReversed() : places).slice(1)
  })
}

function areaOf(ring: readonly MapPlace[]): number {
  const twice = ring.reduce((sum, { x, y }, at) => {
    const next = ring[(at + 1) % ring.length] as MapPlace
    return sum + x * next.y - next.x * y
  }, 0)
  return Math.abs(twice) / 2
}

/** Ramer-Douglas-Peucker, of both halves of the ring. */
function simplified(ring: readonly MapPlace[]): MapPlace[] {
  const middle = Math.floor(ring.length / 2)
  const [first] = ring as readonly [MapPlace]
  return [...reduced(ring.slice(0, middle + 1)).slice(0, -1), ...reduced([...ring.slice(middle), first]).slice(0, -1)]
}

function reduced(line: readonly MapPlace[]): readonly MapPlace[] {
  const from = line[0] as MapPlace
  const to = line.at(-1) as MapPlace
  let far = 0
  let most = TOLERANCE
  for (let at = 1; at < line.length - 1; at++) {
    const distance = distanceOf(line[at] as MapPlace, from, to)
    if (distance <= most) continue
    most = distance
    far = at
  }
  if (far === 0) return [from, to]
  return [...reduced(line.slice(0, far + 1)).slice(0, -1), ...reduced(line.slice(far))]
}

function distanceOf({ x, y }: MapPlace, from: MapPlace, to: MapPlace): number {
  const dx = to.x - from.x
  const dy = to.y - from.y
  const length = Math.hypot(dx, dy)
  if (length === 0) return Math.hypot(x - from.x, y - from.y)
  return Math.abs(dy * (x - from.x) - dx * (y - from.y)) / length
}

/** Relative steps, which are short to write. */
function drawn(ring: readonly MapPlace[]): string {
  const steps = ring.map(({ x, y }) => [Math.round(x * STEPS), Math.round(y * STEPS)] as const)
  const [first, ...rest] = steps.flatMap(([x, y], at) => {
    const [lastX, lastY] = steps[at - 1] ?? [0, 0]
    return at > 0 && x === lastX && y === lastY ? [] : [pair(x - lastX, y - lastY)]
  })
  return `M${first ?? ''}l${rest.join(' ')}z`.replaceAll(' -', '-')
}

function pair(x: number, y: number): string {
  return `${x} ${y}`
}
