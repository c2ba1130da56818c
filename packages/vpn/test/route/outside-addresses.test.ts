import assert from 'node:assert/strict'
import { test } from 'node:test'
import { outsideAddresses } from '../../src/route/outside-addresses.ts'

test('what is dialled by TCP is taken, also behind a relay or a WebSocket; nothing else', () => {
  const members = [
    { addresses: ['/ip4/192.0.2.1/tcp/4780', '/ip4/192.0.2.1/tcp/4781/ws', '/ip4/192.0.2.1/udp/4782'] },
    { addresses: ['/ip6/2001:db8::1/tcp/4780', '/p2p/16Uiu2HAm/p2p-circuit', '/dns4/example.org/tcp/4780'] },
  ]
  assert.deepEqual(outsideAddresses(members, ['/ip4/192.0.2.9/tcp/4780/p2p/12D3', '/ip4/1.2.3.4/tcp/47800000']), [
    { host: '192.0.2.9', port: 4780 },
    { host: '192.0.2.1', port: 4780 },
    { host: '192.0.2.1', port: 4781 },
    { host: '2001:db8::1', port: 4780 },
  ])
})
