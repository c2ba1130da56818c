import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fromHex, toHex } from '@weft/core'
import type { SigningKey } from '@weft/crypto'
import { LeaseSchema, decodeMessage, encodeMessage } from '@weft/wire'
import { networkOf } from '../../src/network/network.ts'
import { parseNetworkFile } from '../../src/network/network-file.ts'
import { MAX_WIRE_LEASE, isNewer, leaseEnd, toWireLease, verifyLease } from '../../src/lease/lease.ts'
import { BEGIN, EPOCH, codeOf, testKeys, testNetwork } from '../fixtures.ts'
import { clients, fixture, leaseBody, validators, wireLease } from './lease-fixture.ts'

const { network } = fixture
const client = clients[0] as SigningKey
const [first, second, third] = validators as [SigningKey, SigningKey, SigningKey]
const verify = (message: Parameters<typeof verifyLease>[1]) => codeOf(() => verifyLease(network, message))

describe('a lease', () => {
  test('is believed with the votes of a quorum, whatever comes behind them', () => {
    const body = leaseBody(client)
    const lease = verifyLease(network, wireLease(body, validators))
    assert.equal(lease.body.id, client.id)
    assert.equal(lease.votes.length, 3)
    assert.deepEqual(verifyLease(network, toWireLease(lease)), lease)
    assert.equal(verifyLease(network, wireLease(body, [client, first, second, third])).votes.length, 3)
  })

  test('that is forged is not: too few voters, one voter often, others than validators, other purposes, other bytes', async () => {
    const body = leaseBody(client)
    for (const forged of [
      wireLease(body, []),
      wireLease(body, [first, second]),
      wireLease(body, [first, first, first, first]),
      wireLease(body, clients.slice(0, 4)),
      wireLease(body, [first, second, client]),
      wireLease(body, validators, 'vote'),
      wireLease(body, validators, 'lease', new Uint8Array([1])),
      { body: wireLease(leaseBody(clients[1] as SigningKey)).body, votes: wireLease(body).votes },
    ])
      assert.equal(await verify(forged), 'E_LEASE_QUORUM')
  })

  test('has as many votes looked at as there are validators', async () => {
    const body = leaseBody(client)
    const votes = [...wireLease(body, testKeys(4)).votes, ...wireLease(body).votes]
    assert.equal(await verify({ body: wireLease(body).body, votes }), 'E_LEASE_QUORUM')
  })

  test('of another network is refused, also where the same validators signed it', async () => {
    const other = testNetwork(4, 2)
    assert.equal(await verify(wireLease(leaseBody(client, 10, { network: other.network.id }))), 'E_NETWORK_MISMATCH')
  })

  test('lives an hour from the end of its epoch at most, and no longer than a certificate', async () => {
    assert.equal(leaseEnd(network, 10), BEGIN + 11 * EPOCH + 3_600_000)
    assert.equal(leaseEnd(testNetwork(1, 0, { certificateTtlMs: 20_000 }).network, 10), BEGIN + 11 * EPOCH + 20_000)
    const body = leaseBody(client)
    assert.equal(await verify(wireLease({ ...body, expiresAt: body.expiresAt + 1 })), 'E_LEASE_MALFORMED')
    assert.equal(await verify(wireLease({ ...body, expiresAt: 0 })), 'nothing')
  })

  test('is of the validators of its epoch, and of those of no other', async () => {
    const moved = networkOf(network.file)
    const seats = clients.slice(1, 5).map(({ id }) => ({ id, addresses: ['/ip4/127.0.0.1/tcp/1'], family: 'f' }))
    moved.begin({ number: 1, fromEpoch: 20, rotation: 0, validators: seats })
    const code = (epoch: number, voters: readonly SigningKey[]): Promise<string> =>
      codeOf(() => verifyLease(moved, wireLease(leaseBody(client, epoch), voters)))
    assert.equal(await code(19, validators), 'nothing')
    assert.equal(await code(20, validators), 'E_LEASE_QUORUM')
    assert.equal(await code(20, clients.slice(1, 5)), 'nothing')
    assert.equal(await code(19, clients.slice(1, 5)), 'E_LEASE_QUORUM')
  })

  test('that is later counts; of two of one epoch the same one for all', () => {
    const [early, late, other] = [
      leaseBody(client, 10),
      leaseBody(client, 11),
      leaseBody(client, 10, { uses: ['compute'] }),
    ].map((body) => verifyLease(network, wireLease(body))) as [never, never, never]
    assert.deepEqual([isNewer(late, early), isNewer(early, late), isNewer(early, early)], [true, false, false])
    assert.notEqual(isNewer(other, early), isNewer(early, other))
  })
})

test('leases.json', () => {
  const read = <T>(name: string): T =>
    JSON.parse(readFileSync(join(import.meta.dirname, '../vectors', `${name}.json`), 'utf8')) as T
  const vector = read<
    { [key in 'network' | 'holder' | 'body' | 'hash' | 'message']: string } & {
      uses: string[]
      issuedEpoch: number
      expiresAt: number
      votes: { signer: string; signature: string }[]
    }
  >('leases')
  const known = networkOf(parseNetworkFile(JSON.stringify(read<{ file: object }>('network-file').file)))
  const message = decodeMessage(LeaseSchema, fromHex(vector.message), MAX_WIRE_LEASE)
  const lease = verifyLease(known, message)
  const { id, uses, issuedEpoch, expiresAt, network: ofNetwork } = lease.body
  assert.deepEqual([ofNetwork, id, issuedEpoch, expiresAt], [vector.network, vector.holder, 7, vector.expiresAt])
  assert.deepEqual(uses, vector.uses)
  assert.deepEqual([toHex(lease.bodyBytes), toHex(lease.hash)], [vector.body, vector.hash])
  assert.deepEqual(
    lease.votes.map(({ signer, signature }) => ({ signer: toHex(signer), signature: toHex(signature) })),
    vector.votes,
  )
  assert.equal(toHex(encodeMessage(LeaseSchema, toWireLease(lease))), vector.message)
})
