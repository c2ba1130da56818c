import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { WeftError } from '@weft/core'
import type { Grant } from '../../src/http/scopes.ts'
import type {
  ChangedVpnProfileAnswer,
  ImportedVpnProfileAnswer,
  NewTokenAnswer,
  VpnProfileAnswer,
  VpnProfileDocumentAnswer,
  VpnProfilesAnswer,
  VpnStatusAnswer,
} from '../../src/routes/answers.ts'
import { type Answer, JSON_TYPE, call } from '../support/http.ts'
import { type TestDaemon, startTestDaemon, testConfig } from '../support/test-daemon.ts'
import { homeProfiles } from '../../src/daemon/home-profiles.ts'

interface Rig extends TestDaemon {
  readonly ask: (method: string, path: string, body?: unknown) => Promise<Answer>
}

async function rig(t: TestContext, toml?: string, prepare?: (home: string) => void): Promise<Rig> {
  const daemon = await startTestDaemon(t, toml, prepare)
  const ask: Rig['ask'] = (method, path, body) =>
    call({
      socketPath: daemon.socket,
      method,
      path: `/api/v1/vpn/${path}`,
      ...(body === undefined ? {} : { headers: JSON_TYPE, body: JSON.stringify(body) }),
    })
  return { ...daemon, ask }
}

const names = (answer: Answer): string[] => answer.json<VpnProfilesAnswer>().profiles.map(({ name }) => name)

test('a profile is created, shown, changed, used and deleted', async (t) => {
  const { ask, vpn, home } = await rig(t)
  assert.deepEqual(names(await ask('GET', 'profiles')), ['default', 'private', 'fast'])
  const made = (await ask('PUT', 'profiles/work', { exit: 'DE', hops: 4 })).json<ChangedVpnProfileAnswer>()
  assert.deepEqual([made.created, made.checked, made.profile.inUse], [true, false, false])
  assert.deepEqual(made.changes, [
    { field: 'exit', to: 'DE' },
    { field: 'hops', to: 4 },
  ])
  assert.equal((await ask('PUT', 'profiles/work', { hops: 2 })).code, 'E_PROFILE_EXISTS')
  // What nobody uses is told to nobody.
  assert.equal(vpn.profiles.length, 0)
  const used = (await ask('POST', 'profiles/work/use')).json<ChangedVpnProfileAnswer>()
  assert.deepEqual([used.profile.inUse, used.changes.length], [true, 2])
  assert.deepEqual(vpn.profiles.at(-1)?.route, {
    exit: 'DE',
    hops: 4,
    tier: 'standard',
    legs: 2,
    isolation: 'credentials',
    rotationMs: 600_000,
  })
  assert.equal((await ask('GET', '')).status, 404)
  const status = (await call({ socketPath: join(home, 'api.sock'), path: '/api/v1/vpn' })).json<VpnStatusAnswer>()
  assert.equal(status.profile.name, 'work')
  const changed = await ask('PUT', 'profiles/work?replace=true', { exit: 'DE', tier: 'high' })
  assert.deepEqual(changed.json<ChangedVpnProfileAnswer>().changes, [
    { field: 'hops', from: 4 },
    { field: 'tier', to: 'high' },
  ])
  assert.deepEqual([vpn.profiles.length, vpn.profiles[1]?.route.tier, vpn.profiles[1]?.route.hops], [2, 'high', 3])
  assert.equal((await ask('DELETE', 'profiles/work')).code, 'E_PROFILE_IN_USE')
  await ask('POST', 'profiles/default/use')
  assert.equal((await ask('DELETE', 'profiles/work')).status, 200)
  const gone = await ask('GET', 'profiles/work')
  assert.deepEqual([gone.status, gone.code], [404, 'E_PROFILE_UNKNOWN'])
})

test('default is what is configured, and a profile is that but for what it says', async (t) => {
  const toml = '[vpn]\ntun_exclude = ["192.168.0.0/16"]\ndns = "off"\n'
  const { ask, vpn, port } = await rig(t, toml)
  const { profile } = (await ask('GET', 'profiles/default')).json<VpnProfileAnswer>()
  assert.deepEqual(profile.fields, {})
  assert.deepEqual(
    [profile.effective.tunExclude, profile.effective.dns, profile.effective.tun],
    [['192.168.0.0/16'], 'off', 'off'],
  )
  assert.equal(vpn.init.dns, undefined)
  await ask('PUT', 'profiles/work', { dns: 'exit', tun: 'on', tunExcludeUsers: ['alice'] })
  await ask('POST', 'profiles/work/use')
  assert.deepEqual(vpn.profiles.at(-1)?.ways, {
    dns: { host: '127.0.0.1', port: port + 4 },
    tun: {
      isWanted: true,
      exclude: ['192.168.0.0/16'],
      include: [],
      excludePrograms: { users: ['alice'], cgroups: [] },
      includePrograms: { users: [], cgroups: [] },
      places: {
        exclude: {
          users: {
            name: "tunExcludeUsers of the profile 'work'",
            remedy: 'weft vpn profile set work, weft vpn up',
          },
          cgroups: { name: 'vpn.tun_exclude_cgroups', remedy: 'restart the daemon' },
        },
        include: {
          users: { name: 'vpn.tun_include_users', remedy: 'restart the daemon' },
          cgroups: { name: 'vpn.tun_include_cgroups', remedy: 'restart the daemon' },
        },
      },
    },
  })
})

