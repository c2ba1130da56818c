import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { leastRoundTripMs, regionStanding } from '../../src/network/regions.ts'

const PAGE = readFileSync(new URL('../../../../docs/specs/admission.md', import.meta.url), 'utf8')
const NAMES = [...PAGE.matchAll(/^\| `([a-z-]+)` \| (-?\d+) \| (-?\d+) \| (\d+) \|$/gm)].map(([, name]) => name ?? '')

test('the page names the regions that are known', () => {
  assert.equal(NAMES.length, 22)
  // Each is far from one of these two.
  const isKnown = (name: string): boolean => ['australia', 'eu-west'].some((far) => leastRoundTripMs(far, name) > 0)
  for (const name of NAMES) assert.ok(isKnown(name), name)
  for (const name of ['unknown', 'eu', 'toString', '__proto__']) assert.ok(!isKnown(name), name)
})

test('a bound is the same both ways, none where regions touch or are not known, and never more than light needs around half the earth', () => {
  for (const a of NAMES) {
    assert.equal(leastRoundTripMs(a, a), 0)
    assert.equal(leastRoundTripMs(a, 'unknown'), 0)
    for (const b of NAMES) {
      assert.ok(Math.abs(leastRoundTripMs(a, b) - leastRoundTripMs(b, a)) < 1e-9)
      assert.ok(leastRoundTripMs(a, b) < 134)
    }
  }
})

test('the numbers of the page', () => {
  const rounded = (a: string, b: string): number => Math.round(leastRoundTripMs(a, b) * 10) / 10
  assert.equal(rounded('eu-west', 'eu-central'), 0)
  // 6,064 km apart, less 1,500 and 1,500.
  assert.ok(
    rounded('eu-west', 'us-east') > 19 && rounded('eu-west', 'us-east') < 22,
    `${rounded('eu-west', 'us-east')}`,
  )
  assert.ok(rounded('eu-central', 'australia') > 65, `${rounded('eu-central', 'australia')}`)
})

test('a region stands for what was held against it', () => {
  const standing = (region: string, judges: string[], simulated = false): string =>
    regionStanding(
      { region, simulated },
      judges.map((each) => ({ region: each })),
    )
  assert.equal(standing('australia', ['unknown', 'eu-west']), 'bounded')
  assert.equal(standing('eu-central', ['eu-west']), 'unverified', 'no round trip can speak against it')
  assert.equal(standing('atlantis', ['eu-west']), 'unverified')
  assert.equal(standing('australia', []), 'unverified')
  assert.equal(standing('australia', ['eu-west'], true), 'simulated')
})
