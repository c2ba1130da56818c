import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { WeftError } from '@weft/core'
import { networkOf } from '../../src/network/network.ts'
import { requireUsablePolicy } from '../../src/network/usable-policy.ts'
import type { DidKey } from '@weft/crypto'
import { networkIdOf } from '../../src/network/network-id.ts'
import { parseNetworkFile } from '../../src/network/network-file.ts'
import { addressOf, codeOf, testKeys } from '../fixtures.ts'

const [id, other] = testKeys(2).map((key) => key.id)
const place = { address: '198.51.100.1', asn: 64_500, family: 'f', country: 'CH', region: 'eu-central' }
const validator = { id, addresses: [addressOf(0)], roles: ['validator'], family: 'f' }
const minimal = { schemaVersion: 1, name: 'net', validators: [validator], createdAt: 1_800_000_000_000 }
const parse = (changes: object): unknown => parseNetworkFile(JSON.stringify({ ...minimal, ...changes }))

test('defaults are filled in', () => {
  const file = parseNetworkFile(JSON.stringify(minimal))
  assert.equal(file.mapEpochMs, 60_000)
  assert.equal(file.certificateTtlMs, 24 * 3_600_000)
  assert.equal(file.clockToleranceMs, 5_000)
  assert.equal(file.committeeSize, 64)
  assert.equal(file.rotateMs, undefined)
  assert.equal(parseNetworkFile(JSON.stringify({ ...minimal, seats: 64 })).rotateMs, 86_400_000)
  assert.equal(file.policy, 'open')
  assert.deepEqual([file.auditEpochMs, file.rewardEpochMs], [3_600_000, 86_400_000])
  assert.deepEqual([file.inviters, file.minimums], [undefined, undefined])
  assert.equal(file.simulated, undefined)
})

test('the id does not depend on the order of keys, on white space, or on whether a default is written', () => {
  const reordered = JSON.stringify(
    { mapEpochMs: 60_000, ...Object.fromEntries(Object.entries(minimal).toReversed()) },
    undefined,
    2,
  )
  const base = networkIdOf(parseNetworkFile(JSON.stringify(minimal)))
  assert.match(base, /^w[a-z2-7]{32}$/)
  assert.equal(networkIdOf(parseNetworkFile(reordered)), base)
  assert.notEqual(networkIdOf(parseNetworkFile(JSON.stringify({ ...minimal, mapEpochMs: 5_000 }))), base)
})

test('a file that knows nothing of policies, inviters, minimums and longer epochs keeps its id', () => {
  const old = { ...minimal, policy: 'open' }
  const explicit = { ...old, auditEpochMs: 3_600_000, rewardEpochMs: 86_400_000, minimums: {} }
  const id = networkIdOf(parseNetworkFile(JSON.stringify(old)))
  assert.equal(networkIdOf(parseNetworkFile(JSON.stringify(explicit))), id)
  for (const change of [
    { auditEpochMs: 60_000 },
    { rewardEpochMs: 3_600_000 },
    { rotateMs: 3_600_000 },
    { policy: 'invite' },
    { policy: 'invite', inviters: [other] },
    { attesters: [other] },
    { minimums: { storage: { storageBytes: 1 } } },
  ]) {
    assert.notEqual(networkIdOf(parseNetworkFile(JSON.stringify({ ...old, ...change }))), id)
  }
})

test('a policy is one way, or a list of ways of which each is enough, whose order does not matter', () => {
  const policy = (value: unknown) => parseNetworkFile(JSON.stringify({ ...minimal, policy: value })).policy
  for (const way of ['open', 'invite', 'stake']) assert.equal(policy(way), way)
  assert.deepEqual(policy(['stake', 'invite']), ['invite', 'stake'])
  assert.deepEqual(policy(['invite', 'stake']), ['invite', 'stake'])
})

