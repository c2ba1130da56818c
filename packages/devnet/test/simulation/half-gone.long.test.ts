import { test } from 'node:test'
import { playApart } from '../../src/simulation/play-apart.ts'
import type { play } from './scenarios/lose-half-and-heal.ts'

const SCENARIO = new URL('./scenarios/lose-half-and-heal.ts', import.meta.url)

/** By default not the 10,000 of the goal (docs/known-issues.md, Simulation). */
const MEMBERS = Number(process.env['WEFT_MEMBERS'] ?? 500)

test(`${MEMBERS} nodes that start again from their stored certificates and map keep every record when half of them goes within 30 s, and heal`, async (t) => {
  const { digest, lines } = await playApart<typeof play>(SCENARIO, { seed: 'half gone', members: MEMBERS })
  for (const line of lines) t.diagnostic(line)
  t.diagnostic(`trace ${digest}`)
})
