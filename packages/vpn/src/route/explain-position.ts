import type { PositionTerms } from './path-position.ts'
import type { Discard, DiscardReason } from './path-set.ts'
import type { PathWishes } from './path-wishes.ts'
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

/** Why each member that did not come into question for a position did not. */
export function explainPosition(terms: PositionTerms, parts: ExplainParts): Discard[] {
  const { table, marks } = parts
  const inPool = new Set(terms.pool)
  return table.members.flatMap(({ id: node }, at): Discard[] => {
    const reason = outOfPool(terms, parts, at, inPool) ?? byFlag(terms, parts, at)
    if (reason !== undefined) return [{ node, reason, beside: '' }]
    const conflict = marks.conflict(at)
    if (conflict !== undefined)
      return [{ node, reason: conflict.why, beside: table.members[conflict.beside]?.id ?? '' }]
    const late = lateReason(terms, parts, at)
    return late === undefined ? [] : [{ node, reason: late, beside: '' }]
  })
}

function outOfPool(
  { role }: PositionTerms,
  { table, wishes }: ExplainParts,
  at: number,
  inPool: ReadonlySet<number>,
): DiscardReason | undefined {
  if (inPool.has(at)) return undefined
  const service = role === 'exit' && wishes.end === 'service'
  const needed = { entry: ENTRY, relay: RELAY, exit: service ? RELAY | EXIT : EXIT }[role]
  if (((table.roles[at] as number) & needed) === 0) return 'role'
  if (role === 'entry') return 'no-guard'
  return wishes.exit?.kind === 'nearest' ? 'farther' : 'wish'
}

function byFlag({ out }: PositionTerms, { flags }: ExplainParts, at: number): DiscardReason | undefined {
  return BY_FLAG.find(([flag]) => (flags.at(at) & out & flag) !== 0)?.[1]
}

function lateReason({ out }: PositionTerms, { flags, weights }: ExplainParts, at: number): DiscardReason | undefined {
  const why = flags.at(at) & out
  if ((why & BUSY) !== 0) return 'busy'
  if ((why & LEFT) === 0) return undefined
  return ((weights.left[at] as number) & IS_SATURATED) === 0 ? 'red' : 'saturated'
}
