import { arcPath } from './arc.ts'
import { middleOf } from './countries.ts'
import { type Frame, frameOf } from './frame.ts'
import { type LabelSide, labelSides } from './place-labels.ts'
import { type MapPlace, project } from './project.ts'
import { spreadPlaces } from './spread-places.ts'

/** What of a leg is drawn. */
export interface DrawableLeg {
  readonly state: string
  readonly hops: readonly DrawableHop[]
}

interface DrawableHop {
  readonly node: string
  readonly country: string
  readonly health: string
}

/** A node on the map; those of the leg that is looked at have a label, and those that are not well. */
export interface DrawnNode<Hop> {
  readonly hop: Hop
  /** In its leg, from 1. */
  readonly position: number
  readonly place: MapPlace
  readonly label: LabelSide | undefined
}

export interface DrawnLeg<Leg> {
  readonly leg: Leg
  readonly isSelected: boolean
  /** One to each node that has a place, with the health of that node. */
  readonly arcs: readonly { readonly path: string; readonly health: string }[]
}

export interface RouteDrawing<Leg extends DrawableLeg> {
  readonly frame: Frame
  /** Where legs begin: at the edge, since nothing tells where this machine stands. */
  readonly you: MapPlace
  readonly youLabel: LabelSide
  readonly nodes: readonly DrawnNode<Leg['hops'][number]>[]
  /** The one that is looked at last, so that it is drawn over the others. */
  readonly legs: readonly DrawnLeg<Leg>[]
  /** Nodes whose country has no place. */
  readonly unplaced: number
}

/** Between two signs, of the width of the frame. */
const APART = 0.05
/** From the lower edge, of the height of the frame. */
const YOU_ABOVE = 0.08

/** Lays legs out on the map. @param selected index of the one that is looked at */
export function drawRoute<Leg extends DrawableLeg>(legs: readonly Leg[], selected: number): RouteDrawing<Leg> {
  const order = legs.map((leg, index) => ({ leg, index, isSelected: index === selected }))
  const hops = nodesOf(order)
  const found = hops.flatMap((one) => {
    const middle = middleOf(one.hop.country)
    return middle === undefined ? [] : [{ ...one, place: project(middle) }]
  })
  const frame = frameOf(found.map(({ place }) => place))
  const edge = { x: frame.left + frame.width / 2, y: frame.top + frame.height * (1 - YOU_ABOVE) }
  const spread = spreadPlaces([edge, ...found.map(({ place }) => place)], APART * frame.width, frame)
  const [you, ...places] = spread as readonly [MapPlace, ...MapPlace[]]
  const [youLabel, ...labels] = labelSides(spread, 1 + found.filter(hasLabel).length, frame)
  const placeOf = new Map(found.map(({ hop }, at) => [hop.node, places[at] as MapPlace]))
  return {
    frame,
    you,
    youLabel: youLabel as LabelSide,
    nodes: found.map(({ hop, position }, at) => ({ hop, position, place: places[at] as MapPlace, label: labels[at] })),
    legs: order
      .map(({ leg, index, isSelected }) => ({ leg, isSelected, arcs: arcsOf(leg, index, you, placeOf) }))
      .toSorted((one, other) => Number(one.isSelected) - Number(other.isSelected)),
    unplaced: hops.length - found.length,
  }
}

interface Found<Hop> {
  readonly hop: Hop
  readonly position: number
  readonly isSelected: boolean
}

/** Each node once: as the leg that is looked at has it, else as the leg that finds it worst. Those with a label come first. */
function nodesOf<Leg extends DrawableLeg>(
  legs: readonly { readonly leg: Leg; readonly isSelected: boolean }[],
): readonly Found<Leg['hops'][number]>[] {
  const all = legs.flatMap(({ leg, isSelected }) =>
    leg.hops.map((hop: Leg['hops'][number], at) => ({ hop, position: at + 1, isSelected })),
  )
  const nodes = new Map<string, Found<Leg['hops'][number]>>()
  for (const one of all.toSorted((before, after) => weightOf(after) - weightOf(before)))
    if (!nodes.has(one.hop.node)) nodes.set(one.hop.node, one)
  return [...nodes.values()]
}

function weightOf(one: Found<DrawableHop>): number {
  return (one.isSelected ? 2 : 0) + (isUnwell(one) ? 1 : 0)
}

function hasLabel(one: Found<DrawableHop>): boolean {
  return weightOf(one) > 0
}

function isUnwell({ hop: { health } }: Found<DrawableHop>): boolean {
  return health === 'yellow' || health === 'red'
}

function arcsOf(
  leg: DrawableLeg,
  index: number,
  you: MapPlace,
  placeOf: ReadonlyMap<string, MapPlace>,
): { readonly path: string; readonly health: string }[] {
  let from = you
  return leg.hops.flatMap(({ node, health }) => {
    const place = placeOf.get(node)
    if (place === undefined) return []
    const path = arcPath(from, place, index)
    from = place
    return [{ path, health }]
  })
}
