import type { DiscardReason } from './discard-reason.ts'
import type { PositionTerms } from './path-position.ts'
import type { PathWishes } from './path-wishes.ts'
import { PositionReasons, codeOf } from './position-reasons.ts'
import { BUSY, CALLED, FAILED, NEVER, type RouteFlags } from './route-flags.ts'
import type { Conflict, RouteMarks } from './route-marks.ts'
import { IS_SATURATED, type MemberWeights } from './route-measures.ts'
import { ENTRY, EXIT, RELAY, type RouteTable } from './route-table.ts'
import { LEFT } from './weighted-draw.ts'

/** In this order: of several reasons the first is told. Conflicts come behind these. */
const BY_FLAG: readonly (readonly [number, number])[] = [
  [NEVER, codeOf('excluded')],
  [CALLED, codeOf('called')],
  [FAILED, codeOf('failed')],
]
const BUSY_CODE = codeOf('busy')
const RED_CODE = codeOf('red')
const SATURATED_CODE = codeOf('saturated')
const ROLE_CODE = codeOf('role')

export interface ExplainParts {
  readonly table: RouteTable
  readonly weights: MemberWeights
  /** As they were when the position was drawn. */
  readonly flags: RouteFlags
  /** With those marked beside whom it stands. */
  readonly marks: RouteMarks
  readonly wishes: PathWishes
}

/**
 * Why each member that did not come into question for a position did not. It is worked out for each leg that is chosen: of members that did it looks at
 * the weight alone, and no text is handled.
 * @param weights by place in the pool, 0 for those that fell out; left out where all did
 */
export function explainPosition(
  terms: PositionTerms,
  parts: ExplainParts,
  weights: Float32Array | undefined,
): PositionReasons {
  const { roles, ids } = parts.table
  const reasons = new PositionReasons(ids)
  const { codes } = reasons
  const needed = neededRoles(terms, parts)
  const elsewhere = codeOf(outOfPool(terms, parts))
  for (let at = 0; at < roles.length; at++) codes[at] = ((roles[at] as number) & needed) === 0 ? ROLE_CODE : elsewhere
  const { pool } = terms
  for (let k = 0; k < pool.length; k++) {
    const at = pool[k] as number
    codes[at] = weights !== undefined && weights[k] !== 0 ? 0 : fallenCode(terms, parts, at, reasons)
  }
  return reasons
}

function neededRoles({ role }: PositionTerms, { wishes }: ExplainParts): number {
  if (role === 'entry') return ENTRY
  if (role === 'relay') return RELAY
  return wishes.end === 'service' ? RELAY | EXIT : EXIT
}

/** Why those are out that have the role. */
function outOfPool({ role }: PositionTerms, { wishes }: ExplainParts): Exclude<DiscardReason, Conflict> {
  if (role === 'entry') return 'no-guard'
  return wishes.exit?.kind === 'nearest' ? 'farther' : 'wish'
}

/** Of one of the pool. */
function fallenCode({ out }: PositionTerms, parts: ExplainParts, at: number, reasons: PositionReasons): number {
  const { flags, marks, weights } = parts
  const why = flags.at(at) & out
  if (why !== 0) for (const [flag, code] of BY_FLAG) if ((why & flag) !== 0) return code
  const conflict = marks.conflict(at)
  if (conflict !== undefined) return reasons.codeOfConflict(conflict.why, conflict.beside)
  if ((why & BUSY) !== 0) return BUSY_CODE
  if ((why & LEFT) === 0) return 0
  return ((weights.left[at] as number) & IS_SATURATED) === 0 ? RED_CODE : SATURATED_CODE
}
