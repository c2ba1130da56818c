import assert from 'node:assert/strict'
import { test } from 'node:test'
import { blockedLines } from '../src/output/blocked-lines.ts'

type Changed = Parameters<typeof blockedLines>[0]
type Status = NonNullable<Parameters<typeof blockedLines>[1]>

function changed(killSwitch: 'on' | 'off' | 'allow-lan', tun: 'on' | 'off' = 'off', more: object = {}): Changed {
  const profile = { name: 'w', builtIn: false, inUse: true, fields: {}, effective: { killSwitch, tun } }
  return { profile, changes: [{ field: 'killSwitch', to: killSwitch }], checked: false, ...more } as unknown as Changed
}

const told = (change: Changed, status?: object): string => blockedLines(change, status as Status | undefined).join('\n')

test('a kill switch that a profile puts on: what it holds back, and how to unblock', () => {
  const text = told(changed('on'), { state: 'connected' })
  assert.match(text, /^The kill switch is on: nothing leaves this machine but through the tunnel, /)
  assert.match(text, /Warning: tun of the profile is off: only programs that are set to the proxy get out\./)
  assert.match(text, /as root: weft vpn killswitch off$/)
  assert.match(told(changed('allow-lan'), { state: 'off' }), /but to the LAN and through the tunnel/)
})

test('it warns where nothing gets out', () => {
  assert.match(told(changed('on')), /Warning: no daemon runs, so that nothing leaves/)
  assert.match(
    told(changed('on'), { state: 'blocked' }),
    /tun of the profile is off: no exit stands, so that nothing leaves/,
  )
  assert.match(told(changed('on', 'on'), { state: 'blocked' }), /the tunnel is not up yet: no exit stands/)
  assert.match(
    told(changed('on', 'on'), { state: 'connected', tun: { state: 'waiting' } }),
    /the tunnel has no exit yet/,
  )
  assert.doesNotMatch(told(changed('on', 'on'), { state: 'connected', tun: { state: 'open' } }), /Warning/)
})

test('it says that a person ordered the LAN shut', () => {
  const killSwitch = { state: 'on', allowLan: false, orderedBy: ['person', 'profile'] }
  assert.match(told(changed('allow-lan'), { state: 'connected', killSwitch }), /The LAN stays shut: .*--allow-lan/)
})

test('nothing where the kill switch is off, not changed, only checked, or of a profile that is not in use', () => {
  const status = { state: 'connected' }
  assert.equal(told(changed('off'), status), '')
  assert.equal(told(changed('on', 'off', { changes: [] }), status), '')
  assert.equal(told(changed('on', 'off', { checked: true }), status), '')
  const { profile } = changed('on')
  assert.equal(told(changed('on', 'off', { profile: { ...profile, inUse: false } }), status), '')
})
