import { useId } from 'react'
import { countryName } from '../map/countries.ts'
import { drawRoute, type DrawnLeg, type DrawnNode, type RouteDrawing } from '../map/draw-route.ts'
import type { Frame } from '../map/frame.ts'
import { LAND } from '../map/land.ts'
import type { LabelSide } from '../map/place-labels.ts'
import type { MapPlace } from '../map/project.ts'
import { shortId } from './format.ts'
import { HOP_HEALTH, type Hop, LEG_STATE, type Leg, type NamedLeg } from './legs.ts'

export interface RouteMapProps {
  readonly legs: readonly NamedLeg[]
  /** Key of the leg that is looked at. */
  readonly selected: string
}

/** The world with the legs from this node over theirs; the tables of the legs say the same in words. */
export function RouteMap({ legs, selected }: RouteMapProps) {
  const id = useId()
  const drawing = drawRoute(
    legs.map(({ leg }) => leg),
    legs.findIndex(({ key }) => key === selected),
  )
  const { frame, you, youLabel, nodes } = drawing
  return (
    <figure className="world" aria-labelledby={`${id}title ${id}desc`}>
      {/* Without a view box, so that signs and words have one size on all screens. */}
      <svg aria-hidden="true" data-testid="map">
        <title id={`${id}title`}>Map of the route</title>
        <desc id={`${id}desc`}>{legs.length === 0 ? 'There is no leg.' : legs.map(legWords).join(' ')}</desc>
        <svg viewBox={`${frame.left} ${frame.top} ${frame.width} ${frame.height}`} preserveAspectRatio="none">
          <path className="land" d={LAND} transform="scale(0.5)" />
          {drawing.legs.map((drawn, at) => (
            <Arcs key={at} drawn={drawn} />
          ))}
        </svg>
        {nodes.toReversed().map((drawn) => (
          <Sign key={drawn.hop.node} drawn={drawn} frame={frame} />
        ))}
        <At place={you} frame={frame}>
          <path className="sign you" d={SHAPES.you} />
          <Words side={youLabel}>you</Words>
        </At>
      </svg>
      <Caption drawing={drawing} />
    </figure>
  )
}

/** `Leg 1, in use: you, entry …abcdefgh in Germany (simulated), as usual; …` */
function legWords({ name, leg }: NamedLeg): string {
  const hops = leg.hops.map(
    ({ role, node, country, simulated, health }) =>
      `${role} ${shortId(node)} in ${countryName(country)}${simulated ? ' (simulated)' : ''}, ${HOP_HEALTH[health][1]}`,
  )
  return `${name}, ${LEG_STATE[leg.state][1]}, from you over: ${hops.join('; ')}.`
}

function Arcs({ drawn: { leg, isSelected, arcs } }: { drawn: DrawnLeg<Leg> }) {
  return (
    <g className={isSelected ? 'arcs selected' : 'arcs'} data-testid="map-leg" data-state={leg.state}>
      {arcs.map(({ path, health }) => (
        <path key={path} d={path} className={`arc ${health}`} data-health={health} />
      ))}
    </g>
  )
}

function Sign({ drawn: { hop, position, place, label }, frame }: { drawn: DrawnNode<Hop>; frame: Frame }) {
  const { node, role, country, health, simulated } = hop
  return (
    <At place={place} frame={frame}>
      <g data-testid="map-node" data-node={node} data-health={health}>
        <title>{`${role} ${shortId(node)}, ${countryName(country)}${simulated ? ' (simulated)' : ''}: ${HOP_HEALTH[health][1]}`}</title>
        <path className={label === undefined ? `sign aside ${health}` : `sign ${health}`} d={SHAPES[health]} />
        {label !== undefined && (
          <Words side={label}>
            {position}
            <tspan className="wide"> {role}</tspan> {country}
          </Words>
        )}
      </g>
    </At>
  )
}

/** Shape and colour together say how a node is. */
const SHAPES = {
  green: 'M-6 0 A6 6 0 1 0 6 0 A6 6 0 1 0 -6 0 Z',
  yellow: 'M0 -8 L8 6 L-8 6 Z',
  red: 'M-6 -6 L6 6 M6 -6 L-6 6',
  unknown: 'M-6 0 A6 6 0 1 0 6 0 A6 6 0 1 0 -6 0 Z',
  you: 'M0 -9 L9 0 L0 9 L-9 0 Z',
} as const

/** What stands at a place keeps its own size, in pixels. */
function At({ place, frame, children }: { place: MapPlace; frame: Frame; children: React.ReactNode }) {
  const x = ((place.x - frame.left) / frame.width) * 100
  const y = ((place.y - frame.top) / frame.height) * 100
  return (
    <svg className="at" x={`${x.toFixed(2)}%`} y={`${y.toFixed(2)}%`}>
      {children}
    </svg>
  )
}

const SIDES = {
  right: { x: 12, y: 5, textAnchor: 'start' },
  left: { x: -12, y: 5, textAnchor: 'end' },
  above: { x: 0, y: -13, textAnchor: 'middle' },
  below: { x: 0, y: 22, textAnchor: 'middle' },
} as const

function Words({ side, children }: { side: LabelSide; children: React.ReactNode }) {
  return (
    <text className="place" {...SIDES[side]}>
      {children}
    </text>
  )
}

function Caption({ drawing: { nodes, unplaced } }: { drawing: RouteDrawing<Leg> }) {
  return (
    <figcaption className="quiet">
      {nodes.some(({ hop }) => hop.simulated) && <strong>Places are simulated. </strong>}
      Nodes: ● as usual, ▲ not as usual, ✕ bad, ○ not known yet. Legs: solid in use, dashed spare, dotted neither. Each
      node stands in the middle of its country, or near it where several would cover each other; this machine (◆) stands
      at the edge, since its place is told to nobody.
      {unplaced > 0 &&
        ` ${unplaced === 1 ? '1 node is' : `${unplaced} nodes are`} not drawn: the map has no country of theirs.`}
    </figcaption>
  )
}
