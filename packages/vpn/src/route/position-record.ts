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
  readonly leg: number
  readonly hop: number
  readonly chosen: ChosenHop
  /** By place of the member. */
  readonly ids: readonly DidKey[]
  readonly reasons: PositionReasons
  /** By place of the member; 0 for those that fell out. */
  readonly weights: Float32Array
  /** The part of the draw in which all are as likely (entropy-floor.ts); undefined where the first that fits is taken. */
  readonly alike: number | undefined
}

/** How a position was filled: of each member of the map what it weighed, or why it fell out. Six bytes for each, kept as long as the route. */
export class PositionRecord implements Omit<ChosenHop, 'member'> {
  readonly leg: number
  readonly hop: number
  readonly node: DidKey
  readonly role: HopRole
  readonly candidates: number
  readonly weight: number
  readonly share: number
  readonly bits: number
  readonly floorBits: number
  readonly reasons: PositionReasons
  readonly #ids: readonly DidKey[]
  readonly #weights: Float32Array
  readonly #alike: number | undefined
  readonly #sum: number

  constructor({ leg, hop, chosen, ids, reasons, weights, alike }: PositionRecordInit) {
    this.leg = leg
    this.hop = hop
    this.node = chosen.member.id
    this.role = chosen.role
    this.candidates = chosen.candidates
    this.weight = chosen.weight
    this.share = chosen.share
    this.bits = chosen.bits
    this.floorBits = chosen.floorBits
    this.reasons = reasons
    this.#ids = ids
    this.#weights = weights
    this.#alike = alike
    this.#sum = weights.reduce((all, each) => all + each, 0)
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
    return best.map((place) => this.#candidate(place))
  }

  #isBefore(place: number, other: number | undefined): boolean {
    if (other === undefined) return false
    const more = (this.#weights[place] as number) - (this.#weights[other] as number)
    return more === 0 ? this.#ids[place] === this.node : more > 0
  }

  /** What it was for this position; undefined where the map had no such member that carries packets. */
  of(node: DidKey): Candidate | Discard | undefined {
    const place = this.#ids.indexOf(node)
    return place < 0 ? undefined : (this.reasons.at(place) ?? this.#candidate(place))
  }

  #candidate(place: number): Candidate {
    const node = this.#ids[place] as DidKey
    const weight = this.#weights[place] as number
    if (this.#alike === undefined) return { node, weight, share: node === this.node ? 1 : 0 }
    return { node, weight, share: (1 - this.#alike) * (weight / this.#sum) + this.#alike / this.candidates }
  }
}
