import assert from 'node:assert/strict'
import { test } from 'node:test'
import { equalBytes, seededRandom, silentLogger, toHex } from '@weft/core'
import { type VerifiedCertificate, toWireCertificate } from '../../src/admission/certificate.ts'
import { CertificateReader } from '../../src/map/certificate-reader.ts'
import type { Member } from '../../src/member.ts'
import type { Rpc } from '../../src/rpc.ts'
import { certificateOf, testNetwork } from '../fixtures.ts'

const fixture = testNetwork(4, 6)
const { network, keys } = fixture
const certificates = [4, 5, 6, 7, 8, 9].map((index) => certificateOf(fixture, index))
const ids = certificates.map(({ body }) => body.id)

/** A node without a pool of its own; `looks` tells how many of the certificates that it is given were looked at. */
function openReader() {
  const looked = new Set<string>()
  let asked = 0
  const members = certificates.map(({ body: { id }, hash }) => ({ id, certificateHash: hash }) as Member)
  const wire = (certificate: VerifiedCertificate) => {
    const message = toWireCertificate(certificate)
    const { votes } = message
    return Object.defineProperty(message, 'votes', { get: () => (looked.add(toHex(certificate.hash)), votes) })
  }
  const call = async (_: string, __: string, { members: keysAsked }: { members: readonly Uint8Array[] }) => {
    asked++
    return {
      certificates: keysAsked.flatMap((key) => certificates.filter(({ body }) => equalBytes(body.key, key)).map(wire)),
    }
  }
  const reader = new CertificateReader({
    network,
    membership: {
      members: () => members,
      member: (id: string) => members.find((one) => one.id === id),
      isValidator: () => true,
    } as never,
    rpc: { call } as unknown as Pick<Rpc, 'call'>,
    connected: () => keys.slice(0, 3).map(({ id }) => id),
    pool: () => undefined,
    random: seededRandom(1),
    logger: silentLogger,
  })
  return { reader, looks: () => looked.size, asked: () => asked }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('while certificates are verified others have the thread after each', async () => {
  const { reader, looks, asked } = openReader()
  const votes = reader.votes(ids)
  for (let seen = 0; seen < ids.length; seen = looks()) {
    await turn()
    assert.ok(looks() <= seen + 1, `${looks() - seen} in one stretch`)
  }
  assert.deepEqual(new Set((await votes).keys()), new Set(ids))
  assert.equal(asked(), 1)
})

test('whoever goes away stops it, and what was verified is kept', async () => {
  const { reader, looks, asked } = openReader()
  const gone = new AbortController()
  const votes = reader.votes(ids, gone.signal)
  while (looks() < 2) await turn()
  gone.abort()
  assert.ok((await votes).size < ids.length)
  assert.ok(looks() < ids.length)
  assert.equal(asked(), 1, 'and nobody else is asked')
  assert.equal((await reader.votes(ids)).size, ids.length)
})
