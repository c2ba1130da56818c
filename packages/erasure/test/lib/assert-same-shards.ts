import assert from 'node:assert/strict'

/** Like deepEqual, but names the first difference instead of printing both sides, which takes minutes for long shards. */
export function assertSameShards(
  actual: readonly (Uint8Array | undefined)[],
  expected: readonly (Uint8Array | undefined)[],
  label: string,
): void {
  assert.equal(actual.length, expected.length, `${label}: number of shards`)
  for (const [index, shard] of actual.entries()) {
    const wanted = expected[index]
    assert.ok(shard !== undefined && wanted !== undefined, `${label}: shard ${index} is there`)
    assert.equal(shard.length, wanted.length, `${label}: length of shard ${index}`)
    if (Buffer.compare(shard, wanted) === 0) continue
    const at = shard.findIndex((byte, position) => byte !== wanted[position])
    assert.equal(at, -1, `${label}: shard ${index} differs at byte ${at}`)
  }
}
