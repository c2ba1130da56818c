import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  FIGURES,
  firstClaim,
  isAsGood,
  lackOf,
  loweredClaim,
  profileClaiming,
} from '../../../src/admission/measure/claims.ts'
import { demotionsOf } from '../../../src/admission/measure/demotions.ts'
import { Shortfall, decodeShortfall, encodeShortfall } from '../../../src/admission/measure/shortfall.ts'
import type { Measured } from '../../../src/admission/measured-field.ts'
import { codeOf, packetsOf, profileOf, testNetwork } from '../../fixtures.ts'

const NONE: Measured = {
  bandwidthMbps: undefined,
  lossPpm: undefined,
  storageBytes: undefined,
  availabilityPpm: undefined,
}
const MINIMUMS = {
  storage: { storageBytes: 1_000, bandwidthMbps: 5 },
  relay: { bandwidthMbps: 50, lossPpm: 1_000, availabilityPpm: 950_000 },
}
const profile = { ...profileOf(testNetwork(1, 1), 1), roles: ['storage', 'relay'] as const, packets: packetsOf(1) }

test('a node claims what is asked of its roles, or what its operator says; where that is nothing, nothing', () => {
  assert.deepEqual(firstClaim(MINIMUMS, ['storage', 'relay'], { storageBytes: 9_000 }), {
    bandwidthMbps: 50,
    lossPpm: 1_000,
    storageBytes: 9_000,
    availabilityPpm: 950_000,
  })
  assert.deepEqual(firstClaim(MINIMUMS, ['storage'], { bandwidthMbps: 20 }), {
    ...NONE,
    bandwidthMbps: 20,
    storageBytes: 1_000,
  })
  assert.equal(firstClaim({}, ['storage', 'relay'], { storageBytes: 9_000 }), undefined)
  assert.deepEqual(firstClaim({ storage: { lossPpm: 5 } }, ['storage'], {}), undefined, 'it carries no packets')
})

test('a claim that is too little for a role leaves that role out, with what only it needs, and no other', () => {
  const slow = { bandwidthMbps: 12, lossPpm: 500, storageBytes: 9_000, availabilityPpm: 990_000 }
  const claimed = profileClaiming(profile, MINIMUMS, slow, false)
  assert.deepEqual(claimed?.roles, ['storage'])
  assert.equal(claimed?.packets, undefined)
  assert.deepEqual(claimed?.measured, { ...slow, lossPpm: undefined })
  assert.equal(profileClaiming(profile, MINIMUMS, { ...slow, bandwidthMbps: 4 }, false), undefined)
  assert.deepEqual(profileClaiming(profile, {}, undefined, false), { ...profile, measured: undefined })
  const asking = { ...MINIMUMS, validator: { bandwidthMbps: 50 } }
  const validator = { ...profile, roles: ['validator', 'storage'] as const }
  assert.deepEqual(
    profileClaiming(validator, asking, slow, true)?.roles,
    ['validator', 'storage'],
    'a seat is not given up',
  )
  assert.deepEqual(profileClaiming(validator, asking, slow, false)?.roles, ['storage'], 'a candidacy is')
})

test('why a role is missing follows from the certificate', () => {
  const measured = { ...NONE, bandwidthMbps: 12, storageBytes: 9_000, availabilityPpm: 990_000 }
  const [demotion, ...others] = demotionsOf(profile.roles, MINIMUMS, { roles: ['storage'], measured })
  assert.deepEqual(others, [])
  assert.equal(demotion?.role, 'relay')
  assert.match(
    demotion?.cause ?? '',
    /at least 50 Mbit\/s each way .* relay, and no more than 12 Mbit\/s each way holds/,
  )
  assert.deepEqual(demotionsOf(profile.roles, MINIMUMS, { roles: profile.roles, measured }), [])
})

