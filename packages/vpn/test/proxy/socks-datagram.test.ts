import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readSocksDatagram, socksDatagramHeader } from '../../src/proxy/socks-datagram.ts'

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

test('a datagram for a name, an IPv4 and an IPv6 address', () => {
  assert.deepEqual(readSocksDatagram(bytes(0, 0, 0, 1, 192, 0, 2, 7, 0, 53, 9)), {
    host: '192.0.2.7',
    port: 53,
    start: 10,
  })
  assert.deepEqual(readSocksDatagram(bytes(0, 0, 0, 3, 3, 97, 46, 98, 1, 187)), { host: 'a.b', port: 443, start: 10 })
  const six = [0x20, 1, 0xd, 0xb8, ...new Uint8Array(11), 1]
  assert.deepEqual(readSocksDatagram(bytes(0, 0, 0, 4, ...six, 0, 53)), { host: '2001:db8::1', port: 53, start: 22 })
})

for (const [what, said] of [
  ['nothing', []],
  ['a fragment', [0, 0, 1, 1, 192, 0, 2, 7, 0, 53, 9]],
  ['the last fragment', [0, 0, 0x81, 1, 192, 0, 2, 7, 0, 53, 9]],
  ['a reserved byte', [0, 1, 0, 1, 192, 0, 2, 7, 0, 53, 9]],
  ['another type of address', [0, 0, 0, 2, 192, 0, 2, 7, 0, 53, 9]],
  ['a header that ends early', [0, 0, 0, 1, 192, 0, 2, 7, 0]],
  ['an empty name', [0, 0, 0, 3, 0, 0, 53]],
  ['a name with a zero byte', [0, 0, 0, 3, 1, 0, 0, 53]],
  ['port 0', [0, 0, 0, 1, 192, 0, 2, 7, 0, 0, 9]],
] as const)
  test(`passed over: ${what}`, () => assert.equal(readSocksDatagram(bytes(...said)), undefined))

test('what is written is what is read', () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), fc.integer({ min: 1, max: 65_535 }), (address, port) => {
      const header = socksDatagramHeader(address, port)
      const read = readSocksDatagram(header)
      assert.deepEqual(read && socksDatagramHeader(read.host, read.port), header)
      assert.equal(read?.start, header.length)
    }),
  )
})
