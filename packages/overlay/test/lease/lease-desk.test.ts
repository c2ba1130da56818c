import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock, silentLogger } from '@weft/core'
import { type DidKey, type SigningKey, verifySignature } from '@weft/crypto'
import { encodeLeaseBody } from '../../src/lease/lease-body.ts'
import { LeaseDesk } from '../../src/lease/lease-desk.ts'
import { readRevocation } from '../../src/revocation/revocation.ts'
import { encodeRevocationBody } from '../../src/revocation/revocation-body.ts'
import { BEGIN, EPOCH, codeOf, testKeys } from '../fixtures.ts'
import { clients, fixture, leaseBody, validators } from './lease-fixture.ts'

const { network } = fixture
const validator = validators[0] as SigningKey
const [client, other] = clients as [SigningKey, SigningKey]
const NOW = BEGIN + 10 * EPOCH + 1_000
const { signal } = new AbortController()

function setUp({ ping = async () => {} }: { readonly ping?: (id: DidKey) => Promise<void> } = {}) {
  const clock = new VirtualClock(NOW)
  const members = new Set<DidKey>()
  const revoked = new Map<DidKey, number>()
  const desk = new LeaseDesk({
    network,
    key: validator,
    isMember: (id) => members.has(id),
    revocation: (id) => {
      const blockedUntil = revoked.get(id)
      if (blockedUntil === undefined) return undefined
      const decision = { network: network.id, key: client.publicKey, issuedUpTo: 3, decidedAt: NOW - 1 }
      const bodyBytes = encodeRevocationBody({ ...decision, blockedUntil, reason: 'abuse' })
      return { body: readRevocation(network, bodyBytes), bodyBytes, hash: new Uint8Array(32), votes: [] }
    },
    ping,
    clock,
    logger: silentLogger,
  })
  const ask = (
    key: SigningKey,
    {
      body = encodeLeaseBody(leaseBody(key)),
      time = clock.now(),
      address = '/ip4/192.0.2.1/tcp/9',
      caller = key.id,
    }: { body?: Uint8Array; time?: number; address?: string; caller?: DidKey } = {},
  ) => desk.judge({ body, time: BigInt(time) }, { id: caller, address }, signal)
  return { clock, members, revoked, ask, code: (...args: Parameters<typeof ask>) => codeOf(() => ask(...args)) }
}

/** Until so many pings wait for their answer. */
async function untilHeld(held: readonly unknown[], count: number): Promise<void> {
  for (let turns = 0; held.length < count; turns++) {
    assert.ok(turns < 1_000, `${held.length} pings in place of ${count}`)
    await Promise.resolve()
  }
}

test('a client that is there gets the vote of the validator over the bytes that it sent', async () => {
  const { ask } = setUp()
  const { signer, signature } = await ask(client)
  assert.deepEqual(signer, validator.publicKey)
  assert.ok(verifySignature('lease', encodeLeaseBody(leaseBody(client)), signature, signer))
})

test('each thing that is wrong is named', async () => {
  const { code, members, revoked } = setUp()
  const body = (...args: Parameters<typeof leaseBody>): Uint8Array => encodeLeaseBody(leaseBody(...args))
  assert.equal(await code(client, { body: new Uint8Array([128]) }), 'E_LEASE_MALFORMED')
  assert.equal(
    await code(client, { body: body(client, 10, { network: 'waaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' }) }),
    'E_NETWORK_MISMATCH',
  )
  assert.equal(await code(client, { caller: other.id }), 'E_LEASE_SIGNER')
  assert.equal(await code(client, { time: NOW + 5_001 }), 'E_CLOCK_SKEW')
  assert.equal(await code(client, { time: NOW - 5_001 }), 'E_CLOCK_SKEW')
  assert.equal(await code(client, { time: 2 ** 63 }), 'E_CLOCK_SKEW')
  assert.equal(await code(client, { body: body(client, 8) }), 'E_LEASE_TERM')
  assert.equal(await code(client, { body: body(client, 12) }), 'E_LEASE_TERM')
  assert.equal(await code(client, { body: body(client, 10, { expiresAt: NOW }) }), 'E_LEASE_TERM')
  assert.equal(await code(client, { address: '/p2p/12D3KooWx/p2p-circuit' }), 'E_LEASE_RELAYED')
  members.add(other.id)
  assert.equal(await code(other), 'E_LEASE_MEMBER')
  revoked.set(client.id, NOW + 1)
  assert.equal(await code(client), 'E_REVOKED')
  revoked.set(client.id, NOW)
  assert.equal(await code(client), 'nothing')
})

