import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CaptureSettings, captureInTheory, simulateCapture } from './simulate-capture.ts'

const SETTINGS = { members: 100, hostile: 0.1, clients: 3_000, routesOfClient: 8, seed: 1 } as const

/** Standard deviation of a part of routes, all of a client's counted as one: they have the same guards. */
const deviation = (part: number): number => Math.sqrt((part * (1 - part)) / SETTINGS.clients)

test('the theory: 1 % with one leg, 1.9 % with two', () => {
  const large = { members: 1e6, hostile: 0.1 }
  assert.equal(captureInTheory({ ...large, legs: 1 }).toFixed(4), '0.0100')
  assert.equal(captureInTheory({ ...large, legs: 2 }).toFixed(4), '0.0190')
})

for (const legs of [1, 2] as const)
  test(`a tenth of hostile nodes captures what the theory gives: ${legs === 1 ? 'one leg' : 'two legs'}`, (t) => {
    const settings: CaptureSettings = { ...SETTINGS, legs, claims: 'alike' }
    const { captured, hostileEntries, hostileExits, routes } = simulateCapture(settings)
    const theory = captureInTheory(settings)
    t.diagnostic(`${captured} of ${routes}, theory ${theory}, ratio ${captured / theory}`)
    const entries = captureInTheory({ ...settings, legs: 1 }) / settings.hostile
    // Five standard deviations: a bias of a third would show.
    assert.ok(Math.abs(hostileEntries - entries) < 5 * deviation(entries), `entries ${hostileEntries}`)
    assert.ok(Math.abs(hostileExits - 0.1) < 5 * Math.sqrt(0.09 / routes), `exits ${hostileExits}`)
    const once = theory / settings.hostile
    assert.ok(Math.abs(captured - theory) < settings.hostile * 5 * deviation(once), `captured ${captured} of ${theory}`)
  })

test('hostile nodes that say they have no load capture more by their part of exits alone, and by less than a half', () => {
  const { captured, hostileEntries, hostileExits } = simulateCapture({ ...SETTINGS, legs: 1, claims: 'flattering' })
  assert.ok(Math.abs(hostileEntries - 0.09) < 5 * deviation(0.09), `entries ${hostileEntries}`)
  assert.ok(hostileExits > 0.1 && hostileExits < 0.15, `exits ${hostileExits}`)
  assert.ok(captured < 1.7 * captureInTheory({ ...SETTINGS, legs: 1 }))
})
