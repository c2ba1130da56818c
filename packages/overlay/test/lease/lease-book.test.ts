import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { VirtualClock, compareBytes } from '@weft/core'
import { type DidKey, type SigningKey, fromDidKey } from '@weft/crypto'
import { LeaseListResponseSchema, create, decodeMessage, encodeMessage } from '@weft/wire'
import { encodeLeaseList } from '../../src/lease/encode-lease-list.ts'
import { LeaseBook } from '../../src/lease/lease-book.ts'
import { leaseEnd, verifyLease } from '../../src/lease/lease.ts'
import { BEGIN, EPOCH, codeOf, testKeys } from '../fixtures.ts'
import { clients, fixture, leaseBody, validators, wireLease } from './lease-fixture.ts'

const { network } = fixture
const [client, other] = clients as [SigningKey, SigningKey]

function open() {
  const clock = new VirtualClock(BEGIN + 10 * EPOCH)
  const ejected = new Set<DidKey>()
  const book = new LeaseBook({ network, clock, revocations: { voids: ({ id }) => ejected.has(id) } })
  return { clock, ejected, book, ids: () => book.inForce().map(({ body }) => body.id) }
}

test('the newest lease of each node is in force until it ends, and the list is in order', async () => {
  const { clock, book, ids } = open()
  for (const key of clients) assert.equal(book.offer(wireLease(leaseBody(key))), true)
  assert.deepEqual(
    ids(),
    clients.toSorted((a, b) => compareBytes(a.publicKey, b.publicKey)).map(({ id }) => id),
  )
  await clock.advance(EPOCH)
  assert.equal(book.offer(wireLease(leaseBody(client, 11))), true)
  await clock.advance(leaseEnd(network, 10) - clock.now() - 1)
  assert.equal(ids().length, clients.length)
  await clock.advance(1)
  assert.deepEqual(ids(), [client.id])
  await clock.advance(EPOCH)
  assert.deepEqual(ids(), [])
})

test('a lease is no news twice, an older one comes too late, and one that ended is refused when it is replayed', async () => {
  const { clock, book, ids } = open()
  const old = wireLease(leaseBody(client, 10))
  await clock.advance(EPOCH)
  assert.equal(book.offer(wireLease(leaseBody(client, 11))), true)
  assert.equal(book.offer(wireLease(leaseBody(client, 11), validators.slice(1))), false)
  assert.equal(book.offer(old), false)
  assert.equal(book.inForce()[0]?.body.issuedEpoch, 11)
  await clock.advance(leaseEnd(network, 11) - clock.now())
  for (const epoch of [10, 11])
    assert.equal(await codeOf(() => book.offer(wireLease(leaseBody(client, epoch)))), 'E_LEASE_EXPIRED')
  assert.deepEqual(ids(), [])
})

test('forged ones and those of other networks leave nothing behind', async () => {
  const { book, ids } = open()
  const otherNetwork = leaseBody(client, 10, { network: 'waaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' })
  assert.equal(await codeOf(() => book.offer(wireLease(otherNetwork))), 'E_NETWORK_MISMATCH')
  assert.equal(await codeOf(() => book.offer(wireLease(leaseBody(client), clients.slice(0, 4)))), 'E_LEASE_QUORUM')
  assert.equal(await codeOf(() => book.offer({ body: new Uint8Array([1]), votes: [] })), 'E_LEASE_MALFORMED')
  assert.deepEqual(ids(), [])
})

test('pages of the list are what the wire has, in order and within their room, however they are cut', () => {
  const { book, ejected } = open()
  const crowd = testKeys(40)
  for (const [at, key] of crowd.entries())
    book.offer(wireLease(leaseBody(key), at % 2 === 0 ? validators : validators.slice(0, 3)))
  ejected.add(crowd[7]!.id)
  const all = book.inForce().map(({ body }) => body.id)
  assert.equal(all.length, 39)
  fc.assert(
    fc.property(fc.integer({ min: 600, max: 9_000 }), (room) => {
      const seen: DidKey[] = []
      let after: Uint8Array = new Uint8Array()
      for (;;) {
        const encoded = encodeLeaseList(book.encodedAfter(after, room))
        assert.ok(encoded.length <= room)
        const { leases } = decodeMessage(LeaseListResponseSchema, encoded, room)
        assert.deepEqual(encodeMessage(LeaseListResponseSchema, create(LeaseListResponseSchema, { leases })), encoded)
        if (leases.length === 0) break
        for (const lease of leases) seen.push(verifyLease(network, lease).body.id)
        after = fromDidKey(seen.at(-1)!)
      }
      assert.deepEqual(seen, all)
    }),
    { numRuns: 20 },
  )
})

test('a node that was ejected has no lease', () => {
  const { book, ejected, ids } = open()
  book.offer(wireLease(leaseBody(client)))
  book.offer(wireLease(leaseBody(other)))
  ejected.add(client.id)
  assert.deepEqual(ids(), [other.id])
})

test('the memory is bounded, and room comes with time', async () => {
  const { clock, book } = open()
  const crowd = testKeys(2_049)
  const last = crowd.pop() as SigningKey
  for (const key of crowd) book.offer(wireLease(leaseBody(key, 10, { expiresAt: clock.now() + 1_000 })))
  assert.equal(await codeOf(() => book.offer(wireLease(leaseBody(last)))), 'E_LEASE_LIMIT')
  assert.equal(book.offer(wireLease(leaseBody(crowd[0] as SigningKey, 11))), true, 'who has one may renew it')
  await clock.advance(1_000)
  assert.equal(book.offer(wireLease(leaseBody(last))), true)
  assert.equal(book.inForce().length, 2)
})
