import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readSocksDatagram } from '../../src/proxy/socks-datagram.ts'

const SECONDS = Number(process.env['WEFT_FUZZ_SECONDS'] ?? 2)

test('fuzz: any bytes are read or passed over', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(5), (rest, type) => {
      const said = Uint8Array.of(0, 0, 0, type, ...rest)
      const read = readSocksDatagram(said)
      if (read === undefined) return
      assert.ok(read.start <= said.length && read.port > 0 && read.host.length > 0)
    }),
    { numRuns: Infinity, plugins: [fc.interruptAfterTimeLimit(SECONDS * 1_000)] },
  )
})
