import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock, WeftError, equalBytes, toHex } from '@weft/core'
import type { SigningKey } from '@weft/crypto'
import { decodeApplication } from '../../src/admission/application.ts'
import { decodeCertificateBody } from '../../src/admission/certificate-body.ts'
import { type OnionKeySource, onionKeyOverlapMs } from '../../src/admission/onion-key-source.ts'
import type { MembershipStore } from '../../src/state/membership-store.ts'
import { MemoryMembershipStore } from '../../src/state/memory-membership-store.ts'
import { BEGIN, advance, packetsOf, profileOf, testNetwork } from '../fixtures.ts'
import { MemoryNetwork } from '../memory-network.ts'
import { applicantOf } from './applicant-of.ts'

const HOUR = 3_600_000
const TTL = 24 * HOUR
const fixture = testNetwork(4, 1)
const key = fixture.keys[4] as SigningKey

/** The keys 10, 11 and so on, each until a certificate has it. */
class NumberedKeys implements Pick<OnionKeySource, 'next' | 'has' | 'certified'> {
  readonly all: Uint8Array[] = []
  readonly certificates: (readonly [key: string, expiresAt: number])[] = []

  next(): Uint8Array {
    const last = this.all.at(-1)
    const isFresh = last !== undefined && !this.certificates.some(([of]) => of === toHex(last))
    if (!isFresh) this.all.push(new Uint8Array(32).fill(10 + this.all.length))
    return this.all.at(-1) as Uint8Array
  }

  has(publicKey: Uint8Array): boolean {
    return this.all.some((each) => equalBytes(each, publicKey))
  }

  certified(publicKey: Uint8Array, expiresAt: number): void {
    this.certificates.push([toHex(publicKey), expiresAt])
  }
}

/** A relay, and four validators that note under which onion key it applies. */
function setUp(onionKeys: NumberedKeys, database: MembershipStore, start = BEGIN + 1_000) {
  const clock = new VirtualClock(start)
  const network = new MemoryNetwork(clock)
  const node = network.add(key.id)
  const asked = new Set<string>()
  const refusing = { is: false }
  for (const validator of fixture.keys.slice(0, 4)) {
    const { rpc } = network.add(validator.id)
    rpc.handle('admission.apply', async ({ application }) => {
      const { bodyBytes } = decodeApplication(application?.payload as Uint8Array)
      asked.add(toHex(decodeCertificateBody(bodyBytes).packets?.onionKey ?? assert.fail()))
      if (refusing.is) throw new WeftError({ code: 'E_ADMISSION_UNREACHABLE', cause: 'why', fix: 'how' })
      return { vote: { signer: validator.publicKey, signature: validator.sign('vote', bodyBytes) } }
    })
    rpc.handle('admission.submit', async () => ({}))
  }
  const profile = { ...profileOf(fixture, 4), roles: ['relay'] as const, packets: packetsOf(4) }
  const running = applicantOf({ network: fixture.network, key, profile, rpc: node.rpc, database, onionKeys, clock })
  return {
    ...running,
    clock,
    asked,
    refusing,
    onionKey: () => running.applicant.certificate?.body.packets?.onionKey[0],
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  }
}

test('each renewal has a new onion key, and its source is told which certificate has which, and until when', async () => {
  const keys = new NumberedKeys()
  await using set = setUp(keys, new MemoryMembershipStore())
  await advance(set.clock, 10)
  assert.equal(set.onionKey(), 10)
  for (const second of [11, 12]) {
    const before = set.applicant.certificate
    while (set.applicant.certificate === before) await advance(set.clock, HOUR)
    assert.equal(set.onionKey(), second)
  }
  assert.deepEqual(
    keys.certificates.map(([of]) => of.slice(0, 2)),
    ['0a', '0b', '0c'],
  )
  assert.equal(keys.certificates.at(-1)?.[1], set.applicant.certificate?.body.expiresAt)
})

test('a renewal that is refused asks under the same new key again and again, and leaves the old one in use', async () => {
  const keys = new NumberedKeys()
  await using set = setUp(keys, new MemoryMembershipStore())
  await advance(set.clock, 10)
  set.refusing.is = true
  await advance(set.clock, TTL - HOUR)
  assert.equal(set.onionKey(), 10)
  assert.deepEqual(
    [...set.asked],
    [10, 11].map((fill) => toHex(new Uint8Array(32).fill(fill))),
  )
  assert.equal(keys.certificates.length, 1)
  set.refusing.is = false
  await advance(set.clock, 2 * 60_000)
  assert.equal(set.onionKey(), 11)
})

test('after a restart the certificate is used with the key that it has, and not when the secret of that is gone', async () => {
  const database = new MemoryMembershipStore()
  const keys = new NumberedKeys()
  {
    await using set = setUp(keys, database)
    await advance(set.clock, 10)
  }
  // It ended before it was noted that a certificate has the key; another one waits for the next renewal.
  keys.certificates.length = 0
  keys.all.push(new Uint8Array(32).fill(20))
  {
    await using again = setUp(keys, database, BEGIN + 60_000)
    await advance(again.clock, 10)
    assert.deepEqual([again.onionKey(), again.asked.size], [10, 0])
    assert.deepEqual(keys.certificates, [[toHex(new Uint8Array(32).fill(10)), BEGIN + TTL]])
  }
  await using other = setUp(new NumberedKeys(), database, BEGIN + 120_000)
  assert.equal(other.applicant.certificate, undefined)
  await advance(other.clock, 10)
  assert.equal(other.asked.size, 1)
})

test('keys overlap for two hours; where certificates are short for a twelfth of them, and as long as a map is not called stale', () => {
  assert.equal(onionKeyOverlapMs({ mapEpochMs: 60_000, certificateTtlMs: TTL }), 2 * HOUR)
  assert.equal(onionKeyOverlapMs({ mapEpochMs: 60_000, certificateTtlMs: 30 * TTL }), 2 * HOUR)
  assert.equal(onionKeyOverlapMs({ mapEpochMs: 5_000, certificateTtlMs: HOUR }), HOUR / 12)
  assert.equal(onionKeyOverlapMs({ mapEpochMs: 60_000, certificateTtlMs: 10_000 }), 240_000)
})
