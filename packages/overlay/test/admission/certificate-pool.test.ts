import assert from 'node:assert/strict'
import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { VirtualClock, compareBytes, toHex } from '@weft/core'
import { signatureWork } from '@weft/crypto'
import { CertificatePool } from '../../src/admission/certificate-pool.ts'
import { MembershipDatabase } from '../../src/state/membership-database.ts'
import {
  NO_REVOCATIONS,
  BEGIN,
  EPOCH,
  bodyOf,
  certificateOf,
  codeOf,
  temporaryDirectory,
  testNetwork,
  wireCertificate,
} from '../fixtures.ts'
import { readAll } from './read-all.ts'

const fixture = testNetwork(4, 2)
const { network, keys } = fixture

function open(path: string) {
  const database = new MembershipDatabase(path)
  const clock = new VirtualClock(BEGIN)
  return {
    clock,
    pool: new CertificatePool(network, database, clock, NO_REVOCATIONS),
    [Symbol.dispose]: () => database[Symbol.dispose](),
  }
}

test('the newest certificate of a key is kept, in whatever order they come, and found by its hash', () => {
  using directory = temporaryDirectory()
  using opened = open(directory.path)
  const { pool } = opened
  const [old, recent] = [certificateOf(fixture, 4, { issuedEpoch: 3 }), certificateOf(fixture, 4, { issuedEpoch: 9 })]
  pool.offer([recent])
  pool.offer([old])
  assert.deepEqual(pool.get(recent.body.id)?.hash, recent.hash)
  assert.equal(pool.byHash(old.hash), undefined)
  assert.equal(pool.byHash(recent.hash)?.body.issuedEpoch, 9)
  assert.equal(pool.size, 1)
})

test('of two of one epoch all validators choose the same', () => {
  using directory = temporaryDirectory()
  const both = [certificateOf(fixture, 4), certificateOf(fixture, 4, { expiresAt: BEGIN + 1 })]
  const chosen = [both, both.toReversed()].map((order, index) => {
    using opened = open(join(directory.path, String(index)))
    for (const certificate of order) opened.pool.offer([certificate])
    return opened.pool.get(keys[4]?.id as never)?.hash
  })
  assert.deepEqual(chosen[0], chosen[1])
})

test('what is valid is sorted by key, and what has expired is left out and forgotten', () => {
  using directory = temporaryDirectory()
  using opened = open(directory.path)
  const { pool } = opened
  pool.offer([0, 1, 2, 3, 5].map((index) => certificateOf(fixture, index)))
  pool.offer([certificateOf(fixture, 4, { expiresAt: BEGIN + 1_000 })])
  const list = pool.valid(BEGIN + 1_000)
  assert.equal(list.length, 5)
  assert.deepEqual(
    list,
    list.toSorted((a, b) => compareBytes(a.body.key, b.body.key)),
  )
  pool.prune(BEGIN + 1_000)
  assert.equal(pool.size, 5)
})

test('a restart brings the certificates back, except what is not of this network', async () => {
  using directory = temporaryDirectory()
  {
    using opened = open(directory.path)
    opened.pool.offer([certificateOf(fixture, 4), certificateOf(fixture, 5)])
    opened.pool.offer([certificateOf(fixture, 4, { issuedEpoch: 2 })])
  }
  using again = open(directory.path)
  await readAll(again.pool, again.clock)
  assert.equal(again.pool.size, 2)
  assert.equal(again.pool.get(keys[4]?.id as never)?.body.issuedEpoch, 2)
  using database = new MembershipDatabase(directory.path)
  const clock = new VirtualClock(BEGIN)
  const elsewhere = new CertificatePool(testNetwork(4, 0).network, database, clock, NO_REVOCATIONS)
  await readAll(elsewhere, clock)
  assert.equal(elsewhere.size, 0)
})

test('what a restart brings back is verified one after the other, and others have the thread in between', async () => {
  using directory = temporaryDirectory()
  {
    using opened = open(directory.path)
    opened.pool.offer([0, 1, 4, 5].map((index) => certificateOf(fixture, index)))
  }
  using again = open(directory.path)
  const { pool, clock } = again
  assert.deepEqual([pool.size, pool.isWhole], [0, false], 'none when it is opened')
  const end = new AbortController()
  const read = codeOf(() => pool.read(end.signal))
  assert.deepEqual([pool.size, pool.isWhole], [1, false])
  end.abort()
  assert.equal(await read, 'E_ABORTED')
  assert.equal(pool.size, 1)
  const sizes: number[] = []
  const look = (): void => {
    sizes.push(pool.size)
    if (!pool.isWhole) clock.after(0, look)
  }
  clock.after(0, look)
  await readAll(pool, clock)
  assert.deepEqual([pool.size, pool.isWhole], [4, true], 'another goes on where one stopped')
  assert.deepEqual(new Set([1, ...sizes]), new Set([1, 2, 3, 4]))
})

