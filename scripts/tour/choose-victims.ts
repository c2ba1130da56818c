import type { DevnetNode } from '@weft/devnet'

export interface HeldObject {
  readonly class: { readonly name: string; readonly k: number; readonly n: number }
  readonly segments: readonly { readonly shards: readonly { readonly node: string; readonly state: string }[] }[]
}

/**
 * As many holders as the class bears to lose, n - k: no segment loses more than that, as none has two shards on one
 * node. Nodes that are no validators first, so that the map goes on being signed.
 */
export function chooseVictims(object: HeldObject, nodes: readonly DevnetNode[]): readonly DevnetNode[] {
  const holders = holdersOf(object, nodes)
  const plain = holders.filter(({ roles }) => !roles.includes('validator'))
  const validators = holders.filter(({ roles }) => roles.includes('validator'))
  return [...plain, ...validators].slice(0, object.class.n - object.class.k)
}

/** The nodes that hold a shard of any segment, in the order of the devnet. */
export function holdersOf(object: HeldObject, nodes: readonly DevnetNode[]): readonly DevnetNode[] {
  const ids = new Set(object.segments.flatMap(({ shards }) => shards.map(({ node }) => node)))
  return nodes.filter(({ id }) => ids.has(id))
}