test('a daemon starts with the profile that is in use', async (t) => {
  const file = JSON.stringify({ schemaVersion: 1, use: 'work', profiles: [{ name: 'work', legs: 1, tun: 'on' }] })
  const { vpn, ask } = await rig(t, '', (home) => writeFileSync(join(home, 'vpn-profiles.json'), file, { mode: 0o600 }))
  assert.deepEqual([vpn.init.profile?.legs, vpn.init.tun.isWanted], [1, true])
  assert.equal((await ask('GET', 'profiles/work')).json<VpnProfileAnswer>().profile.inUse, true)
})

test('what is wrong with a profile is told by field, and those that are built in stay', async (t) => {
  const { ask } = await rig(t)
  const wrong = await ask('PUT', 'profiles/work', { hops: 9 })
  assert.deepEqual([wrong.status, wrong.code], [400, 'E_PROFILE_INVALID'])
  assert.match(wrong.text, /hops is 9, and must be a whole number from 2 to 5/)
  assert.equal((await ask('PUT', 'profiles/Work', {})).code, 'E_PROFILE_INVALID')
  const other = await ask('PUT', 'profiles/work', { exit: 'UK' })
  assert.deepEqual([other.status, other.code], [400, 'E_PROFILE_INVALID'])
  assert.match(other.text, /United Kingdom is written GB/)
  assert.equal((await ask('PUT', 'profiles/work', { hop: 3 })).code, 'E_PROFILE_INVALID')
  const builtIn = await ask('PUT', 'profiles/private?replace=true', { hops: 2 })
  assert.deepEqual([builtIn.status, builtIn.code], [409, 'E_PROFILE_BUILT_IN'])
  const kept = await ask('DELETE', 'profiles/default')
  assert.equal(kept.code, 'E_PROFILE_BUILT_IN')
  assert.match(kept.text, /profiles that are built in stay/)
})

test('a profile goes by its document to another node, and a look before changes nothing', async (t) => {
  const { ask, home } = await rig(t)
  await ask('PUT', 'profiles/work', { hops: 4, tunExcludeUsers: ['alice'], tunExclude: ['10.0.0.0/8'] })
  const document = (await ask('GET', 'profiles/work/export')).json<VpnProfileDocumentAnswer>()
  assert.deepEqual(document, {
    schemaVersion: 1,
    kind: 'weft-vpn-profile',
    profile: { name: 'work', hops: 4, tunExclude: ['10.0.0.0/8'] },
    leftOut: ['tunExcludeUsers'],
  })
  assert.equal((await ask('POST', 'profiles/import', document)).code, 'E_PROFILE_EXISTS')
  const before = readFileSync(join(home, 'vpn-profiles.json'), 'utf8')
  const look = (await ask('POST', 'profiles/import?replace=true&check=true', document)).json<ImportedVpnProfileAnswer>()
  assert.deepEqual(
    [look.checked, look.created, look.changes, look.leftOut],
    [true, false, [{ field: 'tunExcludeUsers', from: ['alice'] }], ['tunExcludeUsers']],
  )
  assert.equal(readFileSync(join(home, 'vpn-profiles.json'), 'utf8'), before)
  const other = (await ask('POST', 'profiles/import?name=other', document)).json<ImportedVpnProfileAnswer>()
  assert.deepEqual([other.created, other.profile.name, other.profile.fields.hops], [true, 'other', 4])
  assert.equal((await ask('POST', 'profiles/import?replace=true', document)).status, 200)
  assert.notEqual(readFileSync(join(home, 'vpn-profiles.json'), 'utf8'), before)
})

const refusal = new WeftError({ code: 'E_KILL_SWITCH_RIGHTS', cause: 'Not by this user.', fix: 'Call it as root.' })

