import assert from 'node:assert/strict'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type KillSwitchWish, ProfilesFile } from '@weft/vpn'
import { loadConfig } from '../../src/config/load-config.ts'
import { configuredFields } from '../../src/daemon/configured-fields.ts'
import { VpnProfiles } from '../../src/daemon/vpn-profiles.ts'
import { testDirectory } from '../support/test-daemon.ts'

interface Rig {
  readonly profiles: VpnProfiles
  readonly path: string
  /** What happened, in its order: of the kill switch, and what the VPN was told of, by its hops. */
  readonly events: string[]
  /** What the kill switch fails with. */
  broken: Error | undefined
}

const ON = { killSwitch: 'on', hops: 4 } as const

/** A node with a kill switch that a test watches; its profiles `shut` and `open` are there. */
async function rig(t: TestContext): Promise<Rig> {
  const home = testDirectory(t)
  const path = join(home, 'vpn-profiles.json')
  const events: string[] = []
  const { values } = await loadConfig(['--home', home], {})
  const profiles = new VpnProfiles({
    file: new ProfilesFile(path),
    configured: configuredFields(values),
    dns: { host: '127.0.0.1', port: 4_784 },
    applyKillSwitch: async ({ on, allowLan }: KillSwitchWish) => {
      if (all.broken !== undefined) throw all.broken
      events.push(`${on ? 'on' : 'off'}${allowLan ? ' but the LAN' : ''} while ${profiles.inUse.name} is in use`)
    },
  })
  const all: Rig = { profiles, path, events, broken: undefined }
  profiles.follow({ setProfile: ({ hops }) => events.push(`${hops} hops`), pending: { fields: [], takes: undefined } })
  await profiles.put('shut', ON, { mode: 'create', check: false })
  await profiles.put('open', { hops: 5 }, { mode: 'create', check: false })
  assert.deepEqual(events, [])
  return all
}

test('the kill switch is on before a profile that wants it is in use, and off after', async (t) => {
  const { profiles, events } = await rig(t)
  await profiles.use('shut')
  await profiles.prepareUp()
  await profiles.put('shut', { ...ON, killSwitch: 'allow-lan' }, { mode: 'replace', check: false })
  await profiles.use('open')
  await profiles.prepareUp()
  assert.deepEqual(events, [
    'on while default is in use',
    '4 hops',
    'on while shut is in use',
    'on while shut is in use',
    '4 hops',
    'on but the LAN while shut is in use',
    '5 hops',
    'off while open is in use',
  ])
})

test('a kill switch that cannot be put on leaves all as it was; one that cannot be taken off is told', async (t) => {
  const all = await rig(t)
  const { profiles, events } = all
  all.broken = new Error('nftables')
  await assert.rejects(profiles.use('shut'), all.broken)
  assert.deepEqual([profiles.inUse.name, events], ['default', []])
  all.broken = undefined
  await profiles.use('shut')
  all.broken = new Error('nftables')
  await assert.rejects(profiles.prepareUp(), all.broken)
  await assert.rejects(profiles.put('shut', { killSwitch: 'allow-lan' }, { mode: 'replace', check: false }), all.broken)
  assert.deepEqual(profiles.get('shut').fields, { hops: 4, killSwitch: 'on' })
  await assert.rejects(profiles.use('default'), all.broken)
  assert.equal(profiles.inUse.name, 'default')
})

test('a file that cannot be written keeps the kill switch that its profile wants', async (t) => {
  const { profiles, events, path } = await rig(t)
  await profiles.use('shut')
  events.length = 0
  // What is written beside the file first finds a directory there.
  const blocked = `${path}.${process.pid}.new`
  mkdirSync(join(blocked, 'x'), { recursive: true })
  await assert.rejects(profiles.use('open'), { code: 'E_PROFILES_FILE' })
  rmSync(blocked, { recursive: true, force: true })
  assert.deepEqual([profiles.inUse.name, events], ['shut', []])
})

test('a file that cannot be written never opens the LAN that the profile in use shuts', async (t) => {
  const { profiles, events, path } = await rig(t)
  await profiles.put('lan', { killSwitch: 'allow-lan' }, { mode: 'create', check: false })
  await profiles.use('shut')
  events.length = 0
  const blocked = `${path}.${process.pid}.new`
  mkdirSync(join(blocked, 'x'), { recursive: true })
  await assert.rejects(profiles.use('lan'), { code: 'E_PROFILES_FILE' })
  await assert.rejects(profiles.put('shut', { killSwitch: 'allow-lan' }, { mode: 'replace', check: false }), {
    code: 'E_PROFILES_FILE',
  })
  rmSync(blocked, { recursive: true, force: true })
  assert.equal(profiles.inUse.name, 'shut')
  assert.deepEqual([...new Set(events)], ['on while shut is in use'])
})

test('a look changes nothing, and asks nothing of a kill switch', async (t) => {
  const { profiles, events } = await rig(t)
  await profiles.use('open')
  events.length = 0
  const look = await profiles.put('open', ON, { mode: 'replace', check: true })
  assert.deepEqual(
    [look.checked, look.changes.map(({ field }) => field), profiles.get('open').fields, events],
    [true, ['hops', 'killSwitch'], { hops: 5 }, []],
  )
})

test('changes at once go one after another', async (t) => {
  const { profiles, events } = await rig(t)
  await Promise.all([profiles.use('shut'), profiles.use('open'), profiles.use('shut')])
  assert.deepEqual(
    events.map((each) => each.replace(/ while .*/, '')),
    ['on', '4 hops', '5 hops', 'off', 'on', '4 hops'],
  )
})

test('a profile in use whose kill switch somebody took off says that nothing is held back', async (t) => {
  const { profiles } = await rig(t)
  const codes = (state: 'on' | 'off' | 'damaged' | 'unknown'): string[] =>
    profiles.warnings(state).map(({ code }) => code)
  assert.deepEqual(codes('off'), [])
  await profiles.use('shut')
  assert.deepEqual(codes('off'), ['E_KILL_SWITCH_OFF'])
  assert.match(profiles.warnings('off')[0]?.fix ?? '', /weft vpn up/)
  for (const state of ['on', 'damaged', 'unknown'] as const) assert.deepEqual(codes(state), [], state)
  await profiles.put('shut', { ...ON, tunExclude: ['0.0.0.0/1'] }, { mode: 'replace', check: false })
  assert.deepEqual(codes('off'), ['E_KILL_SWITCH_OFF', 'E_PROFILE_OPEN'])
})
