import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SigningKey } from '@weft/crypto'
import { type ProfileInit, admissionProfile } from '../../src/admission/admission-profile.ts'
import { parseNetworkFile } from '../../src/network/network-file.ts'
import { codeOf } from '../fixtures.ts'

const key = SigningKey.generate()
const validators = [{ id: key.id, addresses: ['/ip4/192.0.2.1/tcp/4780'], roles: ['validator'], family: 'v' }]
const network = parseNetworkFile(JSON.stringify({ schemaVersion: 1, name: 'real', createdAt: 1, validators }))
const keys = { linkKey: new Uint8Array(32).fill(1), onionKey: new Uint8Array(32).fill(2) }

function profile(addresses: readonly string[], changes: Partial<ProfileInit> = {}) {
  const networkId = `w${'a'.repeat(32)}`
  const packets = { port: 4782, ...keys }
  return admissionProfile({ networkId, network, key, roles: ['relay'], addresses, packets, family: 'f', ...changes })
}

test('packets are taken at each host of the addresses, once, at one port', () => {
  const addresses = ['/ip4/192.0.2.1/tcp/4780', '/ip4/192.0.2.1/tcp/4781/ws', '/ip6/2001:db8::1/tcp/4780']
  assert.deepEqual(profile(addresses).packets, {
    addresses: ['/ip4/192.0.2.1/udp/4782', '/ip6/2001:db8::1/udp/4782'],
    ...keys,
  })
})

test('of more hosts than may be declared the first are taken', () => {
  const addresses = [1, 2, 3, 4, 5].map((last) => `/ip4/192.0.2.${last}/tcp/4780`)
  assert.deepEqual(
    profile(addresses).packets?.addresses,
    [1, 2, 3, 4].map((last) => `/ip4/192.0.2.${last}/udp/4782`),
  )
})

test('a node that carries no packets declares none', () => {
  assert.equal(profile(['/ip4/192.0.2.1/tcp/4780'], { roles: ['storage'] }).packets, undefined)
})

test('what no validator would take is refused at once', async () => {
  const address = '/ip4/192.0.2.1/tcp/4780'
  for (const packets of [
    { port: 65_536, ...keys },
    { port: 4782, ...keys, onionKey: new Uint8Array(32) },
  ])
    assert.equal(await codeOf(() => profile([address], { packets })), 'E_CERTIFICATE_MALFORMED')
})