test('inviters are those that are named, else each validator, and nobody without the policy invite', () => {
  const invites = (changes: object, who: string | undefined): boolean =>
    networkOf(parseNetworkFile(JSON.stringify({ ...minimal, ...changes }))).isInviter(who as DidKey)
  assert.deepEqual([invites({}, id), invites({ policy: 'stake' }, id)], [false, false])
  assert.deepEqual([invites({ policy: 'invite' }, id), invites({ policy: 'invite' }, other)], [true, false])
  const named = { policy: ['invite', 'stake'], inviters: [other] }
  assert.deepEqual([invites(named, id), invites(named, other)], [false, true])
})

test('attesters are those that are named, in any order, and nobody else', () => {
  const network = (changes: object) => networkOf(parseNetworkFile(JSON.stringify({ ...minimal, ...changes })))
  assert.equal(network({}).isAttester(id as DidKey), false)
  const named = network({ attesters: [other] })
  assert.deepEqual([named.isAttester(other as DidKey), named.isAttester(id as DidKey)], [true, false])
  assert.equal(network({ attesters: [id, other] }).id, network({ attesters: [other, id] }).id)
})

test('a network of stake alone is refused where there is no ledger', async () => {
  const usable = (policy: unknown, ledger?: boolean): Promise<string> =>
    codeOf(() => requireUsablePolicy(parseNetworkFile(JSON.stringify({ ...minimal, policy })), ledger))
  assert.equal(await usable('stake'), 'E_POLICY_UNAVAILABLE')
  assert.equal(await usable('stake', true), 'nothing')
  assert.equal(await usable(['invite', 'stake']), 'nothing')
  assert.equal(await usable('invite'), 'nothing')
})

test('a file that was parsed and written again is the same', () => {
  const file = parseNetworkFile(
    JSON.stringify({ ...minimal, simulated: { [id as string]: place, [other as string]: place } }),
  )
  assert.deepEqual(parseNetworkFile(JSON.stringify(file)), file)
})

