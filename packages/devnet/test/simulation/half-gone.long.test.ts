import { test } from 'node:test'
import { playApart } from '../../src/simulation/play-apart.ts'
import type { play } from './scenarios/lose-half-and-heal.ts'

const SCENARIO = new URL('./scenarios/lose-half-and-heal.ts', import.meta.url)

/** By default not the 10,000 of the goal (docs/known-issues.md, Simulation). */
const MEMBERS = Number(process.env['WEFT_MEMBERS'] ?? 500)

/** 99.99 % of records are the goal: 30,000 that are all read show it with 95 % confidence (the rule of three). */
const RECORDS = Number(process.env['WEFT_RECORDS'] ?? 100)

test(`${MEMBERS} nodes that start again from their stored certificates and map keep all ${RECORDS} records when half of them goes within 30 s, and heal`, async (t) => {
  const { digest, lines } = await playApart<typeof play>(SCENARIO, {
    seed: 'half gone',
    members: MEMBERS,
    records: RECORDS,
  })
  for (const line of lines) t.diagnostic(line)
  t.diagnostic(`trace ${digest}`)
})