test('while certificates are read it knows of everybody whom it is asked about', async () => {
  using directory = temporaryDirectory()
  const ids = [0, 1, 4, 5].map((index) => keys[index]?.id as never)
  {
    using opened = open(directory.path)
    opened.pool.offer([0, 1, 4, 5].map((index) => certificateOf(fixture, index, { issuedEpoch: 3 })))
  }
  using again = open(directory.path)
  const { pool, clock } = again
  assert.equal(pool.isCertified(ids[2]!), true)
  assert.equal(pool.size, 1, 'and reads no more than that')
  pool.submit(wireCertificate(bodyOf(fixture, 5, { issuedEpoch: 2 }), keys.slice(0, 3)))
  assert.equal(pool.get(ids[3]!)?.body.issuedEpoch, 3, 'an older one takes the place of none that is on the disk')
  const some = pool.read(new AbortController().signal, [toHex(keys[1]!.publicKey)])
  await clock.advance(0)
  await some
  assert.equal(pool.size, 3)
  await readAll(pool, clock)
  assert.deepEqual(
    ids.map((id) => pool.get(id)?.body.issuedEpoch),
    [3, 3, 3, 3],
  )
})

test('what was revoked is no certificate any more, until that is taken back', () => {
  using directory = temporaryDirectory()
  using database = new MembershipDatabase(directory.path)
  const revoked = new Set<string>()
  const revocations = { voids: ({ id }: { id: string }) => revoked.has(id) }
  const pool = new CertificatePool(network, database, new VirtualClock(BEGIN), revocations)
  const [kept, ejected] = [certificateOf(fixture, 4), certificateOf(fixture, 5)]
  pool.offer([kept, ejected])
  revoked.add(ejected.body.id)
  assert.deepEqual(
    pool.valid(BEGIN).map(({ body }) => body.id),
    [kept.body.id],
  )
  assert.equal(pool.isCertified(ejected.body.id), false)
  revoked.clear()
  assert.equal(pool.valid(BEGIN).length, 2)
})

test('what has expired is not taken, from whomever it comes', async () => {
  using directory = temporaryDirectory()
  using opened = open(directory.path)
  const { pool, clock } = opened
  const body = bodyOf(fixture, 4, { expiresAt: BEGIN + 10_000 })
  const expired = wireCertificate(body, keys.slice(0, 3))
  await clock.advance(10_000 + network.file.clockToleranceMs)
  assert.equal(await codeOf(() => pool.submit(expired)), 'E_CERTIFICATE_EXPIRED')
  const { asked } = signatureWork()
  assert.equal(await codeOf(() => pool.submit(expired)), 'E_CERTIFICATE_EXPIRED')
  assert.equal(signatureWork().asked, asked, 'its votes are not looked at')
  pool.offer([certificateOf(fixture, 4, { expiresAt: BEGIN + 10_000 })])
  assert.equal(pool.size, 0)
})

test('what is submitted again is not verified again', () => {
  using directory = temporaryDirectory()
  using opened = open(directory.path)
  const submitted = wireCertificate(bodyOf(fixture, 4), keys.slice(0, 3))
  opened.pool.submit(submitted)
  opened.pool.submit({ body: submitted.body, votes: [] })
  assert.equal(opened.pool.get(keys[4]?.id as never)?.votes.length, 3, 'the votes that are known stay')
})

test('it knows since which epoch it knows a certificate, and whose is valid now', async () => {
  using directory = temporaryDirectory()
  using opened = open(directory.path)
  const { pool, clock } = opened
  const id = keys[4]?.id as never
  await clock.advance(7 * EPOCH)
  pool.offer([certificateOf(fixture, 4, { issuedEpoch: 3, expiresAt: BEGIN + 20 * EPOCH })])
  await clock.advance(2 * EPOCH)
  pool.offer([certificateOf(fixture, 4, { issuedEpoch: 2 })])
  assert.equal(pool.learntEpoch(id), 7, 'not when it was issued, nor when an older one came')
  assert.equal(pool.isCertified(id), true)
  assert.equal(pool.isCertified(keys[5]?.id as never), false)
  await clock.advance(11 * EPOCH)
  assert.equal(pool.isCertified(id), false)
})

test('what is submitted without a quorum is refused', async () => {
  using directory = temporaryDirectory()
  using opened = open(directory.path)
  const submitted = wireCertificate(bodyOf(fixture, 4), keys.slice(0, 2))
  assert.equal(await codeOf(() => opened.pool.submit(submitted)), 'E_CERTIFICATE_QUORUM')
  assert.equal(opened.pool.size, 0)
})

test('the state is for its owner only, and a place where it cannot be is named', async () => {
  using directory = temporaryDirectory()
  {
    using _ = new MembershipDatabase(directory.path)
    assert.equal(statSync(join(directory.path, 'membership.sqlite')).mode & 0o777, 0o600)
    assert.equal(statSync(join(directory.path, 'membership.sqlite-wal')).mode & 0o777, 0o600)
  }
  const file = join(directory.path, 'file')
  writeFileSync(file, '')
  assert.equal(await codeOf(() => new MembershipDatabase(join(file, 'state'))), 'E_STATE_UNWRITABLE')
  writeFileSync(join(directory.path, 'membership.sqlite'), 'this is no database, however long it is read')
  assert.equal(await codeOf(() => new MembershipDatabase(directory.path)), 'E_STATE_CORRUPT')
})
