/**
 * The most shards that can be counted on distinct nodes at once: a maximum matching between shards and nodes
 * (augmenting paths, Kuhn 1955), the "servers of happiness" of Tahoe-LAFS. Two shards at one node count once.
 * @param holders for each shard, the nodes that have it on disk.
 */
export function happiness(holders: readonly (readonly string[])[]): number {
  const shardAt = new Map<string, number>()
  const augment = (shard: number, seen: Set<string>): boolean => {
    for (const node of holders[shard] ?? []) {
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
  return holders.keys().reduce((count, shard) => count + (augment(shard, new Set()) ? 1 : 0), 0)
}