test('a request that is replayed an hour later is of another epoch, and one of another clock', async () => {
  const { clock, code } = setUp()
  const [body, time] = [encodeLeaseBody(leaseBody(client)), clock.now()]
  assert.equal(await code(client, { body, time }), 'nothing')
  await clock.advance(3_600_000)
  assert.equal(await code(client, { body, time }), 'E_CLOCK_SKEW')
  assert.equal(await code(client, { body }), 'E_LEASE_TERM')
})

test('who does not answer gets none and takes no place, and of why nothing is told', async () => {
  let isUp = false
  const { ask, code } = setUp({
    ping: async () => {
      if (!isUp) throw new Error('connection refused by 10.0.0.1')
    },
  })
  const crowd = testKeys(5)
  for (const key of crowd) {
    await assert.rejects(ask(key), (error: { code: string; message: string }) => {
      assert.equal(error.code, 'E_LEASE_SILENT')
      assert.doesNotMatch(error.message, /10\.0\.0\.1/)
      return true
    })
  }
  isUp = true
  for (const key of crowd.slice(0, 4)) assert.equal(await code(key), 'nothing')
  assert.equal(await code(crowd[4] as SigningKey), 'E_LEASE_LIMIT')
})

test('requests at once of one address get no more places than one after another', async () => {
  const held: (() => void)[] = []
  const { code } = setUp({ ping: () => new Promise((resolve) => void held.push(resolve)) })
  const asked = testKeys(6).map((key) => code(key))
  await untilHeld(held, 6)
  for (const resolve of held) resolve()
  const codes = await Promise.all(asked)
  assert.equal(codes.filter((each) => each === 'nothing').length, 4)
  assert.equal(codes.filter((each) => each === 'E_LEASE_LIMIT').length, 2)
})

test('nodes of one network that answer no ping leave places to others', async () => {
  const held: (() => void)[] = []
  const { code } = setUp({ ping: () => new Promise((resolve) => void held.push(resolve)) })
  const crowd = testKeys(10)
  const asked = crowd.slice(0, 8).map((key, host) => code(key, { address: `/ip6/2001:db8:0:${host}::1/tcp/1` }))
  assert.equal(await code(crowd[8] as SigningKey, { address: '/ip6/2001:db8:0:9::1/tcp/1' }), 'E_LEASE_BUSY')
  const elsewhere = code(crowd[9] as SigningKey, { address: '/ip6/2001:db8:1:1::1/tcp/1' })
  await untilHeld(held, 9)
  for (const resolve of held) resolve()
  assert.deepEqual(new Set([await elsewhere, ...(await Promise.all(asked))]), new Set(['nothing']))
})

test('one request of a node at a time, few at once, and few of an address in a while', async () => {
  const held: (() => void)[] = []
  const { clock, code } = setUp({ ping: () => new Promise((resolve) => void held.push(resolve)) })
  const first = code(client)
  assert.equal(await code(client), 'E_LEASE_BUSY')
  const at = (host: number) => ({ address: `/ip4/198.51.${host}.1/tcp/1` })
  const crowd = testKeys(32)
  const asked = crowd.slice(0, 31).map((key, host) => code(key, at(host)))
  assert.equal(await code(crowd[31] as SigningKey, at(99)), 'E_LEASE_BUSY')
  await untilHeld(held, 32)
  for (const resolve of held.splice(0)) resolve()
  assert.deepEqual(new Set([await first, ...(await Promise.all(asked))]), new Set(['nothing']))
  const impatient = async (): Promise<string> => {
    const outcome = code(other, at(200))
    for (const resolve of held.splice(0)) resolve()
    await Promise.resolve()
    for (const resolve of held.splice(0)) resolve()
    return outcome
  }
  const codes: string[] = []
  for (let times = 0; times < 17; times++) codes.push(await impatient())
  assert.equal(codes[15], 'nothing')
  assert.equal(codes[16], 'E_LEASE_BUSY')
  await clock.advance(10_000)
  assert.equal(await code(other, { ...at(200), body: encodeLeaseBody(leaseBody(other, 9)) }), 'E_LEASE_TERM')
})
