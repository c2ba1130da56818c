import { strict as assert } from 'node:assert'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { canonicalHost } from '@weft/core'
import { DestinationTable } from '../../src/udp/destination-table.ts'
import { EndpointTable } from '../../src/udp/endpoint-table.ts'
import { AF_INET, AF_INET6, decodeSocketAddress, encodeSocketAddress } from '../../src/udp/socket-address.ts'

const port = fc.integer({ min: 1, max: 65_535 })
const ipv4 = fc.ipV4()
const ipv6 = fc
  .ipV6()
  .map((address) => canonicalHost(address)!)
  .filter((address) => !/^fe[89ab]|^::ffff:[^:]+:[^:]+$/.test(address))

describe('socket addresses', () => {
  it('come back as they were', () => {
    fc.assert(
      fc.property(fc.oneof(ipv4, ipv6), port, fc.nat({ max: 8 }), (address, port, offset) => {
        for (const family of [AF_INET, AF_INET6] as const) {
          const bytes = encodeSocketAddress({ address, port }, family)
          if (family === AF_INET && address.includes(':')) {
            assert.equal(bytes, undefined)
            continue
          }
          const room = new Uint8Array(offset + bytes!.length)
          room.set(bytes!, offset)
          assert.deepEqual(decodeSocketAddress(new DataView(room.buffer), offset), { address, port })
        }
      }),
    )
  })

  it('have the layout of ip(7) and ipv6(7)', () => {
    const hex = (address: string, family: typeof AF_INET | typeof AF_INET6): string | undefined =>
      encodeSocketAddress({ address, port: 0x1234 }, family)?.toHex()
    assert.equal(hex('192.0.2.1', AF_INET), '02001234c00002010000000000000000')
    assert.equal(hex('2001:db8::5:1', AF_INET6), '0a0012340000000020010db800000000000000000005000100000000')
    assert.equal(hex('192.0.2.1', AF_INET6), '0a0012340000000000000000000000000000ffffc000020100000000')
  })

  it('of any 28 bytes are an endpoint that can be sent to, or none', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 28, maxLength: 28 }), fc.constantFrom(0, 2, 10), (bytes, family) => {
        bytes[0] = family
        bytes[1] = 0
        const endpoint = decodeSocketAddress(new DataView(bytes.buffer), 0)
        if (endpoint !== undefined) assert.ok(encodeSocketAddress(endpoint, AF_INET6) !== undefined)
      }),
    )
  })
})

describe('EndpointTable', () => {
  it('gives one object for one sender, however it was learnt, and stays small', () => {
    const table = new EndpointTable()
    fc.assert(
      fc.property(fc.oneof(ipv4, ipv6), port, (address, port) => {
        const bytes = encodeSocketAddress({ address, port }, AF_INET6)!
        const first = table.ofSocketAddress(new DataView(bytes.buffer), 0)
        assert.deepEqual(first, { address, port })
        assert.equal(table.ofText(address, port), first)
        if (address.includes('.')) assert.equal(table.ofText(`::ffff:${address}`, port), first)
        else assert.equal(table.ofText(address.toUpperCase(), port), first)
      }),
    )
    for (let i = 0; i < 20_000; i++) table.ofText(`10.0.${i >> 8}.${i & 255}`, 1)
    assert.ok(table.size <= 4_096)
  })

  it('knows no sender that cannot be answered', () => {
    const table = new EndpointTable()
    assert.equal(table.ofText('fe80::1%eth0', 5), undefined)
    assert.equal(table.ofText('192.0.2.1', 0), undefined)
    assert.equal(table.ofText('nonsense', 5), undefined)
  })
})

describe('DestinationTable', () => {
  it('finds one destination by equal endpoints, and none that the socket cannot reach', () => {
    const four = new DestinationTable(AF_INET, false)
    const dual = new DestinationTable(AF_INET6, true)
    const six = new DestinationTable(AF_INET6, false)
    const endpoint = { address: '192.0.2.1', port: 9 }
    assert.equal(four.of(endpoint), four.of({ ...endpoint }))
    assert.equal(four.of(endpoint)?.host, '192.0.2.1')
    assert.equal(dual.of(endpoint)?.host, '::ffff:192.0.2.1')
    assert.equal(six.of(endpoint), undefined)
    assert.equal(four.of({ address: '::1', port: 9 }), undefined)
    assert.equal(six.of({ address: '::1', port: 9 })?.host, '::1')
  })
})