test('a kill switch that cannot be put on keeps its profile from being used and put up, with why', async (t) => {
  const { ask, vpn, killSwitch } = await rig(t)
  killSwitch.refuse = refusal
  // Having it is no claim: another node may have the rights.
  assert.equal((await ask('PUT', 'profiles/shut', { killSwitch: 'on' })).status, 200)
  for (const path of ['profiles/shut/use', 'up?profile=shut']) {
    const refused = await ask('POST', path)
    assert.deepEqual([refused.status, refused.code], [409, 'E_KILL_SWITCH_RIGHTS'])
    assert.match(refused.text, /Call it as root/)
  }
  assert.deepEqual([vpn.profiles.length, vpn.state], [0, 'off'])
  const inUse = (await ask('GET', 'profiles')).json<VpnProfilesAnswer>().profiles.find((each) => each.inUse)
  assert.equal(inUse?.name, 'default')
  // Nor does one that is in use get one.
  await ask('PUT', 'profiles/work', {})
  await ask('POST', 'profiles/work/use')
  const changed = await ask('PUT', 'profiles/work?replace=true', { killSwitch: 'allow-lan' })
  assert.equal(changed.code, 'E_KILL_SWITCH_RIGHTS')
  assert.deepEqual((await ask('GET', 'profiles/work')).json<VpnProfileAnswer>().profile.fields, {})
})

test('the kill switch follows the profile in use: put on by use and by up, not by down, taken back by another', async (t) => {
  const { ask, killSwitch } = await rig(t)
  await ask('PUT', 'profiles/shut', { killSwitch: 'allow-lan' })
  assert.deepEqual(killSwitch.wishes, [])
  assert.equal((await ask('POST', 'up?profile=shut')).status, 200)
  await ask('POST', 'down')
  await ask('POST', 'profiles/default/use')
  await ask('POST', 'up')
  assert.deepEqual(
    killSwitch.wishes.map(({ on, allowLan }) => [on, allowLan]),
    [
      [true, true],
      [true, true],
      [false, false],
    ],
  )
})

const HOSTILE = {
  schemaVersion: 1,
  kind: 'weft-vpn-profile',
  profile: {
    name: 'shut',
    killSwitch: 'on',
    tun: 'on',
    tunExclude: ['0.0.0.0/1', '128.0.0.0/1', '::/1', '8000::/1'],
  },
  leftOut: [],
}

test('a kill switch beside which a profile leads all is told, with the import, the use and the status', async (t) => {
  const { ask, socket: socketPath } = await rig(t)
  const imported = (await ask('POST', 'profiles/import', HOSTILE)).json<ImportedVpnProfileAnswer>()
  const used = (await ask('POST', 'profiles/shut/use')).json<ChangedVpnProfileAnswer>()
  const status = (await call({ socketPath, path: '/api/v1/vpn' })).json<VpnStatusAnswer>()
  for (const { warnings } of [imported.profile, used.profile, status.profile]) {
    assert.deepEqual(
      warnings.map(({ code }) => code),
      ['E_PROFILE_OPEN'],
    )
    assert.match(warnings[0]?.cause ?? '', /100% .*IPv4.* 100% .*IPv6.*tunExclude/)
    assert.match(warnings[0]?.fix ?? '', /weft vpn profile set shut --unset tunExclude/)
  }
  await ask('PUT', 'profiles/shut?replace=true', { killSwitch: 'on', tunExclude: ['192.168.0.0/16'] })
  const mended = (await ask('GET', 'profiles/shut')).json<VpnProfileAnswer>()
  assert.deepEqual(mended.profile.warnings, [])
})

test('a profile that would cut the machine off by its use alone says so before it is used, and no more after', async (t) => {
  const { ask } = await rig(t)
  const made = (await ask('PUT', 'profiles/shut', { killSwitch: 'allow-lan' })).json<ChangedVpnProfileAnswer>()
  const [warning] = made.profile.warnings
  assert.equal(warning?.code, 'E_PROFILE_SHUT')
  assert.match(warning.cause, /'shut'.*but the local network/)
  assert.match(warning.fix, /weft vpn profile set shut --tun on/)
  const led = (await ask('PUT', 'profiles/shut?replace=true', { killSwitch: 'on', tun: 'on' })).json<VpnProfileAnswer>()
  assert.deepEqual(led.profile.warnings, [])
  await ask('PUT', 'profiles/shut?replace=true', { killSwitch: 'on' })
  const used = (await ask('POST', 'profiles/shut/use')).json<ChangedVpnProfileAnswer>()
  assert.deepEqual(used.profile.warnings, [])
})

test('who imports a profile is told that it names users and programs of a machine', async (t) => {
  const { ask } = await rig(t)
  const profile = { name: 'shut', killSwitch: 'on', tun: 'on', tunIncludeUsers: ['nobody'], tunExcludeUsers: ['1000'] }
  const look = await ask('POST', 'profiles/import?check=true', { ...HOSTILE, profile })
  const { warnings } = look.json<ImportedVpnProfileAnswer>().profile
  assert.deepEqual(
    warnings.map(({ code }) => code),
    ['E_PROFILE_OPEN', 'E_PROFILE_FOREIGN'],
  )
  assert.match(warnings[1]?.cause ?? '', /tunExcludeUsers 1000.*tunIncludeUsers nobody/)
})

