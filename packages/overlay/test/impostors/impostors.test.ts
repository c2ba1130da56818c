import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MAP_CHECKS } from '../../src/map/map-checks.ts'
import { attemptAll, testImpostors } from './impostors-properties.ts'

testImpostors(1_900, 1)

for (const missing of ['network', 'newer', 'not-ancient', 'quorum']) {
  test(`without the check of maps '${missing}' some would get in`, async () => {
    const checks = MAP_CHECKS.filter(({ name }) => name !== missing)
    const tallies = await attemptAll(190, 1, checks)
    assert.ok([...tallies.values()].some(({ accepted }) => accepted > 0))
  })
}
