import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { WeftError } from '@weft/core'
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
  assert.equal(file.policy, 'open')
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
  ['an epoch of no length', 'E_NETWORK_FILE', { mapEpochMs: 0 }],
  ['a fraction', 'E_NETWORK_FILE', { mapEpochMs: 5_000.5 }],
  [
    'more validators than the committee',
    'E_NETWORK_FILE',
    { committeeSize: 1, validators: [validator, { ...validator, id: other }] },
  ],
  ['invite', 'E_POLICY_UNAVAILABLE', { policy: 'invite' }],
  ['stake', 'E_POLICY_UNAVAILABLE', { policy: 'stake' }],
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
      fc.constantFrom(...Object.keys(minimal), 'simulated', 'policy', '__proto__'),
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
