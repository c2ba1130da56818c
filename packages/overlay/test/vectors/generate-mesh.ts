// Writes mesh.json from docs/specs/mesh.md word by word, with nothing of packages/overlay/src: `bin/node packages/overlay/test/vectors/generate-mesh.ts`.
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { compareBytes, toHex } from '@weft/core'
import { toDidKey } from '@weft/crypto'

type Layer = 'regular' | 'core' | 'validator'

const sha256 = (text: string): Buffer => createHash('sha256').update(text, 'utf8').digest()
const keyOf = (network: string, index: number): Uint8Array => new Uint8Array(sha256(`${network} ${index}`))

function placeOf(id: string, ring: number): number {
  return sha256(`weft:mesh:v1\0${ring < 8 ? 0 : 1}${id}`).readUInt32BE(4 * (ring % 8))
}

interface Node {
  readonly key: Uint8Array
  readonly id: string
  readonly layer: Layer
}

/** The members of a group in the order of a ring, beginning behind a node. */
function behind(node: Node, group: readonly Node[], ring: number): Node[] {
  const order = (a: Node, b: Node): number => placeOf(a.id, ring) - placeOf(b.id, ring) || compareBytes(a.key, b.key)
  const sorted = [...new Set([...group, node])].sort(order)
  const at = sorted.indexOf(node)
  return [...sorted.slice(at + 1), ...sorted.slice(0, at)]
}

function linksOf(nodes: readonly Node[]): Map<Node, Set<Node>> {
  const links = new Map(nodes.map((node) => [node, new Set<Node>()]))
  const link = (a: Node, b: Node | undefined): void => {
    if (b === undefined || a === b) return
    links.get(a)?.add(b)
    links.get(b)?.add(a)
  }
  const of = (...layers: Layer[]): Node[] => nodes.filter(({ layer }) => layers.includes(layer))
  for (const group of [of('regular'), of('core', 'validator')]) {
    const rings = Math.min(16, 6 + Math.floor(Math.log2(Math.max(1, group.length)) / 2))
    for (let ring = 0; ring < rings; ring++) for (const node of group) link(node, behind(node, group, ring)[0])
  }
  const takers = of('core').length < 16 ? of('core', 'validator') : of('core')
  for (let ring = 15; ring >= 10; ring--) {
    for (const node of of('regular')) {
      const next = behind(node, [...takers, ...of('regular')], ring)
      const between = next.findIndex((one) => takers.includes(one))
      if (between >= 0 && between < 24) link(node, next[between])
    }
  }
  for (const a of of('validator')) for (const b of of('validator')) link(a, b)
  return links
}

function vector(name: string, counts: Readonly<Record<Layer, number>>) {
  const layers = (['regular', 'core', 'validator'] as const).flatMap((layer) =>
    Array.from({ length: counts[layer] }, () => layer),
  )
  const nodes = layers
    .map((layer, index): Node => ({ key: keyOf(name, index), id: toDidKey(keyOf(name, index)), layer }))
    .sort((a, b) => compareBytes(a.key, b.key))
  const links = linksOf(nodes)
  return {
    name,
    members: nodes.map(({ key, layer }) => ({ key: toHex(key), layer })),
    // By the index of each member, ascending.
    neighbours: nodes.map((node) =>
      [...(links.get(node) ?? [])].map((other) => nodes.indexOf(other)).sort((a, b) => a - b),
    ),
  }
}

const vectors = [
  vector('a core of many', { regular: 60, core: 20, validator: 4 }),
  vector('a core of few', { regular: 70, core: 1, validator: 4 }),
  vector('no regular nodes', { regular: 0, core: 70, validator: 1 }),
]
writeFileSync(new URL('mesh.json', import.meta.url), `${JSON.stringify({ vectors })}\n`)
