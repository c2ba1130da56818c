import type { DidKey } from '@weft/crypto'
import { DISCARD_REASONS, type Discard, type DiscardReason } from './discard-reason.ts'
import type { Conflict } from './route-marks.ts'

/** Conflicts have the codes from here on: four for each member that others conflict with. */
const FIRST_CONFLICT = 32
const CONFLICTS: readonly Conflict[] = ['chosen', 'family', 'network', 'as']
/** Members that others conflict with and that are named: the nodes of the legs that stand, and of the one that is drawn. The last stands for all further ones. */
const MAX_BESIDE = (256 - FIRST_CONFLICT) / CONFLICTS.length

/** What stands for a reason that is no conflict in the bytes of {@link PositionReasons}, 1 to 14; 0 is for who came into question. */
export function codeOf(reason: Exclude<DiscardReason, Conflict>): number {
  return DISCARD_REASONS.indexOf(reason) + 1
}

/** Why members of one map did not come into question for a position: a byte for each of them, so that it can be kept as long as the route. */
export class PositionReasons {
  /** Of the members, by their place. */
  readonly ids: readonly DidKey[]
  /** By place of the member: {@link codeOf}, or {@link codeOfConflict}. */
  readonly codes: Uint8Array
  /** Places of members that others conflict with. */
  readonly #others: number[] = []

  constructor(ids: readonly DidKey[]) {
    this.ids = ids
    this.codes = new Uint8Array(ids.length)
  }

  /** @param beside place of the member with whom it conflicts */
  codeOfConflict(why: Conflict, beside: number): number {
    return FIRST_CONFLICT + CONFLICTS.length * this.#numberOf(beside) + CONFLICTS.indexOf(why)
  }

  /** Undefined for one that came into question. */
  at(place: number): Discard | undefined {
    const code = this.codes[place] ?? 0
    const node = this.ids[place]
    const reason = reasonOf(code)
    if (reason === undefined || node === undefined) return undefined
    const other =
      code < FIRST_CONFLICT ? undefined : this.#others[Math.trunc((code - FIRST_CONFLICT) / CONFLICTS.length)]
    return { node, reason, beside: other === undefined ? '' : (this.ids[other] ?? '') }
  }

  /** How many fell out for what, the most first. */
  get counts(): readonly { readonly reason: DiscardReason; readonly count: number }[] {
    const byCode = new Uint32Array(256)
    for (const code of this.codes) byCode[code] = (byCode[code] as number) + 1
    const counts = new Map<DiscardReason, number>(DISCARD_REASONS.map((reason) => [reason, 0]))
    for (const [code, count] of byCode.entries()) {
      const reason = reasonOf(code)
      if (reason !== undefined) counts.set(reason, (counts.get(reason) ?? 0) + count)
    }
    return Array.from(counts, ([reason, count]) => ({ reason, count }))
      .filter(({ count }) => count > 0)
      .toSorted((a, b) => b.count - a.count)
  }

  /** Those that fell out, in the order of the map. @param most how many are named */
  list(most = Infinity): Discard[] {
    const all: Discard[] = []
    for (let place = 0; place < this.ids.length && all.length < most; place++) {
      const discard = this.at(place)
      if (discard !== undefined) all.push(discard)
    }
    return all
  }

  #numberOf(beside: number): number {
    const known = this.#others.indexOf(beside)
    if (known >= 0) return known
    return this.#others.length >= MAX_BESIDE - 1 ? MAX_BESIDE - 1 : this.#others.push(beside) - 1
  }
}

function reasonOf(code: number): DiscardReason | undefined {
  return code < FIRST_CONFLICT ? DISCARD_REASONS[code - 1] : CONFLICTS[code % CONFLICTS.length]
}
