import assert from 'node:assert/strict'
import { chownSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { ChangedVpnProfileAnswer, VpnProfilesAnswer } from '@weft/node'
import { type Finished, runWeft, startWeft } from '../fixtures/run-weft.ts'
import { serveApi } from '../fixtures/serve-api.ts'

interface Home {
  readonly home: string
  /** `weft vpn profile …` in it, without a daemon. */
  readonly profile: (args: readonly string[], input?: string) => Promise<Finished>
}

function open(t: TestContext): Home {
  const home = mkdtempSync(join(tmpdir(), 'weft-cli-'))
  t.after(() => rmSync(home, { recursive: true, force: true }))
  return { home, profile: (args, input) => runWeft(['vpn', 'profile', ...args], { WEFT_HOME: home }, input) }
}

const errorOf = ({ stdout }: Finished): { code: string; cause: string; fix: string } =>
  (JSON.parse(stdout) as { error: { code: string; cause: string; fix: string } }).error

test('without a daemon profiles are made, changed, copied, used and deleted in the home', async (t) => {
  const { home, profile } = open(t)
  const made = await profile([
    'create',
    'work',
    '--exit',
    'DE',
    '--hops',
    '4',
    '--tun-exclude',
    '10.0.0.0/8, 192.168.0.0/16',
    '--json',
  ])
  assert.equal(made.code, 0, made.stderr)
  const { created, profile: view } = JSON.parse(made.stdout) as ChangedVpnProfileAnswer
  assert.deepEqual(
    [created, view.fields],
    [true, { exit: 'DE', hops: 4, tunExclude: ['10.0.0.0/8', '192.168.0.0/16'] }],
  )
  assert.deepEqual([view.effective.tier, view.effective.legs, view.inUse], ['standard', 2, false])
  assert.equal(statSync(join(home, 'vpn-profiles.json')).mode & 0o777, 0o600)
  const set = await profile(['set', 'work', '--tier', 'high', '--tun-exclude', '', '--unset', 'exit'])
  assert.equal(set.code, 0, set.stderr)
  assert.match(set.stdout, /exit: DE -> as configured\n {2}tier: as configured -> high\n {2}tunExclude: .* -> none/)
  assert.equal((await profile(['copy', 'private', 'mine'])).code, 0)
  const used = await profile(['use', 'work'])
  assert.match(used.stderr, /The profile work is in use[^]*No daemon runs with this home/)
  const listed = await profile(['list'])
  assert.match(listed.stdout, /^default .*as configured$/m)
  assert.match(listed.stdout, /^private +built in +tier high, legs 1, isolation destination$/m)
  assert.match(listed.stdout, /^mine +own +tier high, legs 1, isolation destination$/m)
  assert.match(listed.stdout, /^work +in use +own +hops 4, tier high, tunExclude none$/m)
  const refused = await profile(['delete', 'work', '--json'])
  assert.deepEqual([refused.code, errorOf(refused).code], [1, 'E_PROFILE_IN_USE'])
  assert.match(errorOf(refused).fix, /weft vpn profile use default/)
  assert.equal((await profile(['use', 'default'])).code, 0)
  assert.equal((await profile(['delete', 'work'])).code, 0)
  const gone = await profile(['show', 'work'])
  assert.deepEqual([gone.code, gone.stderr.startsWith('E_PROFILE_UNKNOWN: ')], [5, true])
})

test('show tells what holds on this node, and what of it the profile says', async (t) => {
  const { home, profile } = open(t)
  writeFileSync(join(home, 'weft.toml'), '[vpn]\ntun_exclude_users = ["alice"]\n')
  await profile(['create', 'work', '--hops', '5'])
  const { stdout } = await profile(['show', 'work'])
  assert.match(stdout, /^work\n[^]* hops +5\n/)
  assert.match(stdout, / tunExcludeUsers +alice {2}\(as configured\)\n/)
})

test('what a profile may not be is exit code 2, with the field and what is valid', async (t) => {
  const { home, profile } = open(t)
  for (const [args, cause] of [
    [['create', 'Work'], /name is "Work", and must be 1 to 32 of a-z/],
    [['create', 'work', '--hops', '9'], /hops is 9, and must be a whole number from 2 to 5/],
    [['create', 'work', '--hops', 'many'], /hops is "many", and must be a whole number/],
    [
      ['create', 'work', '--exit', 'germany'],
      /exit is "germany"; Germany is written DE, and must be auto, nearest, random, a country/,
    ],
    [['create', 'work', '--exit', 'europe'], /exit is "europe"; europe is written eu, and must be/],
    [['create', 'work', '--exit', 'EU'], /exit is "EU"; the region is written eu/],
    [['create', 'work', '--tun-exclude', '10.0.0.1/8'], /tunExclude has "10.0.0.1\/8" in it: .*10.0.0.0\/8/],
    [['set', 'fast'], /Nothing is given that is to be set/],
    [['set', 'fast', '--unset', 'nothing'], /'nothing' is no field/],
    [['set', 'fast', '--unset', 'hops', '--hops', '3'], /set and left out at once/],
  ] as const) {
    const { code, stderr } = await profile(args)
    assert.equal(code, 2, args.join(' '))
    assert.match(stderr, cause)
  }
  assert.deepEqual(readdirSync(home), [])
})

test('a profile goes from home to home by its document, which names nothing of the first', async (t) => {
  const [first, second] = [open(t), open(t)]
  await first.profile([
    'create',
    'work',
    '--hops',
    '4',
    '--tun-include-users',
    'alice,1000',
    '--tun-exclude',
    '10.0.0.0/8',
  ])
  const exported = await first.profile(['export', 'work'])
  assert.match(exported.stderr, /Left out, .*: tunIncludeUsers/)
  assert.doesNotMatch(exported.stdout, /alice|1000/)
  assert.equal(exported.stdout.includes(first.home), false)
  assert.deepEqual(JSON.parse((await first.profile(['export', 'work', '--json'])).stdout), JSON.parse(exported.stdout))
  const look = await second.profile(['import', '-', '--check'], exported.stdout)
  assert.match(look.stderr, /tunIncludeUsers\nThe profile work would be created:/)
  assert.match(look.stdout, /hops: as configured -> 4\n {2}tunExclude: as configured -> 10.0.0.0\/8/)
  assert.deepEqual(readdirSync(second.home), [])
  const file = join(second.home, 'work.json')
  writeFileSync(file, exported.stdout)
  assert.equal((await second.profile(['import', file])).code, 0)
  const again = await second.profile(['import', file, '--json'])
  assert.deepEqual([again.code, errorOf(again).code], [1, 'E_PROFILE_EXISTS'])
  assert.equal((await second.profile(['import', file, '--replace'])).code, 0)
  assert.equal((await second.profile(['import', file, '--name', 'other'])).code, 0)
  const stored = JSON.parse(readFileSync(join(second.home, 'vpn-profiles.json'), 'utf8')) as { profiles: unknown }
  const fields = { hops: 4, tunExclude: ['10.0.0.0/8'] }
  assert.deepEqual(stored.profiles, [
    { name: 'other', ...fields },
    { name: 'work', ...fields },
  ])
})

test('what is no document is refused, be it a file or standard input', async (t) => {
  const { home, profile } = open(t)
  assert.equal((await profile(['import', join(home, 'gone.json')])).code, 5)
  assert.match((await profile(['import', home])).stderr, /^E_FILE: /)
  for (const text of ['', '{}', '[]', 'x'.repeat(300_000)]) {
    const { code, stderr } = await profile(['import', '-'], text)
    assert.deepEqual([code, stderr.startsWith('E_PROFILE_INVALID: ')], [2, true], stderr.slice(0, 200))
  }
})

test('a kill switch that this user may not put on is not used, and the fix says who may', async (t) => {
  const { home } = open(t)
  // Root would shut this machine.
  const user = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : undefined
  if (user !== undefined) chownSync(home, user.uid, user.gid)
  const profile = (...args: string[]): Promise<Finished> =>
    startWeft(['vpn', 'profile', ...args], { WEFT_HOME: home }, undefined, user).finished
  const made = await profile('create', 'shut', '--kill-switch', 'on')
  assert.equal(made.code, 0, made.stderr)
  const refused = await profile('use', 'shut', '--json')
  assert.deepEqual([refused.code, errorOf(refused).code], [4, 'E_KILL_SWITCH_RIGHTS'])
  assert.match(errorOf(refused).fix, /^The profile is not in use without it\./)
  assert.match(
    errorOf(refused).fix,
    new RegExp(`daemon of this home as root; .*sudo weft vpn killswitch on --home ${home}`),
  )
  const { profiles } = JSON.parse((await profile('list', '--json')).stdout) as VpnProfilesAnswer
  assert.equal(profiles.find(({ inUse }) => inUse)?.name, 'default')
})

test('a daemon that runs is asked, and what still waits for up is said', async (t) => {
  const seen: string[] = []
  const view = {
    name: 'work',
    builtIn: false,
    inUse: true,
    fields: { tun: 'on' },
    effective: { tun: 'on' },
    warnings: [],
  }
  const home = await serveApi(t, (request, response) => {
    seen.push(`${request.method} ${request.url}`)
    const changed = { created: false, changes: [{ field: 'tun', to: 'on' }], checked: false }
    response.end(
      JSON.stringify({ schemaVersion: 1, profile: view, ...changed, pending: { fields: ['tun'], takes: 'up' } }),
    )
  })
  const { code, stderr } = await runWeft(['vpn', 'profile', 'use', 'work'], { WEFT_HOME: home })
  assert.equal(code, 0, stderr)
  assert.match(stderr, /tun of the profile not yet: weft vpn up\n/)
  assert.doesNotMatch(stderr, /No daemon/)
  await runWeft(['vpn', 'profile', 'set', 'work', '--tun', 'on'], { WEFT_HOME: home })
  // Behind each change it is asked how it stands with that.
  assert.deepEqual(seen, [
    'POST /api/v1/vpn/profiles/work/use',
    'GET /api/v1/vpn',
    'GET /api/v1/vpn/profiles/work',
    'PUT /api/v1/vpn/profiles/work?replace=true&check=false',
    'GET /api/v1/vpn',
  ])
  assert.deepEqual(readdirSync(home), ['api.sock'])
})
