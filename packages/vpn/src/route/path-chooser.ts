import { type Random, WeftError } from '@weft/core'
import { NOBODY } from './nobody-left.ts'
import { noExit } from './no-exit.ts'
import type { ChosenHop } from './chosen-hop.ts'
import { discardWords } from './discard-reason.ts'
import type { DrawnLeg } from './drawn-leg.ts'
import { explainPosition } from './explain-position.ts'
import { type DraftParts, PathDraft } from './path-draft.ts'
import type { Gap, Position, PositionTerms } from './path-position.ts'
import type { PathWishes } from './path-wishes.ts'
import { PlaceWeights } from './place-weights.ts'
import { PositionRecord } from './position-record.ts'
import type { PositionReasons } from './position-reasons.ts'
import { RouteFlags } from './route-flags.ts'
import { RouteMarks } from './route-marks.ts'
import type { RouteMember } from './route-member.ts'
import { type RouteMeasures, weighMembers } from './route-measures.ts'
import type { RouteTable } from './route-table.ts'
import { WeightedDraw } from './weighted-draw.ts'

const DEFAULT_HOPS = 3
const MIN_HOPS = 2
const MAX_HOPS = 5
/** Draws of a whole leg, of which the best is taken: an early choice may leave nobody for a later position. */
const TRIES = 8

/**
 * Draws legs among the members of one map, by what is known of them at the time. Made anew when either changes: with 10,000 members that
 * takes some ms, and each choice after it a fraction of one.
 */
export class PathChooser {
  readonly #parts: DraftParts

  constructor(table: RouteTable, measures: RouteMeasures = {}) {
    const weights = weighMembers(table, measures)
    this.#parts = {
      table,
      weights,
      lastLog: weights.last.map((weight) => Math.log2(weight)),
      otherLog: weights.other.map((weight) => Math.log2(weight)),
      places: new PlaceWeights(table, measures),
      flags: new RouteFlags(table, weights.left),
      marks: new RouteMarks(table),
      draw: new WeightedDraw(table.size),
    }
  }

  /**
   * One leg. Its entry is one of the wishes, in their order; the exit is drawn beside it, then relays. Within the leg no two nodes have family, network or AS in
   * common; with those of other legs none has where the map allows it.
   * @throws WeftError E_NO_EXIT, E_NO_RELAY, E_NO_ENTRY, with how many members fell out for what in `details`
   */
  choose(wishes: PathWishes, random: Random): DrawnLeg {
    const { hops = DEFAULT_HOPS, failed = [], called } = wishes
    if (!Number.isInteger(hops) || hops < MIN_HOPS || hops > MAX_HOPS)
      throw new RangeError(`a route has ${MIN_HOPS} to ${MAX_HOPS} hops, got ${hops}`)
    let gap: Gap | undefined
    for (const mayBeCalled of called === undefined || called.size === 0 ? [true] : [false, true])
      for (const readmitted of readmissions(failed.length)) {
        const setFlags = (): void => this.#parts.flags.set(wishes, readmitted, mayBeCalled)
        setFlags()
        const outcome = this.#best(wishes, hops, random)
        if (outcome instanceof PathDraft) return this.#legOf(outcome, wishes, setFlags)
        gap = outcome
      }
    throw this.#nobodyFor((gap as Gap).nobody, wishes)
  }

  /** The first of some draws that misses nothing, or the one that misses least. */
  #best(wishes: PathWishes, hops: number, random: Random): PathDraft | Gap {
    let best: PathDraft | undefined
    let gap: Gap | undefined
    for (const entries of orders(wishes.entries)) {
      const ordered = entries === undefined ? wishes : { ...wishes, entries }
      for (let attempt = 0; attempt < TRIES; attempt++) {
        const draft = new PathDraft(this.#parts, ordered, hops, random)
        const missing = draft.fill()
        if (missing !== undefined) gap ??= missing
        else if (draft.shortcoming === 0) return draft
        else if (best === undefined || draft.shortcoming < best.shortcoming) best = draft
      }
      // The order of guards is given up for legs that have no node in common, and for nothing else.
      if (best?.isShared !== true) break
    }
    return best ?? (gap as Gap)
  }

  #legOf({ positions }: PathDraft, wishes: PathWishes, setFlags: () => void): DrawnLeg {
    return {
      hops: positions.map((position) => this.#hopOf(position)),
      explain: () => {
        setFlags()
        return positions.map((position) => this.#recordOf(position, wishes))
      },
    }
  }

  #hopOf(position: Position): ChosenHop {
    const { candidates, weight, share, bits, floorBits } = position.drawn
    const member = this.#parts.table.members[position.drawn.at] as RouteMember
    return { member, role: position.role, candidates, weight, share, bits, floorBits }
  }

  #recordOf(position: Position, wishes: PathWishes): PositionRecord {
    const { pool, drawn } = position
    return new PositionRecord({
      chosen: this.#hopOf(position),
      pool,
      weights: drawn.weights,
      alike: drawn.alike,
      reasons: this.#reasons(position, wishes, drawn.weights),
    })
  }

  /** @param weights of those that came into question, by place in the pool; left out where nobody did */
  #reasons(terms: PositionTerms, wishes: PathWishes, weights?: Float32Array): PositionReasons {
    this.#parts.marks.mark(terms.unlike, terms.notAgain)
    return explainPosition(terms, { ...this.#parts, wishes }, weights)
  }

  #nobodyFor(terms: PositionTerms, wishes: PathWishes): WeftError {
    const { role } = terms
    const { size } = this.#parts.table
    const { counts } = this.#reasons(terms, wishes)
    const reasons = Object.fromEntries(counts.map(({ reason, count }) => [reason, count]))
    const told = counts.map(({ reason, count }) => `${count} ${discardWords(reason)}`).join('; ')
    // Of legs beside others the exit is theirs, and no wish.
    if (role === 'exit' && size > 0 && wishes.end !== 'service' && !wishes.beside?.length)
      return noExit({ table: this.#parts.table, wishes, pool: terms.pool, told, reasons })
    return new WeftError({
      code: NOBODY[role],
      cause:
        size === 0
          ? `No member of the signed map carries packets, so none can be the ${role} of a route.`
          : `None of ${size} members that carry packets can be the ${role} of this route (${told}).`,
      fix:
        size === 0
          ? 'weft check says whether this node has a signed map, and what keeps it from one; weft members shows the roles of those in it.'
          : 'See the roles and places of the members with weft members; nodes of a route are of different operators and networks.',
      retryable: true,
      details: { position: role, reasons },
    })
  }
}

/** The entries as they stand, and then with each other one of them first. */
function orders(entries: PathWishes['entries']): PathWishes['entries'][] {
  if (entries === undefined || entries.length < 2) return [entries]
  return entries.map((_, first) => [...entries.slice(first), ...entries.slice(0, first)])
}

/** How many of those that failed may serve again, round by round: it may have been mended, or have been blamed for another. */
function readmissions(failed: number): number[] {
  const rounds = [0]
  for (let count = 1; count < failed; count *= 2) rounds.push(count)
  if (failed > 0) rounds.push(failed)
  return rounds
}
