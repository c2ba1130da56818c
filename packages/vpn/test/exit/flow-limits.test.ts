import assert from 'node:assert/strict'
import { test } from 'node:test'
import { flowLimits } from '../../src/exit/flow-limits.ts'

test('of tables as machines have them', () => {
  // Machines of 1 GB, of 2, and of more than 4; and one whose operator raised it.
  assert.deepEqual(flowLimits(8_192), { perClient: 256, groups: 16, perGroup: 256, perSecond: 64, atOnce: 512 })
  assert.deepEqual(flowLimits(65_536), { perClient: 1_024, groups: 16, perGroup: 2_048, perSecond: 64, atOnce: 2048 })
  assert.deepEqual(flowLimits(262_144), { perClient: 1_024, groups: 64, perGroup: 2_048, perSecond: 64, atOnce: 2048 })
  assert.deepEqual(flowLimits(2 ** 21), { perClient: 1_024, groups: 512, perGroup: 2_048, perSecond: 64, atOnce: 2048 })
  assert.deepEqual(flowLimits(0), { perClient: 1_024, groups: 1_024, perGroup: 2_048, perSecond: 64, atOnce: 2048 })
})

test('at least half of the table is left, and nobody may have more than a client or a group', () => {
  for (let max = 32; max < 2 ** 24; max = Math.ceil(max * 1.37)) {
    const { perClient, groups, perGroup } = flowLimits(max)
    assert.ok(groups * perGroup <= max / 2, String(max))
    assert.ok(perClient >= 1 && perClient <= Math.min(perGroup, 1_024), String(max))
    assert.equal(Math.log2(groups) % 1, 0, String(max))
  }
})
