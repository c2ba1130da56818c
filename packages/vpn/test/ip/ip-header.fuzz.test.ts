import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { prohibited } from '../../src/ip/icmp-error.ts'
import { IpHeader } from '../../src/ip/ip-header.ts'
import { rewriteAddress, rewriteInside } from '../../src/ip/rewrite-address.ts'
import { makePacket } from './make-packet.ts'

const SECONDS = Number(process.env['WEFT_FUZZ_SECONDS'] ?? 3)

test('fuzz: any bytes are read, answered and rewritten within their bounds', () => {
  const header = new IpHeader()
  const changed = fc
    .tuple(
      fc.boolean(),
      fc.constantFrom(1, 6, 17, 44, 58, 0, 43, 60),
      fc.constantFrom(undefined, 'first' as const, 'later' as const),
      fc.array(fc.tuple(fc.nat(60), fc.nat(255)), { maxLength: 4 }),
      fc.uint8Array({ maxLength: 80 }),
    )
    .map(([isIPv4, protocol, fragment, changes, content]) => {
      const addresses = isIPv4 ? { source: '10.0.0.1', destination: '10.0.0.2' } : { source: '::1', destination: '::2' }
      const packet = makePacket({ ...addresses, protocol, content, ...(fragment === undefined ? {} : { fragment }) })
      for (const [at, value] of changes) if (at < packet.length) packet[at] = value
      return packet
    })
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 120 }), changed), fc.nat(20), (bytes, spare) => {
      const packet = Buffer.concat([bytes, new Uint8Array(spare).fill(0xee)])
      const { length } = bytes
      if (!header.read(packet, length)) return
      const { addressBytes, sourceAt, destinationAt, contentAt } = header
      assert.ok(contentAt <= length && destinationAt + addressBytes <= length)
      const into = new Uint8Array(1_280)
      assert.ok(prohibited(header, packet, length, new Uint8Array(addressBytes), into) <= into.length)
      const from = Uint8Array.from(packet.subarray(contentAt + 8, contentAt + 8 + addressBytes))
      rewriteAddress(header, packet, length, sourceAt, new Uint8Array(addressBytes).fill(7))
      if (header.isIcmpError && from.length === addressBytes)
        rewriteInside(header, packet, length, from, new Uint8Array(addressBytes).fill(7))
      assert.ok(
        packet.subarray(length).every((byte) => byte === 0xee),
        'nothing behind it is touched',
      )
      assert.ok(header.read(packet, length), 'it stays a packet')
    }),
    { numRuns: Infinity, plugins: [fc.interruptAfterTimeLimit(SECONDS * 1_000)] },
  )
})
