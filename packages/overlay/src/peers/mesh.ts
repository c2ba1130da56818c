import type { DidKey } from '@weft/crypto'
import type { WatchMode } from '../liveness/watch-mode.ts'
import type { Membership } from '../member.ts'
import { type MeshNode, layerOf } from './layer.ts'
import { Ring, keyOf } from './ring.ts'
import { MAX_RINGS, ringPlaces } from './ring-places.ts'

/** While so many members, or fewer, are in the map everybody keeps a connection to everybody. */
export const FULL_MESH = 65
/** Up to so many validators keep connections to all others of them. */
export const FULL_COMMITTEE = 65
/** Core nodes that a regular node keeps connections to. */
export const UPLINKS = 6
/** Regular nodes that one core node takes in one ring. */
export const ARC = 24
/** While core nodes are fewer than this validators take regular nodes as well. */
export const FEWEST_CORE = 16
/** Certified nodes that one without a certificate keeps connections to. */
export const CLIENT_LINKS = 8

/** The rings by which regular nodes find core nodes: the last, so that the first are left for each layer's own. */
const UPLINK_RINGS = Array.from({ length: UPLINKS }, (_, turn) => MAX_RINGS - 1 - turn)

/** Rings of a layer of so many nodes: the larger it is the more ways lead through it. */
export function ringsOf(nodes: number): number {
  return Math.min(MAX_RINGS, 6 + Math.floor(Math.log2(Math.max(1, nodes)) / 2))
}

/**
 * Who keeps connections to whom, by the members of one map and the seats of one term: a graph that every node computes
 * alike, in which a link has both sides (docs/specs/mesh.md). Each layer is an H-graph, the union of some rings in the
 * order of hashes (Law and Siu, "Distributed Construction of Random Expander Networks", INFOCOM 2003): connected as each
 * ring is, an expander with high probability, and changed by who comes or goes only where that node stands.
 */
export class Mesh {
  readonly #members: readonly MeshNode[]
  readonly #indexes: ReadonlyMap<DidKey, number>
  readonly #seats: readonly DidKey[]
  readonly #isSeat: ReadonlySet<DidKey>
  /** Members by their index: those of layer regular; core and validators; those of the latter that take regular nodes. */
  readonly #regular: readonly number[]
  readonly #upper: readonly number[]
  readonly #takers: readonly number[]
  readonly #isRegular: ReadonlySet<number>
  readonly #takes: ReadonlySet<number>
  readonly #rings = new Map<readonly number[], (Ring | undefined)[]>()
  readonly #neighbours = new Map<DidKey, ReadonlySet<DidKey>>()

  /** @param members of the map @param seats the validators of the newest term, in the map or not */
  constructor(members: readonly MeshNode[], seats: readonly DidKey[]) {
    this.#members = members
    this.#seats = seats
    this.#isSeat = new Set(seats)
    this.#indexes = new Map(members.map(({ id }, index) => [id, index]))
    const of = { regular: [] as number[], core: [] as number[], validator: [] as number[], client: [] as number[] }
    members.forEach((member, index) => of[layerOf(member, (id) => this.#isSeat.has(id))].push(index))
    this.#regular = of.regular
    this.#upper = [...of.core, ...of.validator]
    this.#takers = of.core.length >= FEWEST_CORE ? of.core : this.#upper
    this.#isRegular = new Set(of.regular)
    this.#takes = new Set(this.#takers)
  }

  /** To whom a node keeps connections. */
  neighbours(id: DidKey): ReadonlySet<DidKey> {
    let found = this.#neighbours.get(id)
    if (found === undefined) this.#neighbours.set(id, (found = this.#find(id)))
    return found
  }

  /** Whether two members keep a connection. */
  linked(a: DidKey, b: DidKey): boolean {
    return this.neighbours(a).has(b)
  }

  #find(id: DidKey): Set<DidKey> {
    const index = this.#indexes.get(id)
    const found = new Set<DidKey>()
    if (this.#members.length <= FULL_MESH) {
      for (const member of this.#members) found.add(member.id)
      for (const seat of this.#seats) found.add(seat)
    } else {
      const among = index === undefined ? [] : this.#isRegular.has(index) ? this.#regular : this.#upper
      const nodes =
        index === undefined
          ? this.#linksOfClient(id)
          : [...this.#alongRings(index, among), ...this.#uplinks(index), ...this.#downlinks(index)]
      for (const node of nodes) found.add((this.#members[node] as MeshNode).id)
      const isOfCommittee = this.#isSeat.has(id) && this.#seats.length <= FULL_COMMITTEE
      if (isOfCommittee) for (const seat of this.#seats) found.add(seat)
    }
    found.delete(id)
    return found
  }

  /** The nodes before and behind this one in each ring of its layer. */
  *#alongRings(index: number, layer: readonly number[]): Generator<number> {
    for (let turn = 0; turn < ringsOf(layer.length); turn++) {
      const ring = this.#ring(layer, turn)
      const at = ring.before(this.#key(index, turn))
      yield ring.node(at - 1)
      yield ring.node(at + 1)
    }
  }

  /** Of a regular node: in each ring the next node that takes some, unless too many stand between. */
  *#uplinks(index: number): Generator<number> {
    if (!this.#isRegular.has(index) || this.#takers.length === 0) return
    for (const turn of UPLINK_RINGS) {
      const [takers, regular] = [this.#ring(this.#takers, turn), this.#ring(this.#regular, turn)]
      const own = this.#key(index, turn)
      const taker = takers.before(own)
      if (regular.between(own, takers.at(taker)) - 1 < ARC) yield takers.node(taker)
    }
  }

  /** Of one that takes regular nodes: in each ring those from the taker before it to itself, the nearest of them. */
  *#downlinks(index: number): Generator<number> {
    if (!this.#takes.has(index)) return
    for (const turn of UPLINK_RINGS) {
      const [takers, regular] = [this.#ring(this.#takers, turn), this.#ring(this.#regular, turn)]
      const own = this.#key(index, turn)
      const count = regular.between(takers.at(takers.before(own) - 1), own)
      for (let back = 1; back <= Math.min(ARC, count); back++) yield regular.node(regular.before(own) - back)
    }
  }

  /** Of who is not in the map: from its places on, those that take regular nodes. */
  *#linksOfClient(id: DidKey): Generator<number> {
    const layer = this.#takers.length > 0 ? this.#takers : this.#regular
    const places = ringPlaces({ id })
    for (let turn = 0; turn < CLIENT_LINKS; turn++) {
      const ring = this.#ring(layer, turn)
      yield ring.node(ring.before(keyOf(places[turn] as number, 0)))
    }
  }

  #key(index: number, turn: number): number {
    return keyOf(ringPlaces(this.#members[index] as MeshNode)[turn] as number, index)
  }

  #ring(layer: readonly number[], turn: number): Ring {
    const rings = this.#rings.get(layer) ?? []
    this.#rings.set(layer, rings)
    return (rings[turn] ??= new Ring(Float64Array.from(layer, (index) => this.#key(index, turn))))
  }
}

/** How a node watches its neighbours, by the members of its map. */
export function watchModeOf(membership: Pick<Membership, 'members' | 'isMember'>, self: DidKey): WatchMode {
  if (!membership.isMember(self)) return 'alone'
  return membership.members().length <= FULL_MESH ? 'mesh' : 'sparse'
}
