import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isRegion, regionOf } from '../../src/route/regions.ts'

test('countries of the fixed list are in their regions, all others in the rest', () => {
  const expected = {
    US: 'na',
    GB: 'eu',
    FR: 'eu',
    HK: 'as',
    AU: 'oc',
    CL: 'sa',
    CH: 'eu',
    MX: 'na',
    NZ: 'oc',
    ZA: 'rest',
    AQ: 'rest',
    '': 'rest',
    de: 'rest',
  }
  for (const [country, region] of Object.entries(expected)) assert.equal(regionOf(country), region, country)
  assert.ok(isRegion('eu') && isRegion('rest') && !isRegion('EU') && !isRegion('europe'))
})
