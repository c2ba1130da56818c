import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BUILT_IN_PROFILES } from '../../src/profile/built-in-profiles.ts'
import { type ConfiguredFields, resolveProfile, routeProfileOf } from '../../src/profile/resolve-profile.ts'
import { DEFAULT_ROUTE_PROFILE } from '../../src/profile/route-profile.ts'

const CONFIGURED: ConfiguredFields = {
  tun: 'on',
  tunExclude: ['192.168.0.0/16'],
  tunInclude: [],
  tunExcludeUsers: ['alice'],
  tunIncludeUsers: [],
  tunExcludeCgroups: [],
  tunIncludeCgroups: [],
  dns: 'off',
}

test('what is left out is as configured, and a list is the whole list', () => {
  const resolved = resolveProfile({ tunExclude: ['10.0.0.0/8'], tunExcludeUsers: [] }, CONFIGURED)
  assert.deepEqual(
    [resolved.tun, resolved.dns, resolved.tunExclude, resolved.tunExcludeUsers],
    ['on', 'off', ['10.0.0.0/8'], []],
  )
})

test('routes of those that are built in', () => {
  const routes = BUILT_IN_PROFILES.map(({ fields }) => routeProfileOf(resolveProfile(fields, CONFIGURED)))
  assert.deepEqual(routes, [
    DEFAULT_ROUTE_PROFILE,
    { ...DEFAULT_ROUTE_PROFILE, tier: 'high', legs: 1, isolation: 'destination' },
    { ...DEFAULT_ROUTE_PROFILE, tier: 'off' },
  ])
})
