/**
 * Gives as many shards as can be a node of their own: a maximum matching between shards and nodes (augmenting paths,
 * Kuhn 1955). A shard gets the first of its nodes that leaves as many of the others with one.
 * @param nodes for each shard, the nodes that may have it, best first.
 * @returns for each shard its node, or undefined where none is left for it.
 */
export function matching<Node>(nodes: readonly (readonly Node[])[]): (Node | undefined)[] {
  const shardAt = new Map<Node, number>()
  const augment = (shard: number, seen: Set<Node>): boolean => {
    for (const node of nodes[shard] ?? []) {
      if (seen.has(node)) continue
      seen.add(node)
      const other = shardAt.get(node)
      if (other === undefined || augment(other, seen)) {
        shardAt.set(node, shard)
        return true
      }
    }
    return false
  }
  for (const shard of nodes.keys()) augment(shard, new Set())
  const matched = nodes.map((): Node | undefined => undefined)
  for (const [node, shard] of shardAt) matched[shard] = node
  return matched
}

/**
 * The most shards that can be counted on distinct nodes at once, the "servers of happiness" of Tahoe-LAFS. Two shards at one
 * node count once.
 * @param holders for each shard, the nodes that have it on disk.
 */
export function happiness(holders: readonly (readonly string[])[]): number {
  return matching(holders).filter((node) => node !== undefined).length
}
