import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '@weft/core'
import fc from 'fast-check'
import { type Control, readControl, writeControl } from '../../src/circuit/control.ts'
import { MAX_KEYS, MAX_SPEND, ReceiptAnswer } from '../../src/receipts/receipt.ts'
import { OpeningLayer, SealingLayer, SESSION_CONTROL, sessionKind, UnitKind } from '../../src/circuit/layer.ts'
import {
  readCreate,
  readCreated,
  readDestroy,
  writeCreate,
  writeCreated,
  writeDestroy,
} from '../../src/circuit/link-content.ts'
import { Padding } from '../../src/circuit/padding.ts'
import { circuitReasonText, CircuitReason } from '../../src/circuit/reasons.ts'
import { ChaChaPackets } from '../../src/packet/packet-aead.ts'
import { TIERS } from '../../src/shaping/tier.ts'
import { Packet } from '../../src/packet/packet.ts'
import { unitSpan } from '../../src/packet/span.ts'

const byte = fc.integer({ min: 0, max: 255 })
const token = fc.uint8Array({ minLength: 8, maxLength: 8 })
const counter = fc.nat(Number.MAX_SAFE_INTEGER)
const counts = fc.record(
  {
    opened: counter,
    passed: counter,
    droppedForward: counter,
    came: counter,
    droppedBackward: counter,
    sent: counter,
  },
  { noNullPrototype: true },
)
const control: fc.Arbitrary<Control> = fc.oneof(
  fc.record(
    {
      kind: fc.constantFrom('extend' as const, 'extended' as const),
      message: fc.uint8Array({ maxLength: 1300 }),
    },
    { noNullPrototype: true },
  ),
  fc.record({ kind: fc.constantFrom('failed' as const, 'ended' as const), reason: byte }, { noNullPrototype: true }),
  fc.record(
    {
      kind: fc.constantFrom('ping' as const, 'pong' as const, 'count' as const),
      token,
    },
    { noNullPrototype: true },
  ),
  fc.record({ kind: fc.constant('counted' as const), token, counts }, { noNullPrototype: true }),
  fc.record(
    { kind: fc.constantFrom('tier' as const, 'tiered' as const), tier: fc.constantFrom(...TIERS) },
    { noNullPrototype: true },
  ),
  fc.record(
    { kind: fc.constant('pay' as const), token, spend: fc.uint8Array({ maxLength: MAX_SPEND }) },
    { noNullPrototype: true },
  ),
  fc.record(
    {
      kind: fc.constant('receipt' as const),
      token,
      answer: fc.constantFrom(...Object.values(ReceiptAnswer)),
      due: fc.nat(2 ** 32 - 1),
      taken: fc.nat(2 ** 32 - 1),
      keys: fc.array(fc.uint8Array({ minLength: 32, maxLength: 32 }), { maxLength: MAX_KEYS }),
    },
    { noNullPrototype: true },
  ),
)

test('control messages come back as they were written, over whatever stood there', () => {
  fc.assert(
    fc.property(control, byte, (message, before) => {
      const content = new Uint8Array(1304).fill(before)
      writeControl(content, message)
      assert.deepEqual(readControl(content), message)
    }),
  )
})

test('no bytes make the control parser throw, and a length beyond the end is refused', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => void readControl(bytes)))
  for (const bytes of [
    [],
    [0],
    [9],
    [9, 3],
    [10],
    [10, 255],
    [11],
    [11, 0],
    [255],
    [1],
    [1, 0],
    [2, 0, 5, 1, 2, 3, 4],
    [3],
    [6],
    [4, 1, 2, 3, 4, 5, 6, 7],
    [7, 1, 2, 3, 4, 5, 6, 7],
    [11, 1, 2, 3, 4, 5, 6, 7, 8, 0],
    [11, 1, 2, 3, 4, 5, 6, 7, 8, 0, 1],
    [12, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 1, 0, 0, 0, 1],
    // One key, of 31 bytes; an answer that there is not; more keys than there may be.
    [12, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 1, 0, 0, 0, 1, 1, ...new Uint8Array(31)],
    [12, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 0, 0, 1, 0, 0, 0, 1, 0],
    [12, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 1, 0, 0, 0, 1, 17, ...new Uint8Array(600)],
    [11, 1, 2, 3, 4, 5, 6, 7, 8, 4, 1, ...new Uint8Array(1_025)],
  ])
    assert.equal(readControl(Uint8Array.from(bytes)), undefined, String(bytes))
  const counted = new Uint8Array(57).fill(0)
  counted[0] = 8
  assert.ok(readControl(counted))
  assert.equal(readControl(counted.subarray(0, 56)), undefined)
  counted[9] = 0x20 // 2^61
  assert.equal(readControl(counted), undefined)
  assert.throws(() => writeControl(new Uint8Array(10), { kind: 'extend', message: new Uint8Array(20) }), RangeError)
})

