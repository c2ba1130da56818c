import assert from 'node:assert/strict'
import { test } from 'node:test'
import { remoteHost } from '../../src/network/remote-host.ts'

test('the host behind a connection, in one spelling, and none behind a relay', () => {
  assert.equal(remoteHost('/ip4/192.0.2.1/tcp/1'), '192.0.2.1')
  assert.equal(remoteHost('/ip4/192.0.2.1/tcp/1/ws/p2p/x'), '192.0.2.1')
  assert.equal(remoteHost('/ip6/2001:DB8:0::1/tcp/1'), '2001:db8::1')
  assert.equal(remoteHost('/ip6/::ffff:192.0.2.1/tcp/1'), '192.0.2.1')
  for (const none of ['', '/ip4/x/tcp/1', '/dns4/a/tcp/1', '/ip4/192.0.2.1/tcp/1/p2p/x/p2p-circuit'])
    assert.equal(remoteHost(none), undefined, none)
})
