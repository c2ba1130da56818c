import assert from 'node:assert/strict'
import { test } from 'node:test'
import { playApart } from '../../src/simulation/play-apart.ts'
import type { play } from './scenarios/half-at-once.ts'

const SCENARIO = new URL('./scenarios/half-at-once.ts', import.meta.url)

const MEMBERS = 10_000
/** Of which two runs are compared. */
const FEWER = 200

test(`${FEWER} nodes start again, and half of them goes, the same way twice, to the byte`, async () => {
  const input = { seed: 'two hundred', members: FEWER }
  const { digest } = await playApart<typeof play>(SCENARIO, input)
  assert.equal((await playApart<typeof play>(SCENARIO, input)).digest, digest)
})

test(`${MEMBERS} nodes start again, follow the map, and give every record when half of them is gone at one moment`, async (t) => {
  const { digest, lines } = await playApart<typeof play>(SCENARIO, { seed: 'ten thousand', members: MEMBERS })
  for (const line of lines) t.diagnostic(line)
  t.diagnostic(`trace ${digest}`)
})
