import type { DidKey } from '@weft/crypto'
import type { HopRole } from '../vpn.ts'
import type { ChosenHop } from './chosen-hop.ts'
import type { Discard } from './discard-reason.ts'
import type { PositionReasons } from './position-reasons.ts'

/** A member that came into question for a position. */
export interface Candidate {
  readonly node: DidKey
  /** 1/16 to 1; 1 for a guard. */
  readonly weight: number
  /** How likely it was to be drawn, 0 to 1. Guards are taken in their order: 1 for the first that fitted, 0 for the others. */
  readonly share: number
}

export interface PositionRecordInit {
  readonly chosen: ChosenHop
  readonly reasons: PositionReasons
  /** Places of the members that could come into question at all; the same array for all positions of one map, as far as may be. */
  readonly pool: Int32Array
  /** By place in the pool; 0 for those that fell out. */
  readonly weights: Float32Array
  /** The part of the draw in which all are as likely (entropy-floor.ts); undefined where the first that fits is taken. */
  readonly alike: number | undefined
}

/** How a position was filled: of each member of the map what it weighed, or why it fell out. A byte for each, and four for each of the pool, kept as long as the route. */
export class PositionRecord implements Omit<ChosenHop, 'member'> {
  readonly node: DidKey
  readonly role: HopRole
  readonly candidates: number
  readonly weight: number
  readonly share: number
  readonly bits: number
  readonly floorBits: number
  readonly reasons: PositionReasons
  readonly #pool: Int32Array
  readonly #weights: Float32Array
  readonly #alike: number | undefined

  constructor({ chosen, reasons, pool, weights, alike }: PositionRecordInit) {
    this.node = chosen.member.id
    this.role = chosen.role
    this.candidates = chosen.candidates
    this.weight = chosen.weight
    this.share = chosen.share
    this.bits = chosen.bits
    this.floorBits = chosen.floorBits
    this.reasons = reasons
    this.#pool = pool
    this.#weights = weights
    this.#alike = alike
  }

  /** Those that came into question, the one that was chosen first among those of its weight. @param most how many are named */
  best(most: number): Candidate[] {
    const best: number[] = []
    for (const [place, weight] of this.#weights.entries()) {
      if (weight === 0 || (best.length >= most && !this.#isBefore(place, best.at(-1)))) continue
      const behind = best.findIndex((other) => this.#isBefore(place, other))
      best.splice(behind < 0 ? best.length : behind, 0, place)
      if (best.length > most) best.pop()
    }
    const sum = this.#sum
    return best.map((place) => this.#candidate(place, sum))
  }

  #isBefore(place: number, other: number | undefined): boolean {
    if (other === undefined) return false
    const more = (this.#weights[place] as number) - (this.#weights[other] as number)
    return more === 0 ? this.#idAt(place) === this.node : more > 0
  }

  /** What it was for this position; undefined where the map had no such member that carries packets. */
  of(node: DidKey): Candidate | Discard | undefined {
    const at = this.reasons.ids.indexOf(node)
    return at < 0 ? undefined : (this.reasons.at(at) ?? this.#candidate(this.#pool.indexOf(at), this.#sum))
  }

  get #sum(): number {
    return this.#weights.reduce((all, each) => all + each, 0)
  }

  #idAt(place: number): DidKey {
    return this.reasons.ids[this.#pool[place] as number] as DidKey
  }

  /** @param place in the pool @param sum of all weights */
  #candidate(place: number, sum: number): Candidate {
    const node = this.#idAt(place)
    const weight = this.#weights[place] as number
    if (this.#alike === undefined) return { node, weight, share: node === this.node ? 1 : 0 }
    return { node, weight, share: (1 - this.#alike) * (weight / sum) + this.#alike / this.candidates }
  }
}
