import type { DidKey } from '@weft/crypto'
import type { RouteMember } from './route-member.ts'

/** Roles of positions that are drawn anew for each route; guards are few, and others know more of them. */
const DRAWN = ['relay', 'exit'] as const

/**
 * Of nodes that others say failed, those that are left out: the last ones, as long as they are no more than those that stay, among relays as among exits. Beyond that whoever
 * slanders nodes one after the other would choose the routes.
 * @param failed those that failed last stand last
 */
export function boundedFailures(failed: readonly DidKey[], members: readonly RouteMember[]): DidKey[] {
  if (failed.length === 0) return []
  const named = new Set(failed)
  const known = new Map(members.flatMap((member) => (named.has(member.id) ? [[member.id, member] as const] : [])))
  const room = new Map(
    DRAWN.map((role) => [role, Math.floor(members.filter(({ roles }) => roles.includes(role)).length / 2)]),
  )
  const leftOut: DidKey[] = []
  for (const id of failed.toReversed()) {
    const roles = DRAWN.filter((role) => known.get(id)?.roles.includes(role) === true)
    if (roles.some((role) => (room.get(role) ?? 0) === 0)) continue
    for (const role of roles) room.set(role, (room.get(role) ?? 0) - 1)
    leftOut.unshift(id)
  }
  return leftOut
}
