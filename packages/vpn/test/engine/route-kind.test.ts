import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEFAULT, TUN_ROUTES } from '../../src/engine/isolated-routes.ts'
import { routeKind } from '../../src/engine/route-kind.ts'
import { DEFAULT_ROUTE_PROFILE, type RouteProfile } from '../../src/profile/route-profile.ts'

test('routes of each use have what is theirs, and follow the profile as it is at the moment', () => {
  let profile: RouteProfile = DEFAULT_ROUTE_PROFILE
  const of = (name: string | undefined): unknown[] => {
    const { end, legs, spares, tier, isNearest, rotationMs } = routeKind(name, () => profile)
    return [end, legs?.(), spares, tier?.(), isNearest?.(), rotationMs?.()]
  }
  const isolated = { used: 1, reserve: 1 }
  assert.deepEqual(of(undefined), ['service', undefined, 0, undefined, undefined, undefined])
  assert.deepEqual(of(DEFAULT), ['exit', { used: 2, reserve: 1 }, 2, 'standard', false, 600_000])
  assert.deepEqual(of(TUN_ROUTES), ['exit', { used: 2, reserve: 1 }, 2, 'standard', false, undefined])
  for (const name of ['Zm9v', '-to3']) assert.deepEqual(of(name), ['exit', isolated, 0, 'standard', false, 600_000])
  profile = { ...profile, exit: 'nearest', legs: 1, tier: 'high', rotationMs: 1_000 }
  assert.deepEqual(of(DEFAULT), ['exit', isolated, 2, 'high', true, 1_000])
  assert.deepEqual(of(TUN_ROUTES), ['exit', isolated, 2, 'high', true, undefined])
})
