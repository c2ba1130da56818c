import type { DiscardReason } from './discard-reason.ts'
import type { PositionTerms } from './path-position.ts'
import type { PathWishes } from './path-wishes.ts'
import { PositionReasons } from './position-reasons.ts'
import { AVOIDED, BUSY, CALLED, FAILED, NEVER, type RouteFlags } from './route-flags.ts'
import type { RouteMarks } from './route-marks.ts'
import { IS_SATURATED, type MemberWeights } from './route-measures.ts'
import { ENTRY, EXIT, RELAY, type RouteTable } from './route-table.ts'
import { LEFT } from './weighted-draw.ts'

/** In this order: of several reasons the first is told. */
const BY_FLAG: readonly (readonly [number, DiscardReason])[] = [
  [NEVER, 'excluded'],
  [AVOIDED, 'country'],
  [CALLED, 'called'],
  [FAILED, 'failed'],
]

export interface ExplainParts {
  readonly table: RouteTable
  readonly weights: MemberWeights
  /** As they were when the position was drawn. */
  readonly flags: RouteFlags
  /** With those marked beside whom it stands. */
  readonly marks: RouteMarks
  readonly wishes: PathWishes
}

/** Why each member that did not come into question for a position did not. With 10,000 members it takes less than a millisecond. */
export function explainPosition(terms: PositionTerms, parts: ExplainParts): PositionReasons {
  const { table, marks } = parts
  const reasons = new PositionReasons(table.ids)
  const inPool = new Uint8Array(table.size)
  for (const at of terms.pool) inPool[at] = 1
  for (let at = 0; at < table.size; at++) {
    const reason = inPool[at] === 0 ? outOfPool(terms, parts, at) : byFlag(terms, parts, at)
    if (reason !== undefined) {
      reasons.set(at, reason)
      continue
    }
    const conflict = marks.conflict(at)
    if (conflict !== undefined) {
      reasons.set(at, conflict.why, conflict.beside)
      continue
    }
    const late = lateReason(terms, parts, at)
    if (late !== undefined) reasons.set(at, late)
  }
  return reasons
}

function outOfPool({ role }: PositionTerms, { table, wishes }: ExplainParts, at: number): DiscardReason {
  const service = role === 'exit' && wishes.end === 'service'
  const needed = role === 'entry' ? ENTRY : role === 'relay' ? RELAY : service ? RELAY | EXIT : EXIT
  if (((table.roles[at] as number) & needed) === 0) return 'role'
  if (role === 'entry') return 'no-guard'
  return wishes.exit?.kind === 'nearest' ? 'farther' : 'wish'
}

function byFlag({ out }: PositionTerms, { flags }: ExplainParts, at: number): DiscardReason | undefined {
  const why = flags.at(at) & out
  return why === 0 ? undefined : BY_FLAG.find(([flag]) => (why & flag) !== 0)?.[1]
}

function lateReason({ out }: PositionTerms, { flags, weights }: ExplainParts, at: number): DiscardReason | undefined {
  const why = flags.at(at) & out
  if ((why & BUSY) !== 0) return 'busy'
  if ((why & LEFT) === 0) return undefined
  return ((weights.left[at] as number) & IS_SATURATED) === 0 ? 'red' : 'saturated'
}
