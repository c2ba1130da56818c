import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isWeftError } from '@weft/core'
import fc from 'fast-check'
import { BUILT_IN_PROFILES } from '../../src/profile/built-in-profiles.ts'
import { compareProfiles } from '../../src/profile/compare-profiles.ts'
import { parseProfile, writtenProfile } from '../../src/profile/parse-profile.ts'
import { PROFILE_FIELDS } from '../../src/profile/profile-values.ts'
import { anyWritten } from './make-profile.ts'

test('what is written is read as it was, whatever the order of its fields', () => {
  fc.assert(
    fc.property(anyWritten, (written) => {
      const profile = parseProfile(written)
      assert.deepEqual({ ...writtenProfile(profile) }, { ...written })
      const reversed = Object.fromEntries(Object.entries(written).reverse())
      assert.equal(JSON.stringify(parseProfile(reversed)), JSON.stringify(profile))
      assert.deepEqual(compareProfiles(profile.fields, parseProfile(reversed).fields), [])
    }),
  )
})

test('the profiles that are built in are valid', () => {
  for (const profile of BUILT_IN_PROFILES) assert.deepEqual(parseProfile(writtenProfile(profile)), profile)
})

const NODE = 'did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK'

/** Field, a value that it may not have, and what the error says is valid. */
const REFUSED: readonly (readonly [string, unknown, RegExp])[] = [
  ['name', 'Work', /1 to 32 of a-z, 0-9 and -/],
  ['name', '', /1 to 32/],
  ['name', 'x'.repeat(33), /1 to 32/],
  ['name', undefined, /1 to 32/],
  ['exit', 'germany', /Germany is written DE, .*a country such as DE/],
  ['exit', 'de', /a country such as DE/],
  ['exit', 'Europe', /Europe is written eu, .*a country such as DE/],
  ['exit', 'north-america', /north-america is written na, /],
  // The end of an id names one node today and two tomorrow.
  ['exit', NODE.slice(-8), /the end of an id is not enough here, .*did:key of a node/],
  ['exit', 7, /did:key of a node/],
  ['hops', 1, /from 2 to 5/],
  ['hops', 6, /from 2 to 5/],
  ['hops', 2.5, /from 2 to 5/],
  ['hops', '3', /from 2 to 5/],
  ['tier', 'max', /off, standard, high/],
  ['legs', 3, /one of 1, 2/],
  ['isolation', 'user', /none, credentials, destination/],
  ['rotationMinutes', 0, /from 1 to 1440/],
  ['rotationMinutes', 1_441, /from 1 to 1440/],
  ['killSwitch', true, /off, on, allow-lan/],
  ['tun', true, /on, off/],
  ['dns', 'on', /exit, off/],
  ['tunExclude', '10.0.0.0/8', /list of at most 256/],
  ['tunExclude', ['10.0.0.1/8'], /a CIDR/],
  ['tunInclude', ['10.0.0.0/8', '10.0.0.0/8'], /twice/],
  ['tunInclude', Array.from({ length: 257 }, (_, at) => `10.${at >> 8}.${at & 255}.0/24`), /at most 256/],
  ['tunExcludeUsers', ['a b'], /name of a user/],
  ['tunIncludeUsers', [1000], /name of a user/],
  ['tunExcludeUsers', Array.from({ length: 65 }, (_, at) => `u${at}`), /at most 64/],
  ['tunExcludeCgroups', ['system.slice'], /path of a cgroup/],
  ['tunIncludeCgroups', ['/a/../b'], /path of a cgroup/],
  ['exitNode', 'auto', /fields are exit, hops/],
  ['__proto__', {}, /fields are exit, hops/],
]

test('what may not be is refused, with the field and what is valid', () => {
  for (const [field, value, valid] of REFUSED) {
    const entries: (readonly [string, unknown])[] = [
      ['name', 'x'],
      [field, value],
    ]
    const written = Object.fromEntries(entries) as Record<string, unknown>
    if (value === undefined) delete written[field]
    assert.throws(
      () => parseProfile(written),
      (error) => {
        assert.ok(isWeftError(error, 'E_PROFILE_INVALID'), `${field} ${JSON.stringify(value)}`)
        assert.equal(error.details['field'], field)
        assert.match(`${error.cause} ${error.fix}`, valid)
        assert.ok(error.cause.length < 400)
        return true
      },
    )
  }
})

test('the id of a node is an exit', () => {
  assert.equal(parseProfile({ name: 'x', exit: NODE }).fields.exit, NODE)
})

test('what is no object is no profile', () => {
  for (const value of [undefined, null, 1, 'x', [], [['name', 'x']]])
    assert.throws(() => parseProfile(value), { code: 'E_PROFILE_INVALID' })
})

test('a profile has a bound, whatever its lists hold', () => {
  const cgroups = Array.from({ length: 64 }, (_, at) => `/${'a'.repeat(509)}${String(at).padStart(2, '0')}`)
  assert.doesNotThrow(() => parseProfile({ name: 'x', tunExcludeCgroups: cgroups.slice(0, 60) }))
  assert.throws(() => parseProfile({ name: 'x', tunExcludeCgroups: cgroups }), /limit is 32768/)
})

test('a profile compared says each field that is another', () => {
  assert.deepEqual(compareProfiles({ hops: 3, tun: 'on' }, { hops: 4, dns: 'off', tun: 'on' }), [
    { field: 'hops', from: 3, to: 4 },
    { field: 'dns', from: undefined, to: 'off' },
  ])
  assert.equal(new Set(PROFILE_FIELDS).size, 15)
})

test('a country in small letters is told how it is written', () => {
  assert.throws(
    () => parseProfile({ name: 'a', exit: 'de' }),
    (error) => isWeftError(error, 'E_PROFILE_INVALID') && /exit is "de"; a country is written DE, /.test(error.cause),
  )
})
