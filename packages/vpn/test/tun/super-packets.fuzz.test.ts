import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { IpHeader } from '../../src/ip/ip-header.ts'
import { MOST_BYTES, merge, split } from './merge-and-split.ts'
import { flows, isTrue, packetsOf } from './traffic.ts'

const SECONDS = Number(process.env['WEFT_FUZZ_SECONDS'] ?? 3)
const LIMITS = { numRuns: Infinity, plugins: [fc.interruptAfterTimeLimit(SECONDS * 1_000)] }
const changes = fc.array(fc.tuple(fc.nat(120), fc.nat(255)), { maxLength: 5 })

function changed(bytes: Buffer, all: readonly (readonly [number, number])[]): Buffer {
  for (const [at, value] of all) if (at < bytes.length) bytes[at] = value
  return bytes
}

test('fuzz: whatever the system is said to give, packets of at most the length come of it', () => {
  const wholes = fc.oneof(
    fc.uint8Array({ minLength: 11, maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc
      .tuple(flows, changes)
      .map(([flow, all]) => changed(merge(packetsOf(flow)).written[0]?.whole ?? Buffer.alloc(20), all)),
  )
  fc.assert(
    fc.property(wholes, (whole) => {
      const kind = (whole[1] as number) & 0x7f
      for (const packet of split(whole)) {
        if (kind === 0) assert.equal(packet.length, whole.length - 10)
        else assert.ok(packet.length <= MOST_BYTES && new IpHeader().read(packet, packet.length) && isTrue(packet))
      }
    }),
    LIMITS,
  )
})

test('fuzz: any packets are written, or counted as none, and only whole ones are merged', () => {
  const packets = fc.oneof(
    fc.array(fc.uint8Array({ maxLength: 120 }), { maxLength: 10 }),
    fc.tuple(flows, fc.array(changes, { maxLength: 5 })).map(([flow, all]) =>
      packetsOf(flow)
        .slice(0, 12)
        .map((packet, at) => changed(packet, all[at] ?? [])),
    ),
  )
  fc.assert(
    fc.property(packets, (all) => {
      const { written, broken } = merge(all)
      assert.equal(
        written.reduce((sum, { count }) => sum + count, broken),
        all.length,
      )
      for (const { count, whole } of written)
        if (count > 1) assert.ok(split(whole).length === count && split(whole).every(isTrue))
    }),
    LIMITS,
  )
})
