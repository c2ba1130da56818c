import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '@weft/core'
import { type DidKey, toDidKey } from '@weft/crypto'
import fc from 'fast-check'
import type { Role } from '../../src/member.ts'
import { type MeshNode, layerOf, sameNodes } from '../../src/peers/layer.ts'
import { meshOf } from '../../src/peers/mesh-of.ts'
import {
  ARC,
  CLIENT_LINKS,
  FEWEST_CORE,
  FULL_COMMITTEE,
  FULL_MESH,
  Mesh,
  UPLINKS,
  ringsOf,
} from '../../src/peers/mesh.ts'
import { MAX_RINGS } from '../../src/peers/ring-places.ts'

interface Shape {
  readonly seed: number
  readonly regular: number
  readonly core: number
  readonly validators: number
}

interface TestNetwork {
  readonly members: readonly MeshNode[]
  readonly seats: readonly DidKey[]
}

function networkOf({ seed, regular, core, validators }: Shape): TestNetwork {
  const random = seededRandom(seed)
  const make = (count: number, roles: readonly Role[]): MeshNode[] =>
    Array.from({ length: count }, () => ({ id: toDidKey(random.bytes(32)), roles }))
  const seats = make(validators, ['validator', 'storage'])
  const members = [...make(regular, ['storage']), ...make(core, ['storage', 'relay']), ...seats]
  return { members: members.toSorted((a, b) => (a.id < b.id ? -1 : 1)), seats: seats.map(({ id }) => id) }
}

/** As many nodes as are reached from the first. */
function reached(nodes: readonly DidKey[], mesh: Mesh): number {
  const seen = new Set(nodes.slice(0, 1))
  for (const id of seen) for (const next of mesh.neighbours(id)) seen.add(next)
  return seen.size
}

const shapes: fc.Arbitrary<Shape> = fc.record({
  seed: fc.integer({ min: 0, max: 2 ** 31 }),
  regular: fc.integer({ min: 0, max: 250 }),
  core: fc.integer({ min: 0, max: 60 }),
  validators: fc.integer({ min: 1, max: 80 }),
})

test('in every mesh links have both sides, nodes few of them, and all nodes are connected', () => {
  fc.assert(
    fc.property(shapes, (shape) => {
      const { members, seats } = networkOf(shape)
      const mesh = new Mesh(members, seats)
      const ids = members.map(({ id }) => id)
      const layers = new Map(members.map((member) => [member.id, layerOf(member, (id) => seats.includes(id))]))
      for (const id of ids) {
        const theirs = mesh.neighbours(id)
        assert.ok(!theirs.has(id), 'nobody is its own neighbour')
        for (const other of theirs) assert.ok(mesh.linked(other, id), 'a link has both sides')
        if (members.length <= FULL_MESH) assert.equal(theirs.size, members.length - 1)
        else if (layers.get(id) === 'regular') assert.ok(theirs.size <= 2 * MAX_RINGS + UPLINKS)
        else if (layers.get(id) === 'core') assert.ok(theirs.size <= 2 * MAX_RINGS + UPLINKS * ARC)
        else assert.ok(theirs.size <= FULL_COMMITTEE - 1 + 2 * MAX_RINGS + UPLINKS * ARC)
      }
      assert.equal(reached(ids, mesh), members.length)
    }),
    { numRuns: 60, examples: [[{ seed: 1, regular: 100, core: 0, validators: 1 }]] },
  )
})

test('regular nodes keep links to core and regular nodes, and validators to core nodes and each other', () => {
  const { members, seats } = networkOf({ seed: 7, regular: 300, core: 60, validators: 7 })
  const mesh = new Mesh(members, seats)
  const layers = new Map(members.map((member) => [member.id, layerOf(member, (id) => seats.includes(id))]))
  for (const [id, layer] of layers) {
    const theirs = Map.groupBy(mesh.neighbours(id), (other) => layers.get(other))
    if (layer === 'regular') {
      assert.equal(theirs.has('validator'), false)
      assert.ok((theirs.get('core')?.length ?? 0) >= 3, 'each has several core neighbours')
      assert.ok((theirs.get('regular')?.length ?? 0) >= 2 * ringsOf(300) - 4)
    } else if (layer === 'validator') {
      assert.equal(theirs.has('regular'), false)
      assert.equal(theirs.get('validator')?.length, 6)
    }
  }
})

