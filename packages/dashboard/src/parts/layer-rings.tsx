import { shortId } from './format.ts'
import { LAYERS, type LayerNode } from './layers.ts'
import { type Place, drawnOf, ringPlaces } from './ring-places.ts'

const SIZE = 400
const CENTRE = SIZE / 2
/** Of the layers, from the innermost. */
const RADII = [52, 98, 144, 186] as const

interface Drawn {
  readonly node: LayerNode
  readonly place: Place
}

/** The layers as rings around the validators, with the links of this node. The table beside it says the same in words. */
export function LayerRings({ nodes }: { nodes: readonly LayerNode[] }) {
  const rings = LAYERS.map(({ name }, at): readonly Drawn[] => {
    const drawn = drawnOf(nodes.filter(({ layer }) => layer === name))
    const places = ringPlaces(drawn.length, CENTRE, RADII[at] as number)
    return drawn.map((node, index) => ({ node, place: places[index] as Place }))
  })
  const all = rings.flat()
  const own = all.find(({ node }) => node.self)?.place
  const hidden = nodes.length - all.length
  return (
    <figure className="rings">
      <svg viewBox={`0 0 ${SIZE} ${SIZE}`} aria-hidden="true">
        {RADII.map((radius) => (
          <circle key={radius} className="ring" cx={CENTRE} cy={CENTRE} r={radius} />
        ))}
        {own !== undefined &&
          all
            .filter(({ node }) => !node.self && node.state === 'connected')
            .map(({ node, place }) => (
              <line key={node.id} className="link" x1={own.x} y1={own.y} x2={place.x} y2={place.y} />
            ))}
        {all.map(({ node, place }) => (
          <Dot key={node.id} node={node} place={place} />
        ))}
        {LAYERS.map(({ name, title }, at) => (
          <text key={name} className="ring-name" x={CENTRE} y={CENTRE + nameAt(at) + 4}>
            {title}
          </text>
        ))}
      </svg>
      <figcaption className="quiet">
        Lines are the links of this node (◆). ✕ cannot be reached, ▲ is suspected by several observers, ○ is a client.
        {hidden > 0 && ` ${hidden} more nodes are not drawn.`}
      </figcaption>
    </figure>
  )
}

/** The innermost ring is too small for a name between two nodes, and has room inside. */
function nameAt(ring: number): number {
  return ring === 0 ? 0 : (RADII[ring] as number)
}

/** Shape and colour together say how a node is. */
function Dot({ node, place: { x, y } }: Drawn) {
  const [shape, words] = lookOf(node)
  return (
    <g className={`dot ${shape}`} data-layer={node.layer} transform={`translate(${x} ${y})`}>
      <title>{`${node.id === '' ? 'this node' : shortId(node.id)}: ${words}`}</title>
      <path d={SHAPES[shape]} />
    </g>
  )
}

const SHAPES = {
  self: 'M0 -9 L9 0 L0 9 L-9 0 Z',
  connected: 'M-5 0 A5 5 0 1 0 5 0 A5 5 0 1 0 -5 0 Z',
  away: 'M-5 -5 L5 5 M5 -5 L-5 5',
  suspect: 'M0 -6 L6 5 L-6 5 Z',
  client: 'M-5 0 A5 5 0 1 0 5 0 A5 5 0 1 0 -5 0 Z',
} as const

function lookOf({ self, suspect, state }: LayerNode): readonly [keyof typeof SHAPES, string] {
  if (self) return ['self', 'this node']
  if (suspect) return ['suspect', 'suspected']
  if (state === undefined) return ['client', 'client with a lease']
  return state === 'unreachable' ? ['away', 'unreachable'] : ['connected', state]
}
