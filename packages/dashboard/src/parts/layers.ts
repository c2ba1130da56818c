import type { LeasesAnswer, MemberAnswer, MembersAnswer } from '@weft/node'

export type LayerName = MemberAnswer['layer']

/** From the innermost to the outermost. */
export const LAYERS: readonly { readonly name: LayerName; readonly title: string; readonly who: string }[] = [
  { name: 'validator', title: 'Validators', who: 'admit others and sign the map' },
  { name: 'core', title: 'Core', who: 'members that others dial: entry, relay, exit, gateway' },
  { name: 'regular', title: 'Regular', who: 'all other members' },
  { name: 'client', title: 'Clients', who: 'no members: this node, or those that hold a lease' },
]

/** One node as the layers show it. */
export interface LayerNode {
  readonly id: string
  readonly layer: LayerName
  readonly self: boolean
  readonly suspect: boolean
  /** Of a client nothing is known. */
  readonly state: MemberAnswer['peer']['state'] | undefined
}

/** All nodes that are known, members in the order of the map, then clients. */
export function layerNodes({ members }: Pick<MembersAnswer, 'members'>, leases: LeasesAnswer | undefined): LayerNode[] {
  const nodes: LayerNode[] = members.map(({ id, layer, self, suspect, peer }) => ({
    id,
    layer,
    self,
    suspect,
    state: peer.state,
  }))
  const client = { layer: 'client', suspect: false, state: undefined } as const
  const lent = (leases?.leases ?? []).map(({ id, self }) => ({ ...client, id, self }))
  nodes.push(...lent)
  // A client is in no list of others: it shows itself.
  if (!nodes.some(({ self }) => self)) nodes.push({ ...client, id: '', self: true })
  return nodes
}
