import assert from 'node:assert/strict'
import { test } from 'node:test'
import { outsideAddresses } from '../../src/route/outside-addresses.ts'

test('what is dialled by TCP is taken, also behind a relay or a WebSocket; nothing else', () => {
  const members = [
    { addresses: ['/ip4/192.0.2.1/tcp/4780', '/ip4/192.0.2.1/tcp/4781/ws', '/ip4/192.0.2.1/udp/4782'], roles: [] },
    { addresses: ['/ip6/2001:db8::1/tcp/4780', '/p2p/16Uiu2HAm/p2p-circuit', '/dns4/example.org/tcp/4780'], roles: [] },
  ]
  assert.deepEqual(outsideAddresses(members, ['/ip4/192.0.2.9/tcp/4780/p2p/12D3', '/ip4/1.2.3.4/tcp/47800000']), [
    { host: '192.0.2.9', port: 4780 },
    { host: '192.0.2.1', port: 4780 },
    { host: '192.0.2.1', port: 4781 },
    { host: '2001:db8::1', port: 4780 },
  ])
})

test('entries are called where they take packets, for these in TLS; relays are not', () => {
  const at = (host: string) => ({
    addresses: [`/ip4/${host}/udp/443`, `/ip6/2001:db8::${host.at(-1)}/udp/443`],
    linkKey: new Uint8Array(32),
    onionKey: new Uint8Array(32),
  })
  const members = [
    { addresses: [], roles: ['entry', 'relay'] as const, packets: at('192.0.2.1') },
    { addresses: [], roles: ['relay'] as const, packets: at('192.0.2.2') },
  ]
  assert.deepEqual(outsideAddresses(members, []), [
    { host: '192.0.2.1', port: 443 },
    { host: '2001:db8::1', port: 443 },
  ])
})
