import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isLoopback, isUnspecified, parseNodeAddress } from '../../src/network/node-address.ts'

test('the forms that are dialled', () => {
  assert.deepEqual(parseNodeAddress('/ip4/192.0.2.1/tcp/4780'), { host: '192.0.2.1', port: 4780, websocket: false })
  assert.deepEqual(parseNodeAddress('/ip6/2001:db8::1/tcp/4781/ws'), {
    host: '2001:db8::1',
    port: 4781,
    websocket: true,
  })
})

test('everything else is refused', () => {
  const others = [
    '',
    '/ip4/1.2.3/tcp/1',
    '/ip4/1.2.3.4/tcp/0',
    '/ip4/1.2.3.4/tcp/65536',
    '/ip4/1.2.3.4/udp/1',
    '/ip4/::1/tcp/1',
    '/ip6/1.2.3.4/tcp/1',
  ]
  for (const text of [
    ...others,
    '/ip4/1.2.3.4/tcp/1/p2p/x',
    '/dns4/a/tcp/1',
    '/ip4/1.2.3.4/tcp/1\n',
    '/ip6/fe80::1%eth0/tcp/1',
  ]) {
    assert.equal(parseNodeAddress(text), undefined, text)
  }
})

test('every pair of a literal and a port is read as it was written', () => {
  fc.assert(
    fc.property(fc.ipV4(), fc.integer({ min: 1, max: 65_535 }), (host, port) => {
      assert.deepEqual(parseNodeAddress(`/ip4/${host}/tcp/${port}`), { host, port, websocket: false })
    }),
  )
})

test('loopback and unspecified', () => {
  assert.deepEqual(['127.0.0.1', '127.9.9.9', '::1', '128.0.0.1', '::2'].map(isLoopback), [
    true,
    true,
    true,
    false,
    false,
  ])
  assert.deepEqual(['0.0.0.0', '::', '0:0::0', '0.0.0.1', '::1'].map(isUnspecified), [true, true, true, false, false])
})
