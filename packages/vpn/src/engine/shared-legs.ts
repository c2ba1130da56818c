import type { Fault } from '@weft/core'
import { type DidKey, shortId } from '@weft/crypto'

type Hops = readonly { readonly id: DidKey }[]

/** What is to be said of a leg that carries and has an entry or a relay that another such leg has: both end with it. Undefined of any other. */
export function sharedFault(hops: Hops, others: readonly Hops[]): Fault | undefined {
  const taken = new Set(others.flatMap((other) => other.slice(0, -1).map(({ id }) => id)))
  const shared = hops.slice(0, -1).find(({ id }) => taken.has(id))
  return (
    shared && {
      code: 'E_LEGS_SHARED',
      cause: `Legs share …${shortId(shared.id)}, since nobody else was there for it when they were chosen: should it fail, all of them end. Once others are there they are parted.`,
      fix: 'More members that are entries and relays help, of other families, networks and AS; weft vpn route --why shows what keeps each out.',
    }
  )
}
