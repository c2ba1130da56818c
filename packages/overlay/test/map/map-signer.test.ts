import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { VirtualClock } from '@weft/core'
import { CertificatePool } from '../../src/admission/certificate-pool.ts'
import { encodeMapBody } from '../../src/map/map-body.ts'
import { mapRoot } from '../../src/map/map-entries.ts'
import { MapSigner } from '../../src/map/map-signer.ts'
import { PROPOSAL_CHECKS } from '../../src/map/proposal-checks.ts'
import { MembershipDatabase } from '../../src/state/membership-database.ts'
import { BEGIN, EPOCH, certificateOf, codeOf, temporaryDirectory, testNetwork } from '../fixtures.ts'

const fixture = testNetwork(4, 2)

/** A signer over a state directory, and proposals for it. */
export function openSigner(directory: string, at = 100) {
  const { network, keys } = fixture
  const database = new MembershipDatabase(directory)
  const pool = new CertificatePool(network, database)
  const certificates = [certificateOf(fixture, 0), certificateOf(fixture, 4)]
  pool.offer(certificates)
  const clock = new VirtualClock(BEGIN + at * EPOCH + 10)
  const signer = new MapSigner({ network, key: keys[3] as never, pool, database, checks: PROPOSAL_CHECKS, clock })
  const propose = (count: 1 | 2, epoch = at) => {
    const listed = certificates.slice(0, count).sort((a, b) => Buffer.compare(a.body.key, b.body.key))
    const root = mapRoot(listed.map(({ bodyBytes }) => bodyBytes))
    const body = encodeMapBody({ network: network.id, epoch, root, count, signedAt: clock.now() })
    return signer.consider(
      { body, certificateHashes: listed.map(({ hash }) => hash), certificates: [] },
      keys[epoch % 4]?.id as never,
    )
  }
  return { propose, [Symbol.dispose]: () => database[Symbol.dispose]() }
}

test('a second body of the same epoch is never signed; the same body may be asked for again', async () => {
  using directory = temporaryDirectory()
  using signer = openSigner(directory.path)
  const once = signer.propose(2)
  assert.deepEqual(signer.propose(2).signature, once.signature)
  assert.equal(await codeOf(() => signer.propose(1)), 'E_MAP_SIGNED_OTHER')
})

test('an epoch before the last one signed is not signed any more', async () => {
  using directory = temporaryDirectory()
  using signer = openSigner(directory.path)
  signer.propose(2, 101)
  assert.equal(await codeOf(() => signer.propose(2, 100)), 'E_MAP_SIGNED_OTHER')
})

test('the memory of a signature survives a restart', async () => {
  using directory = temporaryDirectory()
  {
    using signer = openSigner(directory.path)
    signer.propose(2)
  }
  using again = openSigner(directory.path)
  assert.equal(await codeOf(() => again.propose(1)), 'E_MAP_SIGNED_OTHER')
  assert.ok(again.propose(2).signature)
})

test('a process killed between writing and sending its signature signs nothing else afterwards', async () => {
  using directory = temporaryDirectory()
  // The child dies by SIGKILL in the very moment in which it would sign.
  const code = `
    import { SigningKey } from '@weft/crypto'
    SigningKey.prototype.sign = ((sign) => function (purpose, bytes) {
      if (purpose === 'map') process.kill(process.pid, 'SIGKILL')
      return sign.call(this, purpose, bytes)
    })(SigningKey.prototype.sign)
    const { openSigner } = await import(${JSON.stringify(import.meta.url)})
    openSigner(${JSON.stringify(directory.path)}).propose(2)
  `
  const child = spawnSync(process.execPath, ['--input-type=module', '--eval', code], {
    cwd: import.meta.dirname,
    encoding: 'utf8',
  })
  assert.equal(child.signal, 'SIGKILL', child.stderr)
  using again = openSigner(directory.path)
  assert.equal(await codeOf(() => again.propose(1)), 'E_MAP_SIGNED_OTHER')
  assert.ok(again.propose(2).signature)
})
