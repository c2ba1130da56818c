import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SigningKey } from '@weft/crypto'
import { type NetworkFile, parseNetworkFile } from '@weft/overlay'
import { joinTokenFor } from '../../src/daemon/join-token-for.ts'
import { FakeOverlay } from '../support/fake-overlay.ts'

const keys = Array.from({ length: 6 }, () => SigningKey.generate())
const [node, person] = [SigningKey.generate(), SigningKey.generate()]
const limits = { roles: ['storage'], uses: 2, expiresAt: 1_000, node: undefined } as const

function networkWith(changes: object): NetworkFile {
  const validators = keys.map(({ id }, index) => ({
    id,
    addresses: [1, 2, 3].map((port) => `/ip4/192.0.2.${index + 1}/tcp/${port}`),
    roles: ['validator'],
    family: 'v',
  }))
  return parseNetworkFile(JSON.stringify({ schemaVersion: 1, name: 'net', createdAt: 1, validators, ...changes }))
}

test('a token names this node first where it is a member, four nodes at most with two addresses each', () => {
  const overlay = new FakeOverlay(node.id)
  const network = networkWith({ policy: 'invite', inviters: [person.id] })
  const token = joinTokenFor({ network, keys: [node, person], overlay, limits })
  assert.deepEqual(
    token.bootstrap.map(({ id }) => id),
    keys.slice(0, 4).map(({ id }) => id),
  )
  assert.deepEqual(token.bootstrap[0]?.addresses, ['/ip4/192.0.2.1/tcp/1', '/ip4/192.0.2.1/tcp/2'])
  const issued = token.invitation ?? assert.fail('no invitation')
  const { uses, roles, expiresAt } = issued.invitation
  assert.deepEqual([uses, roles, expiresAt], [2, ['storage'], 1_000])
  assert.equal(Buffer.compare(issued.envelope.signer, person.publicKey), 0)

  const self = overlay.memberList[0] ?? assert.fail('no members')
  const own = joinTokenFor({ network, keys: [person], overlay: new FakeOverlay(self.id), limits })
  assert.deepEqual([own.bootstrap.length, own.bootstrap[0]?.id], [4, self.id])
})

test('neither the node nor its person may invite: nothing is signed', () => {
  const overlay = new FakeOverlay(node.id)
  for (const changes of [{ policy: 'invite' }, { policy: 'stake' }])
    assert.throws(() => joinTokenFor({ network: networkWith(changes), keys: [node, person], overlay, limits }), {
      code: 'E_NOT_INVITER',
    })
})
