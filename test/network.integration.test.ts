import assert from 'node:assert/strict'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { eventually } from './lib/eventually.ts'
import { findNodeProcesses } from './lib/find-node-processes.ts'
import { startWeft, weft, weftJson } from './lib/weft.ts'

// A network that admits by invitation, of real processes on loopback: who comes in, and who reads why not.

const BASE_PORT = 25_400
const directory = mkdtempSync(join(tmpdir(), 'weft-network-'))
const validator = join(directory, 'validator')
let ports = 0

interface Refusal {
  readonly code: string
  readonly cause: string
  readonly fix: string
}

interface Status {
  readonly node: { readonly id: string }
  readonly admission: { readonly state: string; readonly fault?: Refusal }
  readonly faults: readonly Refusal[]
}

interface Invited {
  readonly token: string
  readonly invitation: { readonly uses: number; readonly roles: readonly string[]; readonly expiresAt: number }
}

/** Each home has a block of ports of its own. */
function homeOf(name: string): string {
  const home = join(directory, name)
  const base = BASE_PORT + 20 * ports++
  mkdirSync(home, { recursive: true, mode: 0o700 })
  const toml = `[network]\nlisten_host = "127.0.0.1"\n[ports]\nbase = ${base}\npublic = ${base + 10}\n[storage]\nreserve = 0\n`
  writeFileSync(join(home, 'weft.toml'), toml)
  return home
}

function invite(...options: string[]): Promise<Invited> {
  return weftJson(['network', 'invite', '--home', validator, ...options])
}

/** Gives the token on standard input, as people should. */
async function joinWith(home: string, token: string): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const { child, finished } = startWeft(['network', 'join', '-', '--home', home])
  child.stdin?.end(`${token}\n`)
  return finished
}

async function joined(home: string, token: string): Promise<void> {
  const { code, stderr } = await joinWith(home, token)
  assert.equal(code, 0, stderr)
}

function start(home: string, roles = 'storage'): Promise<unknown> {
  return weftJson(['start', '--detach', '--home', home, '--roles', roles])
}

function statusOf(home: string, state: string): Promise<Status> {
  return eventually(
    `that ${home} is ${state}`,
    () => weftJson<Status>(['status', '--home', home]),
    ({ admission }) => admission.state === state,
  )
}

/** Starts the node, and expects its status to tell why it is refused. */
async function refused(home: string, code: string, cause: RegExp, roles?: string): Promise<void> {
  await start(home, roles)
  const { admission } = await statusOf(home, 'refused')
  assert.equal(admission.fault?.code, code)
  assert.match(admission.fault.cause, cause)
  assert.match(admission.fault.fix, /weft |--roles/)
  const words = await weft(['status', '--home', home])
  assert.match(words.stdout, new RegExp(`refused \\(${code}\\)[^]*${code}: .*\\n\\s*Fix: `))
  assert.equal((await weft(['check', '--home', home])).code, 1)
  assert.equal((await weft(['stop', '--home', home])).code, 0)
}

