import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { SessionCode } from '../../src/session/protocol.ts'
import { alone } from './lone-channel.ts'
import { PAYLOAD } from './simulated-path.ts'

const SECONDS = Number(process.env['WEFT_FUZZ_SECONDS'] ?? 3)

test('fuzz: any DATAGRAM frames end the session with CLOSE 2 or are taken, within the memory', () => {
  const small = fc.nat(70)
  const frame = fc.oneof(
    fc
      .tuple(fc.constantFrom(48, 49, 50, 51, 56, 57, 58, 59, 60, 61, 62, 63, 4, 5, 8), fc.uint8Array({ maxLength: 30 }))
      .map(([type, rest]) => [type, ...rest.map((byte) => byte & 0x3f)]),
    fc.tuple(small, fc.uint8Array({ maxLength: 40 })).map(([target, bytes]) => {
      const host = [0, 80, 1, 0x61 + (target % 26)]
      return [0x38 | 1 | 2, 0, target % 64, ...host, bytes.length, ...bytes]
    }),
    fc
      .tuple(small, small, small, fc.uint8Array({ minLength: 1, maxLength: 40 }))
      .map(([number, more, offset, bytes]) => {
        const total = Math.min(63, bytes.length + more)
        return [0x38 | 1 | 4, 0, 0, number % 64, total, offset % 64, Math.min(63, bytes.length), ...bytes]
      }),
  )
  fc.assert(
    fc.property(
      fc.constantFrom(['client', 2] as const, ['exit', 2] as const, ['exit', 4] as const),
      fc.array(fc.array(frame, { maxLength: 4 }), { maxLength: 20 }),
      ([role, protocol], packets) => {
        const { session, memory, ends } = alone(role, {}, protocol)
        for (const [index, frames] of packets.entries()) {
          session.receive(1000 + index, Uint8Array.from(frames.flat()))
          session.endBatch()
          for (let i = 0; i < 40 && session.next() !== undefined; i++) session.fill(new Uint8Array(PAYLOAD))
        }
        assert.ok(ends.length <= 1)
        assert.ok(memory.used <= memory.limit)
        session.close(SessionCode.none, '')
        assert.equal(memory.used, 0)
      },
    ),
    { numRuns: Infinity, plugins: [fc.interruptAfterTimeLimit(SECONDS * 1_000)] },
  )
})
