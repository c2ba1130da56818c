import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkCountry } from '../../src/profile/check-country.ts'

test('a country is one of today', () => {
  checkCountry({})
  for (const exit of ['auto', 'nearest', 'eu', 'GB', 'DE', 'TW', 'HK', 'XK', 'AX', 'CW']) checkCountry({ exit })
  for (const [exit, slip] of [
    ['UK', /exit is "UK"; United Kingdom is written GB/],
    ['DD', /Germany is written DE/],
    ['QQ', /which is no country/],
    ['EU', /the region is written eu/],
    ['UN', /which is no country/],
    ['ZZ', /which is no country/],
  ] as const)
    assert.throws(() => checkCountry({ exit }), {
      code: 'E_PROFILE_INVALID',
      message: slip,
      details: { field: 'exit' },
    })
})
