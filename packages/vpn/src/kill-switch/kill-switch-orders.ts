import type { KillSwitchTerms } from './kill-switch-rules.ts'

/** Who wants it on: a person by `weft vpn killswitch on`, or the profile in use. */
export type OrderedBy = 'person' | 'profile'

/** How one of them wants it. */
interface How {
  readonly allowLan: boolean
  readonly boot: boolean
}

/** One of them at least. */
export type KillSwitchOrders = Partial<Readonly<Record<OrderedBy, How>>>

/** What is kept of a switch that is on. */
export interface Kept {
  /** ms since the Unix epoch. */
  readonly since: number
  readonly home: string
  readonly uid: number
  readonly orders: KillSwitchOrders
}

/** All orders together: the LAN is let out where each of them lets it out, and the rules come back with the machine where one of them wants that. */
export function termsOf({ since, uid, orders }: Kept): KillSwitchTerms & How {
  const all = Object.values(orders)
  return { since, uid, allowLan: all.every(({ allowLan }) => allowLan), boot: all.some(({ boot }) => boot) }
}

/** With another order beside those of the same home: a switch is for the daemon of one. */
export function withOrder(before: Kept | undefined, home: string, by: OrderedBy, how: How): KillSwitchOrders {
  return { ...(before?.home === home ? before.orders : {}), [by]: how }
}

/** Undefined where nobody else wants it on. */
export function withoutProfile({ person }: KillSwitchOrders): KillSwitchOrders | undefined {
  return person === undefined ? undefined : { person }
}

export function textOfKept(kept: Kept): string {
  return `${JSON.stringify({ schemaVersion: 1, ...kept })}\n`
}

/** The last one is nobody's (chown(2)). */
const MOST_UID = 2 ** 32 - 2

/** Undefined of what says nothing, or what no rules can be made of. */
export function parseKept(text: string): Kept | undefined {
  try {
    const { since, home, uid, orders } = JSON.parse(text) as Record<string, unknown>
    if (!isNatural(since) || !isNatural(uid) || uid > MOST_UID || typeof home !== 'string') return undefined
    const [person, profile] = (['person', 'profile'] as const).map((by) => parseHow((orders as KillSwitchOrders)[by]))
    if (person === undefined && profile === undefined) return undefined
    const known = { ...(person && { person }), ...(profile && { profile }) }
    return { since, home, uid, orders: known }
  } catch {
    return undefined
  }
}

function isNatural(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function parseHow(value: unknown): How | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { allowLan, boot } = value as Record<string, unknown>
  return { allowLan: allowLan === true, boot: boot === true }
}
