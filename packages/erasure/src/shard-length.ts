import { WeftError } from '@weft/core'

/**
 * The one length of all shards in a list, in bytes; places of missing shards do not count.
 * @param field the name of the parameter, for the error.
 * @param expected the length they must have; by default that of the first that is there.
 * @throws WeftError E_ERASURE_SHARD_COUNT unless there are `count` places, E_ERASURE_SHARD_LENGTH when a length differs.
 */
export function shardLength(
  field: string,
  shards: readonly (Uint8Array | undefined)[],
  count: number,
  expected?: number,
): number {
  if (shards.length !== count) {
    throw new WeftError({
      code: 'E_ERASURE_SHARD_COUNT',
      cause: `${field} has ${shards.length} places instead of ${count}.`,
      fix: `Give exactly ${count}, one for each shard in the order of their indices.`,
      details: { field, given: shards.length, expected: count },
    })
  }
  const length = expected ?? shards.find((shard) => shard !== undefined)?.length ?? 0
  for (const [at, shard] of shards.entries()) {
    if (shard === undefined || shard.length === length) continue
    throw new WeftError({
      code: 'E_ERASURE_SHARD_LENGTH',
      cause: `${field}[${at}] has ${shard.length} bytes instead of ${length}.`,
      fix: 'Give shards of one length; pad the last one of an object with zeros.',
      details: { field, at, given: shard.length, expected: length },
    })
  }
  return length
}
