import type { DidKey } from '@weft/crypto'
import { DISCARD_REASONS, type Discard, type DiscardReason } from './discard-reason.ts'

/** Members that others conflict with: the nodes of the legs that stand, and of the one that is drawn. */
const MAX_BESIDE = 255

/** Why members of one map did not come into question for a position: two bytes for each of them, so that it can be kept as long as the route. */
export class PositionReasons {
  readonly #ids: readonly DidKey[]
  /** By place of the member: place of the reason, from 1; 0 for one that came into question. */
  readonly #reasons: Uint8Array
  /** By place of the member: place in `#others` of the one it conflicts with. */
  readonly #besides: Uint8Array
  readonly #others: number[] = []

  /** @param ids of the members, by their place */
  constructor(ids: readonly DidKey[]) {
    this.#ids = ids
    this.#reasons = new Uint8Array(ids.length)
    this.#besides = new Uint8Array(ids.length)
  }

  /** @param beside place of the member with whom it conflicts */
  set(at: number, reason: DiscardReason, beside?: number): void {
    this.#reasons[at] = DISCARD_REASONS.indexOf(reason) + 1
    if (beside !== undefined) this.#besides[at] = this.#numberOf(beside)
  }

  /** Undefined for one that came into question. */
  at(place: number): Discard | undefined {
    const reason = DISCARD_REASONS[(this.#reasons[place] ?? 0) - 1]
    const node = this.#ids[place]
    if (reason === undefined || node === undefined) return undefined
    const beside = CONFLICTS.has(reason) ? this.#ids[this.#others[this.#besides[place] as number] as number] : undefined
    return { node, reason, beside: beside ?? '' }
  }

  /** How many fell out for what, the most first. */
  get counts(): readonly { readonly reason: DiscardReason; readonly count: number }[] {
    const counts = new Uint32Array(DISCARD_REASONS.length + 1)
    for (const code of this.#reasons) counts[code] = (counts[code] as number) + 1
    return DISCARD_REASONS.map((reason, at) => ({ reason, count: counts[at + 1] as number }))
      .filter(({ count }) => count > 0)
      .toSorted((a, b) => b.count - a.count)
  }

  /** Those that fell out, in the order of the map. @param most how many are named */
  list(most = Infinity): Discard[] {
    const all: Discard[] = []
    for (let place = 0; place < this.#ids.length && all.length < most; place++) {
      const discard = this.at(place)
      if (discard !== undefined) all.push(discard)
    }
    return all
  }

  #numberOf(beside: number): number {
    const known = this.#others.indexOf(beside)
    if (known >= 0) return known
    return this.#others.length >= MAX_BESIDE ? MAX_BESIDE : this.#others.push(beside) - 1
  }
}

const CONFLICTS: ReadonlySet<DiscardReason> = new Set(['chosen', 'family', 'network', 'as'])