test('a claim is lowered to what a quorum found, whatever f others say', () => {
  const claim = { ...NONE, bandwidthMbps: 100 }
  const found = (...values: (number | undefined)[]): (Measured | undefined)[] =>
    values.map((value) => (value === undefined ? undefined : { ...NONE, bandwidthMbps: value }))
  const lower = (...values: (number | undefined)[]): number | undefined =>
    loweredClaim(claim, found(...values), 3, {})?.bandwidthMbps
  assert.equal(lower(60, 60, 60, 0), 54, 'one that lies says 0')
  assert.equal(lower(undefined, 60, 60, 80), 54)
  assert.equal(lower(undefined, undefined, undefined, 1), undefined, 'a quorum voted')
  assert.equal(lower(10, 10), undefined, 'too few have answered')
  const asked = loweredClaim(claim, found(52, 52, 52, 52), 3, { relay: { bandwidthMbps: 50 } })
  assert.equal(asked?.bandwidthMbps, 50, 'not below a minimum that was found')
})

const figures = fc.record({
  bandwidthMbps: fc.integer({ min: 1, max: 1_000 }),
  lossPpm: fc.integer({ min: 0, max: 900_000 }),
  storageBytes: fc.integer({ min: 1, max: 2 ** 40 }),
  availabilityPpm: fc.integer({ min: 1, max: 1_000_000 }),
})

test('property: lowering never claims more, and what honest validators found bounds it from both sides', () => {
  const honest = fc.array(fc.option(figures, { nil: undefined }), { minLength: 3, maxLength: 3 })
  fc.assert(
    fc.property(figures, honest, fc.option(figures, { nil: undefined }), (claim, truth, lie) => {
      const said = (each: Measured | undefined): Measured | undefined =>
        each === undefined ? undefined : onlyWorse(each, claim)
      const found = [...truth.map(said), said(lie)]
      const next = loweredClaim(claim, found, 3, {})
      if (next === undefined) return
      for (const figure of FIGURES) {
        const value = next[figure] as number
        assert.ok(isAsGood(figure, claim[figure], value), `${figure} is not more than was claimed`)
        const values = truth.map((each) => said(each)?.[figure] ?? claim[figure])
        const best = values.reduce((a, b) => (isAsGood(figure, a, b) ? a : b))
        assert.ok(isAsGood(figure, best, value), `${figure} is not more than the best of the honest found`)
      }
    }),
  )
})

/** What a validator says that measured so much: only that in which the claim does not hold. */
function onlyWorse(found: Measured, claim: Measured): Measured {
  const entries = FIGURES.map((figure) => {
    const value = found[figure] as number
    return [figure, isAsGood(figure, value, claim[figure] as number) ? undefined : value]
  })
  return Object.fromEntries(entries) as Measured
}

test('property: a shortfall is read as it was written; what names no lack is refused', () => {
  fc.assert(
    fc.property(figures, figures, (claim, found) => {
      const short = onlyWorse(found, claim)
      if (FIGURES.every((figure) => short[figure] === undefined)) return
      assert.deepEqual(decodeShortfall(encodeShortfall(short), claim), short)
      const error = new Shortfall(claim, short)
      assert.equal(error.code, 'E_ADMISSION_MEASURED')
    }),
  )
})

test('a validator cannot say that a claim holds and does not, or what nobody claimed', async () => {
  const claim = { ...NONE, bandwidthMbps: 20 }
  const refused = async (found: Partial<Measured>): Promise<string> =>
    codeOf(() => decodeShortfall(encodeShortfall({ ...NONE, ...found }), claim))
  assert.equal(await refused({ bandwidthMbps: 19 }), 'nothing')
  assert.equal(await refused({ bandwidthMbps: 20 }), 'E_SHORTFALL_MALFORMED')
  assert.equal(await refused({ bandwidthMbps: 19, lossPpm: 5 }), 'E_SHORTFALL_MALFORMED')
  assert.equal(await refused({}), 'E_SHORTFALL_MALFORMED')
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      try {
        decodeShortfall(bytes, claim)
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'E_SHORTFALL_MALFORMED')
      }
    }),
  )
})

test('what is asked of a role is compared by its own measure', () => {
  assert.equal(lackOf('relay', MINIMUMS, { ...NONE, bandwidthMbps: 50, lossPpm: 1_001, availabilityPpm: 1 }), 'lossPpm')
  assert.equal(lackOf('storage', MINIMUMS, { ...NONE, bandwidthMbps: 5, storageBytes: 1_000 }), undefined)
  assert.equal(lackOf('exit', MINIMUMS, undefined), undefined)
})
