import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { MachineWays } from '../../src/engine/engine-init.ts'
import { machineWaysOf } from '../../src/profile/machine-ways.ts'
import { resolveProfile } from '../../src/profile/resolve-profile.ts'
import type { ProfileFields } from '../../src/profile/profile.ts'
import { type RunningWays, pendingWays, waysAfterUp } from '../../src/profile/running-ways.ts'
import { anyProfile } from './make-profile.ts'

const CONFIGURED = {
  tun: 'off',
  tunExclude: [],
  tunInclude: [],
  tunExcludeUsers: [],
  tunIncludeUsers: [],
  tunExcludeCgroups: [],
  tunIncludeCgroups: [],
  dns: 'exit',
} as const

const ways = (fields: ProfileFields): MachineWays =>
  machineWaysOf({ name: 'test', fields }, resolveProfile(fields, CONFIGURED), { host: '127.0.0.1', port: 53 })
const up = (wanted: MachineWays, before?: RunningWays): RunningWays => waysAfterUp(before, wanted, wanted.tun.isWanted)
const pending = (running: RunningWays | undefined, wanted: MachineWays): ReturnType<typeof pendingWays> =>
  pendingWays(running, wanted, wanted.tun.isWanted)

test('a VPN that is down, or was put up by the same profile, has nothing to do', () => {
  fc.assert(
    fc.property(anyProfile, ({ fields }) => {
      const wanted = ways(fields)
      assert.deepEqual(pending(undefined, wanted).fields, [])
      assert.deepEqual(pending(up(wanted), wanted), { fields: [], takes: undefined })
    }),
  )
})

test('what is told to take up alone is done by it, and all by down and up', () => {
  fc.assert(
    fc.property(anyProfile, anyProfile, (before, after) => {
      const running = up(ways(before.fields))
      const wanted = ways(after.fields)
      const { fields, takes } = pending(running, wanted)
      assert.equal(takes === undefined, fields.length === 0)
      assert.equal(pending(up(wanted, running), wanted).fields.length === 0, takes !== 'again')
      assert.deepEqual(pending(up(wanted), wanted).fields, [])
    }),
  )
})

test('each thing that stands otherwise is named', () => {
  const running = up(ways({ tun: 'on', tunExclude: ['10.0.0.0/8'] }))
  assert.deepEqual(pending(running, ways({ tun: 'on', tunExcludeUsers: ['alice'], dns: 'off' })), {
    fields: ['tunExclude', 'tunExcludeUsers', 'dns'],
    takes: 'again',
  })
  // Lists of a tunnel that is not to be say nothing.
  assert.deepEqual(pending(running, ways({ tunExcludeUsers: ['alice'] })), { fields: ['tun'], takes: 'again' })
  assert.deepEqual(pending(up(ways({})), ways({ tun: 'on' })), { fields: ['tun'], takes: 'up' })
})

test('who put the VPN up with or without a tunnel has the last word until it is down', () => {
  const wanted = ways({ tun: 'off' })
  const running = waysAfterUp(undefined, wanted, true)
  assert.deepEqual(pendingWays(running, wanted, true).fields, [])
  assert.deepEqual(pendingWays(running, wanted, false).fields, ['tun'])
})