test('validators stand in for core nodes while these are fewer than it takes', () => {
  const withCore = (core: number): Mesh => {
    const { members, seats } = networkOf({ seed: 8, regular: 200, core, validators: 4 })
    const mesh = new Mesh(members, seats)
    const regular = members.filter(({ roles }) => roles.length === 1)
    const linked = regular.some(({ id }) => seats.some((seat) => mesh.linked(id, seat)))
    assert.equal(linked, core < FEWEST_CORE)
    return mesh
  }
  for (const core of [0, 1, FEWEST_CORE - 1, FEWEST_CORE, 40]) withCore(core)
})

test('who comes or goes changes few links, and none of nodes far from it', () => {
  const { members, seats } = networkOf({ seed: 9, regular: 400, core: 100, validators: 4 })
  const [gone] = members as [MeshNode]
  const linksOf = (list: readonly MeshNode[]): Set<string> => {
    const mesh = new Mesh(list, seats)
    return new Set(list.flatMap(({ id }) => [...mesh.neighbours(id)].map((other) => `${id} ${other}`)))
  }
  const [before, after] = [linksOf(members), linksOf(members.slice(1))]
  const kept = [...before].filter((link) => !link.includes(gone.id))
  assert.ok(kept.filter((link) => !after.has(link)).length <= 2 * UPLINKS, 'few links of others end')
  assert.ok([...after].filter((link) => !before.has(link)).length <= 2 * (ringsOf(400) + UPLINKS * ARC))
})

test('who has no certificate keeps some links to core nodes, and to all members and seats while these are few', () => {
  const [client] = networkOf({ seed: 1, regular: 1, core: 0, validators: 0 }).members as [MeshNode]
  const large = networkOf({ seed: 10, regular: 200, core: 50, validators: 4 })
  const links = new Mesh(large.members, large.seats).neighbours(client.id)
  assert.ok(links.size > CLIENT_LINKS / 2 && links.size <= CLIENT_LINKS)
  for (const id of links) assert.ok(large.members.find((member) => member.id === id)?.roles.includes('relay'))
  assert.deepEqual([...new Mesh([], large.seats).neighbours(client.id)], large.seats, 'before the first map')
})

test('a validator that is not in the map keeps links to its fellows, and they to it', () => {
  const { members, seats } = networkOf({ seed: 11, regular: 200, core: 50, validators: 4 })
  const [away] = seats as [DidKey]
  const mesh = new Mesh(
    members.filter(({ id }) => id !== away),
    seats,
  )
  for (const seat of seats.slice(1)) assert.ok(mesh.linked(seat, away) && mesh.linked(away, seat))
})

test('a mesh is made once for a list of members and its seats', () => {
  const { members, seats } = networkOf({ seed: 12, regular: 5, core: 2, validators: 4 })
  assert.equal(meshOf(members, seats), meshOf(members, [...seats]))
  assert.notEqual(meshOf(members, seats.slice(1)), meshOf(members, seats))
  assert.notEqual(meshOf([...members], seats), meshOf(members, seats))
})

test('lists of members are of the same nodes while ids and roles are the same', () => {
  const { members } = networkOf({ seed: 13, regular: 5, core: 2, validators: 0 })
  assert.ok(sameNodes(members, structuredClone(members)))
  assert.ok(!sameNodes(members, members.slice(1)))
  assert.ok(!sameNodes(members, members.with(3, { ...(members[3] as MeshNode), roles: ['relay', 'exit'] })))
})

test('the layer follows from the map and the seats', () => {
  const [node] = networkOf({ seed: 14, regular: 1, core: 0, validators: 0 }).members as [MeshNode]
  const nobody = (): boolean => false
  assert.equal(layerOf(undefined, nobody), 'client')
  assert.equal(layerOf(node, nobody), 'regular')
  for (const role of ['gateway', 'entry', 'relay', 'exit', 'validator'] as const) {
    assert.equal(layerOf({ ...node, roles: ['storage', role] }, nobody), 'core')
  }
  assert.equal(
    layerOf(node, (id) => id === node.id),
    'validator',
  )
})
