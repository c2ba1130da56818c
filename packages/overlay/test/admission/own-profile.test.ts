import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SigningKey } from '@weft/crypto'
import { OwnProfile } from '../../src/admission/own-profile.ts'
import { parseNetworkFile } from '../../src/network/network-file.ts'
import { networkIdOf } from '../../src/network/network-id.ts'
import { formatRelayedAddress } from '../../src/network/relayed-address.ts'
import { codeOf } from '../fixtures.ts'

const key = SigningKey.generate()
const validator = { id: key.id, addresses: ['/ip4/192.0.2.1/tcp/1'], roles: ['validator'], family: 'v' }
const network = parseNetworkFile(JSON.stringify({ schemaVersion: 1, name: 'n', createdAt: 1, validators: [validator] }))
const relayed = [formatRelayedAddress(SigningKey.generate().id)]

function profile(): { readonly own: OwnProfile; readonly changes: () => number } {
  const own = new OwnProfile({ networkId: networkIdOf(network), network, key, roles: ['storage'], family: 'f' })
  let changes = 0
  own.onChange(() => changes++)
  return { own, changes: () => changes }
}

test('what is said again is no change; what is lost is one', () => {
  const { own, changes } = profile()
  own.reachedAt(undefined)
  own.reachedAt({ addresses: relayed, seenAt: '203.0.113.1' })
  own.reachedAt({ addresses: [...relayed], seenAt: '203.0.113.1' })
  assert.equal(changes(), 1)
  assert.equal(own.current?.diversityAddress, '203.0.113.1')
  own.reachedAt({ addresses: relayed, seenAt: '203.0.113.2' })
  own.reachedAt(undefined)
  assert.equal(changes(), 3)
  assert.equal(own.current, undefined)
})

test('an address of its own says where the node is; behind relays that must be known', async () => {
  const { own } = profile()
  own.reachedAt({ addresses: [...relayed, '/ip4/192.0.2.7/tcp/1'], seenAt: '203.0.113.1' })
  assert.equal(own.current?.diversityAddress, '192.0.2.7')
  assert.equal(await codeOf(() => own.reachedAt({ addresses: relayed, seenAt: undefined })), 'E_ANNOUNCE_NEEDED')
})
