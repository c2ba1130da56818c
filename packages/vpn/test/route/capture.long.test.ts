import assert from 'node:assert/strict'
import { test } from 'node:test'
import { captureInTheory, simulateCapture } from './simulate-capture.ts'

/** The goal of the VPN's design. */
const MOST = 1.1
const CLIENTS = 20_000
const ROUTES_OF_CLIENT = 50

for (const legs of [1, 2] as const)
  test(`1,000,000 routes under a tenth of hostile nodes, legs: ${legs}: captured at most 1.1 times the theory`, (t) => {
    const settings = { members: 200, hostile: 0.1, legs, clients: CLIENTS, routesOfClient: ROUTES_OF_CLIENT, seed: 7 }
    const { captured, routes, hostileEntries, hostileExits } = simulateCapture({ ...settings, claims: 'alike' })
    const theory = captureInTheory(settings)
    t.diagnostic(`captured ${captured}, theory ${theory}, ratio ${(captured / theory).toFixed(4)}`)
    t.diagnostic(`hostile exits ${hostileExits}, hostile entries ${hostileEntries}`)
    assert.equal(routes, 1_000_000)
    assert.ok(captured <= MOST * theory, `${captured / theory}`)
    // Less than the theory would mean that it is not what is simulated.
    assert.ok(captured >= theory / MOST, `${captured / theory}`)
  })
