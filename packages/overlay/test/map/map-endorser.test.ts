import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { VirtualClock } from '@weft/core'
import type { SigningKey } from '@weft/crypto'
import { encodeMapBody } from '../../src/map/map-body.ts'
import { MapEndorser } from '../../src/map/map-endorser.ts'
import { MembershipDatabase } from '../../src/state/membership-database.ts'
import { NO_BEACON, BEGIN, EPOCH, codeOf, temporaryDirectory, testNetwork } from '../fixtures.ts'

const fixture = testNetwork(4, 1)
const NOW = BEGIN + 100 * EPOCH + 10

/** A body of an epoch; `which` tells bodies of one epoch apart. */
function body(which: number, epoch = 100): Uint8Array {
  const root = new Uint8Array(32).fill(which)
  return encodeMapBody({ network: fixture.network.id, epoch, root, count: 1, signedAt: NOW, ...NO_BEACON })
}

/** The endorser of one validator over a state directory. */
export function openEndorser(directory: string, validator = 3) {
  const { network, keys } = fixture
  const database = new MembershipDatabase(directory)
  const clock = new VirtualClock(NOW)
  const endorser = new MapEndorser({ network, key: keys[validator] as SigningKey, database, clock })
  return {
    endorser,
    endorse: (which: number, epoch?: number) => endorser.endorse(body(which, epoch)),
    [Symbol.dispose]: () => database[Symbol.dispose](),
  }
}

function signed(by: number, which: number, epoch?: number) {
  const key = fixture.keys[by] as SigningKey
  const bytes = body(which, epoch)
  return { body: bytes, signature: { signer: key.publicKey, signature: key.sign('map', bytes) } }
}

test('a second body of an epoch is never signed, nor one of an earlier epoch, also after a restart', async () => {
  using directory = temporaryDirectory()
  {
    using opened = openEndorser(directory.path)
    const once = opened.endorse(1)
    assert.deepEqual(opened.endorse(1), once)
    assert.equal(await codeOf(() => opened.endorse(2)), 'E_MAP_SIGNED_OTHER')
  }
  using again = openEndorser(directory.path)
  assert.equal(await codeOf(() => again.endorse(2)), 'E_MAP_SIGNED_OTHER')
  assert.equal(await codeOf(() => again.endorse(1, 99)), 'E_MAP_SIGNED_OTHER')
  assert.ok(again.endorse(1))
  assert.ok(again.endorse(2, 101))
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
    const { openEndorser } = await import(${JSON.stringify(import.meta.url)})
    openEndorser(${JSON.stringify(directory.path)}).endorse(1)
  `
  const child = spawnSync(process.execPath, ['--input-type=module', '--eval', code], {
    cwd: import.meta.dirname,
    encoding: 'utf8',
  })
  assert.equal(child.signal, 'SIGKILL', child.stderr)
  using again = openEndorser(directory.path)
  assert.equal(await codeOf(() => again.endorse(2)), 'E_MAP_SIGNED_OTHER')
  assert.ok(again.endorse(1))
})

test('a quorum of endorsements of one body is the map, told once', () => {
  using directory = temporaryDirectory()
  using opened = openEndorser(directory.path)
  const { endorser } = opened
  assert.equal(endorser.take(signed(0, 1)), undefined)
  assert.equal(endorser.take(signed(0, 1)), undefined, 'a validator counts once')
  assert.equal(endorser.take(signed(1, 2)), undefined, 'another body counts for itself')
  assert.equal(endorser.take(signed(1, 1)), undefined, 'and a second one of a validator for nothing')
  assert.equal(endorser.take(signed(2, 1)), undefined)
  const map = endorser.take(opened.endorse(1))
  assert.deepEqual(map?.body, body(1))
  assert.equal(map?.signatures.length, 3)
})

test('what is no endorsement of a validator for about now is refused', async () => {
  using directory = temporaryDirectory()
  using opened = openEndorser(directory.path)
  const { endorser } = opened
  const stranger = signed(4, 1)
  assert.equal(await codeOf(() => endorser.take(stranger)), 'E_SIGNATURE_INVALID')
  assert.equal(await codeOf(() => endorser.take({ ...signed(0, 1), body: body(2) })), 'E_SIGNATURE_INVALID')
  assert.equal(await codeOf(() => endorser.take(signed(0, 1, 102))), 'E_AGREEMENT_EPOCH')
  assert.equal(await codeOf(() => endorser.take(signed(0, 1, 98))), 'E_AGREEMENT_EPOCH')
  assert.equal(await codeOf(() => endorser.take({ ...signed(0, 1), body: new Uint8Array(3) })), 'E_MAP_MALFORMED')
})
