import assert from 'node:assert/strict'
import { test } from 'node:test'
import { growNetwork } from '../../src/simulation/grow-network.ts'
import { Simulation } from '../../src/simulation/simulation.ts'
import { playApart } from '../../src/simulation/play-apart.ts'
import type { play } from './scenarios/grow-and-lose.ts'

const SCENARIO = new URL('./scenarios/grow-and-lose.ts', import.meta.url)

const MEMBERS = 500

test(`${MEMBERS} nodes, a fifth of them behind NAT, are admitted one by one, and keep every record when a quarter of them is killed at once`, async (t) => {
  const { digest, lines } = await playApart<typeof play>(SCENARIO, { seed: 'five hundred', members: MEMBERS })
  for (const line of lines) t.diagnostic(line)
  t.diagnostic(`trace ${digest}`)
})

test('sixty nodes, three of ten behind NAT, grow the same way twice, to the byte', async () => {
  const digest = async (seed: string): Promise<string> => {
    using simulation = new Simulation({ seed, members: 60, behindNat: 0.3 })
    await growNetwork(simulation, { members: 60 })
    return simulation.trace.digest()
  }
  const first = await digest('sixty')
  assert.equal(await digest('sixty'), first)
  assert.notEqual(await digest('other'), first)
})
