import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Packet } from '../../src/packet/packet.ts'
import * as sizes from '../../src/packet/sizes.ts'
import { CELL, kindAt, movedSpan, nestedSpan, unitSpan } from '../../src/packet/span.ts'

const placed = (view: Uint8Array, packet: Packet): [number, number] => [
  view.byteOffset - packet.bytes.byteOffset,
  view.length,
]

describe('Packet', () => {
  it('has its views where docs/specs/packets.md says, also inside a larger buffer', () => {
    for (const packet of [new Packet(), new Packet(new ArrayBuffer(5_000), 1_441)]) {
      const table: [string, Uint8Array, [number, number]][] = [
        ['bytes', packet.bytes, [0, 1440]],
        ['nonce', packet.nonce, [0, 12]],
        ['sample without block counter', packet.sampleNonce, [24, 12]],
        ['cell header', packet.plainOf(CELL), [12, 8]],
        ['sealed cell header', packet.sealedOf(CELL), [12, 24]],
        ['body', packet.body, [36, 1404]],
        ['associated data', packet.tail, [1340, 100]],
        ['message', packet.messagePlain, [12, 1412]],
        ['sealed message', packet.messageSealed, [12, 1428]],
        ['content', packet.content, [20, 1404]],
      ]
      for (const [name, view, expected] of table) assert.deepEqual(placed(view, packet), expected, name)
    }
  })

  it('has the units of each depth', () => {
    const packet = new Packet()
    for (let depth = 0; depth < sizes.MAX_HOPS; depth++) {
      const length = 1404 - 25 * depth
      assert.equal(sizes.unitLength(depth), length)
      assert.equal(sizes.payloadLength(depth), 1379 - 25 * depth)
      assert.deepEqual(placed(packet.sealedOf(unitSpan(depth)), packet), [44, length - 8])
      assert.deepEqual(placed(packet.plainOf(unitSpan(depth)), packet), [44, length - 24])
      assert.deepEqual(placed(packet.sealedOf(movedSpan(depth)), packet), [44, length - 8])
      assert.deepEqual(placed(packet.plainOf(movedSpan(depth)), packet), [36, length - 24])
      assert.equal(kindAt(movedSpan(depth)), 36 + length - 25)
      assert.deepEqual(placed(packet.sealedOf(nestedSpan(depth)), packet), [44 + 8 * depth, length - 8])
      assert.deepEqual(placed(packet.plainOf(nestedSpan(depth)), packet), [44 + 8 * depth, length - 24])
      assert.equal(packet.sealedOf(unitSpan(depth)), packet.sealedOf(unitSpan(depth)))
    }
    // A unit and its kind are exactly what the unit before carries.
    for (let depth = 1; depth < sizes.MAX_HOPS; depth++)
      assert.equal(packet.plainOf(nestedSpan(depth - 1)).length - 1, 8 + packet.sealedOf(nestedSpan(depth)).length)
    for (const depth of [-1, 5, 0.5])
      for (const spanOf of [unitSpan, movedSpan, nestedSpan]) assert.throws(() => spanOf(depth), RangeError)
  })

  it('takes a datagram of its size only', () => {
    const packet = new Packet()
    for (const length of [0, 1, 1439, 1441, 65_507])
      assert.equal(packet.copyFrom(new Uint8Array(length).fill(1)), false)
    assert.deepEqual(packet.bytes, new Uint8Array(1440))
    assert.equal(packet.copyFrom(new Uint8Array(1440).fill(2)), true)
    assert.deepEqual(packet.bytes, new Uint8Array(1440).fill(2))
  })
})