describe('a network of invitations', { concurrency: false }, () => {
  before(async () => {
    homeOf('validator')
    const address = `/ip4/127.0.0.1/tcp/${BASE_PORT + 10}`
    const created = await weftJson<{ policy: string[] }>([
      'network',
      'create',
      'club',
      '--address',
      address,
      '--policy',
      'invite',
      '--map-epoch',
      '1s',
      '--home',
      validator,
    ])
    assert.deepEqual(created.policy, ['invite'])
    await start(validator, 'validator,storage')
    await statusOf(validator, 'certified')
  })
  after(async () => {
    const homes = ['validator', 'member', 'second', 'refused', 'thief', 'other']
    await Promise.all(homes.map((name) => weft(['stop', '--home', join(directory, name)])))
    assert.deepEqual(findNodeProcesses(directory), [])
    rmSync(directory, { recursive: true })
  })

  test('a person with nothing but the token is a member, and the token is kept nowhere', async () => {
    const member = homeOf('member')
    const { token, invitation } = await invite('--expires', '1h', '--roles', 'storage')
    assert.deepEqual([invitation.uses, invitation.roles], [1, ['storage']])
    await joined(member, token)
    for (const name of ['network.json', 'admission.proof', 'node.key'])
      assert.equal(statSync(join(member, name)).mode & 0o777, 0o600, name)
    await start(member)
    const { node } = await statusOf(member, 'certified')
    const { members } = await eventually(
      'that it is in the map',
      () => weftJson<{ members: { id: string }[] }>(['members', '--home', member]),
      (seen) => seen.members.length === 2,
    )
    assert.ok(members.some(({ id }) => id === node.id))
    const secret = token.slice(-40)
    for (const home of [member, validator]) {
      assert.ok(!readFileSync(join(home, 'logs', 'daemon.log'), 'utf8').includes(secret))
    }
    await weftJson(['ping', node.id, '--home', validator])
  })

  test('used up: a token for one node is refused to another, and each reads why', async () => {
    const { token } = await invite()
    const second = homeOf('second')
    await joined(second, token)
    await start(second)
    await statusOf(second, 'certified')
    const home = homeOf('refused')
    await joined(home, token)
    await refused(home, 'E_INVITE_USED', /for one node, and another node has used it/)

    // Replayed: what another node showed to validators is of no use here.
    copyFileSync(join(second, 'admission.proof'), join(home, 'admission.proof'))
    await refused(home, 'E_INVITE_HOLDER', /was not given to the key of/)

    // Tampered: a bit of the inviter's signature.
    const proof = readFileSync(join(home, 'admission.proof'))
    const { token: fresh } = await invite('--roles', 'storage')
    await joined(home, fresh)
    const changed = readFileSync(join(home, 'admission.proof'))
    assert.notDeepEqual(changed, proof)
    const at = changed.length - 64 - 2 - 10
    changed[at] = (changed[at] as number) ^ 1
    writeFileSync(join(home, 'admission.proof'), changed)
    await refused(home, 'E_SIGNATURE_INVALID', /was changed after it was signed/)

    // A role that the invitation is not for; then with the roles that it is for the same node is a member.
    await joined(home, fresh)
    await refused(home, 'E_INVITE_ROLES', /for the roles storage; the node asks for relay/, 'storage,relay')
    await start(home)
    await statusOf(home, 'certified')
    assert.equal((await weft(['stop', '--home', home])).code, 0)
  })

  test('expired, of another network, or none: not admitted', async () => {
    const thief = homeOf('thief')
    const { token, invitation } = await invite('--expires', '5s')
    await joined(thief, token)
    await eventually(
      'the end of the invitation',
      async () => Date.now(),
      (now) => now > invitation.expiresAt,
    )
    await refused(thief, 'E_INVITE_EXPIRED', /The invitation ended at/)
    const late = await joinWith(join(directory, 'late'), token)
    assert.match(late.stderr, /E_INVITE_EXPIRED: .*\n?.*Fix: /)
    assert.ok(!existsSync(join(directory, 'late')))

    // Into another network of the same inviter, with the file of this one.
    const other = homeOf('other')
    const address = `/ip4/127.0.0.1/tcp/${BASE_PORT + 20 * (ports - 1) + 10}`
    await weftJson(['network', 'create', 'other', '--address', address, '--policy', 'invite', '--home', other])
    await start(other, 'validator,storage')
    const foreign = await weftJson<Invited>(['network', 'invite', '--home', other])
    const elsewhere = homeOf('elsewhere')
    await joined(elsewhere, foreign.token)
    assert.equal((await weft(['stop', '--home', other])).code, 0)
    const wrong = await joinWith(thief, foreign.token)
    assert.match(wrong.stderr, /E_NETWORK_EXISTS/)
    copyFileSync(join(elsewhere, 'admission.proof'), join(thief, 'admission.proof'))
    await refused(thief, 'E_INVITE_NETWORK', /The invitation is into the network w/)

    rmSync(join(thief, 'admission.proof'))
    await refused(thief, 'E_PROOF_NEEDED', /admits nodes by an invitation/)
  })

  test('a join that fails leaves nothing, and shows nothing of the token', async () => {
    const { token } = await invite()
    const home = join(directory, 'nowhere', 'home')
    const cut = await joinWith(home, token.slice(0, -20))
    assert.deepEqual([cut.code, cut.stderr.startsWith('E_JOIN_TOKEN: ')], [2, true])
    assert.ok(!existsSync(join(directory, 'nowhere')))
    const bound = await invite('--for', (await weftJson<Status>(['status', '--home', validator])).node.id)
    const notMine = await joinWith(home, bound.token)
    assert.match(notMine.stderr, /E_INVITE_BOUND/)
    assert.ok(!`${cut.stderr}${notMine.stderr}`.includes(token.slice(20, 60)))
    // But the key that the refusal names.
    assert.deepEqual(readdirSync(home), ['node.key'])
  })

  test('only who may invite does', async () => {
    const { code, stderr } = await weft(['network', 'invite', '--home', join(directory, 'member')])
    assert.equal(code, 4)
    assert.match(stderr, /E_NOT_INVITER: In the network club each validator may invite/)
  })

  test('show and check tell the policy, what was tried, and that one validator may not be down', async () => {
    const shown = await weft(['network', 'show', '--home', validator])
    assert.match(shown.stdout, /policy {6}invite\ninviters {4}\w{8}\n/)
    const { network } = await weftJson<{ network: Record<string, unknown> }>(['network', 'show', '--home', validator])
    assert.deepEqual([network['policy'], network['tolerated'], network['mapEpochMs']], [['invite'], 0, 1_000])
    const check = await eventually(
      'that all is well',
      () => weft(['check', '--home', validator]),
      ({ code }) => code === 0,
    )
    assert.match(
      check.stdout,
      /^ok {4}reach +\/ip4\/127\.0\.0\.1\/tcp\/25410, \/ip4\/127\.0\.0\.1\/tcp\/25411\/ws dialled back by a quorum/m,
    )
    const status = await weft(['status', '--home', validator])
    assert.match(status.stdout, /^ {2}reach {4}at \/ip4\/127\.0\.0\.1\/tcp\/25410, /m)
    assert.match(check.stdout, /^note {2}quorum +1 of 1 validators answer, 1 needed\n +E_QUORUM_FRAGILE: .*\n +Fix: /m)
  })
})