test('a switch that a person put on is told to be open by the profile in use, whatever that says of it', async (t) => {
  const { ask, socket: socketPath } = await rig(t)
  await ask('PUT', 'profiles/split', { tunIncludeUsers: ['alice'] })
  const used = (await ask('POST', 'profiles/split/use')).json<ChangedVpnProfileAnswer>()
  assert.deepEqual(used.profile.warnings, [])
  // Of the machine, as the VPN tells it.
  const { profile, killSwitch } = (await call({ socketPath, path: '/api/v1/vpn' })).json<VpnStatusAnswer>()
  assert.notEqual(killSwitch?.state, 'off')
  assert.deepEqual(
    profile.warnings.map(({ code }) => code),
    ['E_PROFILE_OPEN'],
  )
})

test('up uses the profile that it is given, and refuses where a file says what nothing can do', async (t) => {
  const { ask, vpn, home, killSwitch } = await rig(t)
  const up = (await ask('POST', 'up?profile=private')).json<VpnStatusAnswer>()
  assert.deepEqual([up.state, up.profile.name, vpn.profiles.at(-1)?.route.legs], ['connected', 'private', 1])
  assert.equal((await ask('POST', 'up?profile=gone')).code, 'E_PROFILE_UNKNOWN')
  await ask('POST', 'down')
  const file = { schemaVersion: 1, use: 'shut', profiles: [{ name: 'shut', killSwitch: 'on' }] }
  writeFileSync(join(home, 'vpn-profiles.json'), JSON.stringify(file), { mode: 0o600 })
  killSwitch.refuse = refusal
  assert.equal((await ask('POST', 'up')).code, 'E_KILL_SWITCH_RIGHTS')
  assert.equal(vpn.state, 'off')
})

test('what waits for up is told with each answer', async (t) => {
  const { ask, vpn, socket: socketPath } = await rig(t)
  vpn.pending = { fields: ['tun'], takes: 'up' }
  const used = (await ask('POST', 'profiles/fast/use')).json<ChangedVpnProfileAnswer>()
  assert.deepEqual(used.pending, { fields: ['tun'], takes: 'up' })
  const { profile } = (await call({ socketPath, path: '/api/v1/vpn' })).json<VpnStatusAnswer>()
  assert.deepEqual(profile, { name: 'fast', pending: { fields: ['tun'], takes: 'up' }, warnings: [] })
})

test('to read, to choose and to change are scopes of their own', async (t) => {
  const { socket: socketPath, port } = await startTestDaemon(t)
  const statuses = async (...scopes: Grant[]): Promise<number[]> => {
    const body = JSON.stringify({ name: scopes.join().replaceAll(/\W/g, '-'), scopes })
    const made = await call({ socketPath, method: 'POST', path: '/api/v1/tokens', headers: JSON_TYPE, body })
    const headers = { authorization: `Bearer ${made.json<NewTokenAnswer>().token}` }
    const profiles = '/api/v1/vpn/profiles'
    const put = {
      method: 'PUT',
      path: `${profiles}/work?replace=true`,
      headers: { ...headers, ...JSON_TYPE },
      body: '{}',
    }
    const answers = [
      await call({ port, headers, path: profiles }),
      await call({ port, headers, path: `${profiles}/fast/use`, method: 'POST' }),
      await call({ port, ...put }),
      await call({ port, headers, path: `${profiles}/work`, method: 'DELETE' }),
    ]
    return answers.map(({ status }) => status)
  }
  assert.deepEqual(await statuses('vpn:read'), [200, 403, 403, 403])
  assert.deepEqual(await statuses('vpn:use'), [403, 200, 403, 403])
  assert.deepEqual(await statuses('vpn:admin'), [403, 403, 200, 200])
})

test('a file that is damaged keeps a daemon from starting with what nobody meant, and says so', async (t) => {
  const damage = (home: string): void => writeFileSync(join(home, 'vpn-profiles.json'), '{', { mode: 0o600 })
  await assert.rejects(startTestDaemon(t, '', damage), { code: 'E_PROFILES_FILE' })
})

test('without a daemon the same file is changed alone', async (t) => {
  const { config } = await testConfig(t, '[vpn]\ntun = "on"\n')
  const profiles = await homeProfiles(config)
  await profiles.put('work', { hops: 2 }, { mode: 'create', check: false })
  const used = await profiles.use('work')
  assert.deepEqual([used.profile.inUse, used.profile.effective.tun, used.pending.fields], [true, 'on', []])
  assert.equal((await homeProfiles(config)).inUse.route.hops, 2)
})