const REFUSED: [string, string, object][] = [
  ['an unknown key', 'E_NETWORK_FILE', { epochMs: 5 }],
  ['an unknown key in a validator', 'E_NETWORK_FILE', { validators: [{ ...validator, weight: 2 }] }],
  ['another version', 'E_NETWORK_FILE', { schemaVersion: 2 }],
  ['no validators', 'E_NETWORK_FILE', { validators: [] }],
  ['a validator twice', 'E_NETWORK_FILE', { validators: [validator, validator] }],
  ['a validator without its role', 'E_NETWORK_FILE', { validators: [{ ...validator, roles: ['storage'] }] }],
  ['a certified client', 'E_NETWORK_FILE', { validators: [{ ...validator, roles: ['validator', 'client'] }] }],
  ['an id that is no key', 'E_NETWORK_FILE', { validators: [{ ...validator, id: 'did:key:zQ3' }] }],
  [
    'a name for an address',
    'E_NETWORK_FILE',
    { validators: [{ ...validator, addresses: ['/dns4/example.org/tcp/1'] }] },
  ],
  [
    'an address out of range',
    'E_NETWORK_FILE',
    { validators: [{ ...validator, addresses: ['/ip4/300.0.0.1/tcp/1'] }] },
  ],
  ['rotations that do not last 16 map epochs', 'E_NETWORK_FILE', { rotateMs: 959_999 }],
  ['rotations of less than a minute', 'E_NETWORK_FILE', { mapEpochMs: 1_000, rotateMs: 59_999 }],
  ['rotations of more than 30 days', 'E_NETWORK_FILE', { rotateMs: 2_592_000_001 }],
  ['an epoch of no length', 'E_NETWORK_FILE', { mapEpochMs: 0 }],
  ['a fraction', 'E_NETWORK_FILE', { mapEpochMs: 5_000.5 }],
  ['a beginning beyond all calendars', 'E_NETWORK_FILE', { createdAt: 8.64e15 + 1 }],
  [
    'more validators than the committee',
    'E_NETWORK_FILE',
    { committeeSize: 1, validators: [validator, { ...validator, id: other }] },
  ],
  ['a mix of one', 'E_NETWORK_FILE', { policy: ['invite'] }],
  ['a way twice', 'E_NETWORK_FILE', { policy: ['invite', 'invite'] }],
  ['open beside another way', 'E_NETWORK_FILE', { policy: ['open', 'invite'] }],
  ['an unknown way in a mix', 'E_NETWORK_FILE', { policy: ['invite', 'friends'] }],
  ['inviters where nobody is invited', 'E_NETWORK_FILE', { policy: 'stake', inviters: [id] }],
  ['no inviters', 'E_NETWORK_FILE', { policy: 'invite', inviters: [] }],
  ['an inviter twice', 'E_NETWORK_FILE', { policy: 'invite', inviters: [id, id] }],
  ['no attesters', 'E_NETWORK_FILE', { attesters: [] }],
  ['an attester twice', 'E_NETWORK_FILE', { attesters: [id, id] }],
  ['an attester that is no key', 'E_NETWORK_FILE', { attesters: ['did:key:zQ3'] }],
  ['an inviter that is no key', 'E_NETWORK_FILE', { policy: 'invite', inviters: ['did:key:zQ3'] }],
  ['a minimum of a client', 'E_NETWORK_FILE', { minimums: { client: { lossPpm: 1 } } }],
  ['a minimum of nothing', 'E_NETWORK_FILE', { minimums: { relay: {} } }],
  ['an unknown minimum', 'E_NETWORK_FILE', { minimums: { relay: { mbps: 5 } } }],
  ['a loss above all', 'E_NETWORK_FILE', { minimums: { relay: { lossPpm: 1_000_001 } } }],
  ['an audit epoch within a map epoch', 'E_NETWORK_FILE', { auditEpochMs: 59_999 }],
  ['a reward epoch within an audit epoch', 'E_NETWORK_FILE', { rewardEpochMs: 3_599_999 }],
  ['an unknown policy', 'E_NETWORK_FILE', { policy: 'friends' }],
  ['a simulated place of nobody', 'E_NETWORK_FILE', { simulated: { nobody: place } }],
  ['a simulated place that is none', 'E_NETWORK_FILE', { simulated: { [id as string]: { ...place, country: 'ch' } } }],
  [
    'simulated places beside a real address',
    'E_SIMULATED_NOT_LOOPBACK',
    {
      simulated: { [id as string]: place },
      validators: [{ ...validator, addresses: ['/ip4/127.0.0.1/tcp/1', '/ip4/192.0.2.1/tcp/1'] }],
    },
  ],
]

for (const [what, code, changes] of REFUSED) {
  test(`refused: ${what}`, async () => {
    assert.equal(await codeOf(() => parse(changes)), code)
  })
}

test('an unknown key is named, with the known ones', () => {
  assert.throws(() => parse({ epochMs: 5 }), /unknown key 'epochMs'; known are schemaVersion, name/)
})

test('whatever JSON comes is parsed or refused with an error of ours', () => {
  fc.assert(
    fc.property(
      fc.jsonValue(),
      fc.constantFrom(...Object.keys(minimal), 'simulated', 'policy', 'inviters', 'attesters', 'minimums', '__proto__'),
      (value, key) => {
        for (const text of [JSON.stringify(value), JSON.stringify({ ...minimal, [key]: value })]) {
          try {
            networkIdOf(parseNetworkFile(text))
          } catch (error) {
            if (!(error instanceof WeftError)) throw error
          }
        }
      },
    ),
    { numRuns: 500 },
  )
})

test('text that is no JSON is refused', async () => {
  for (const text of ['', '{', 'null', '[]', `{"schemaVersion":1,"schemaVersion":1}`]) {
    assert.equal(await codeOf(() => parseNetworkFile(text)), 'E_NETWORK_FILE')
  }
})