test('link contents come back as they were written, and lengths beyond the end are refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1401 }), fc.nat(4), byte, (message, depth, reason) => {
      const into = new Uint8Array(1404).fill(reason)
      assert.deepEqual(readCreate(writeCreate(into, depth, message)), { depth, message })
      assert.deepEqual(readCreated(writeCreated(into, message)), message)
      assert.equal(readDestroy(writeDestroy(into, reason)), reason)
      assert.ok(into.subarray(1).every((value) => value === 0))
    }),
  )
  const long = new Uint8Array(1404)
  long.set([0x05, 0x7b, 0x7b]) // 1403 as a length at 0, 31611 at 1
  assert.equal(readCreated(long), undefined)
  assert.equal(readCreate(long), undefined)
})

test("counters rise by 1 to 4 from below 2^31, those of a session hop's control apart", () => {
  const padding = new Padding(seededRandom(3))
  const key = new Uint8Array(32)
  for (const [session, base] of [
    [false, 0],
    [true, SESSION_CONTROL],
  ] as const) {
    const layer = new SealingLayer(new ChaChaPackets(key), padding, session ? SESSION_CONTROL : 0)
    const steps = new Set<number>()
    let last = layer.next()
    assert.ok(last >= base && last < base + 2 ** 31 + 4)
    for (let i = 0; i < 500; i++) {
      const next = layer.next()
      steps.add(next - last)
      last = next
    }
    assert.deepEqual(steps, new Set([1, 2, 3, 4]))
  }
})

test('at a session hop, each kind has its own counters', () => {
  assert.equal(sessionKind(5, UnitKind.session), UnitKind.session)
  assert.equal(sessionKind(SESSION_CONTROL + 5, UnitKind.control), UnitKind.control)
  assert.equal(sessionKind(SESSION_CONTROL + 5, UnitKind.padding), UnitKind.padding)
  assert.equal(sessionKind(5, UnitKind.control), undefined)
  assert.equal(sessionKind(5, UnitKind.padding), undefined)
  assert.equal(sessionKind(SESSION_CONTROL, UnitKind.session), undefined)
})

test('a layer opens each counter once, in any order, and nothing beyond 2^53', () => {
  const padding = new Padding(seededRandom(4))
  const key = new Uint8Array(32).fill(8)
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          fc.nat(5000),
          fc.nat(100).map((n) => SESSION_CONTROL + n),
        ),
        { maxLength: 60 },
      ),
      fc.boolean(),
      (counters, session) => {
        const sealing = new SealingLayer(new ChaChaPackets(key), padding, session ? SESSION_CONTROL : 0)
        const opening = new OpeningLayer(new ChaChaPackets(key), session)
        const seen = new Set<number>()
        let newest = -1
        for (const counter of counters) {
          const packet = new Packet()
          sealing.seal(packet, packet, unitSpan(1), counter)
          const opened = opening.open(packet, packet, unitSpan(1))
          const tooOld = !session && newest - counter >= 32_768
          assert.equal(opened, seen.has(counter) || tooOld ? -1 : counter)
          seen.add(counter)
          newest = Math.max(newest, counter)
        }
      },
    ),
    { numRuns: 40 },
  )
  const opening = new OpeningLayer(new ChaChaPackets(key), false)
  const packet = new Packet()
  new SealingLayer(new ChaChaPackets(key), padding, 0).seal(packet, packet, unitSpan(0), 2 ** 53)
  assert.equal(opening.open(packet, packet, unitSpan(0)), -1)
})

test('padding fills to the end and nothing before, and does not repeat', () => {
  const padding = new Padding(seededRandom(5))
  const seen = new Set<string>()
  for (let i = 0; i < 2000; i++) {
    const bytes = new Uint8Array(100)
    padding.fill(bytes, 25)
    assert.ok(bytes.subarray(0, 25).every((value) => value === 0))
    seen.add(Buffer.from(bytes.subarray(25)).toString('latin1'))
  }
  assert.equal(seen.size, 2000)
})

test('every reason has words', () => {
  for (const reason of Object.values(CircuitReason)) assert.doesNotMatch(circuitReasonText(reason), /^reason/)
  assert.equal(circuitReasonText(200), 'reason 200')
})
