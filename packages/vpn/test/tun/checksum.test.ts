import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { checksumOf, copySum, sumOf, sumOfView } from '../../src/ip/checksum.ts'
import { slowChecksum } from './traffic.ts'

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 80 }),
  fc.uint8Array({ maxLength: 3_000, size: 'max' }),
  fc.constant(new Uint8Array(65_535).fill(0xff)),
)

test('property: every sum is that of the slow reference, wherever the bytes stand, and a copy is one', () => {
  fc.assert(
    fc.property(bytes, fc.nat(9), fc.nat(9), (content, before, after) => {
      const from = Buffer.concat([Buffer.alloc(before, 1), content, Buffer.alloc(5, 2)])
      const to = Buffer.alloc(after + content.length + 20, 3)
      const fromView = new DataView(from.buffer, from.byteOffset, from.length)
      const toView = new DataView(to.buffer, to.byteOffset, to.length)
      const end = before + content.length
      const expected = slowChecksum(content)
      assert.equal(checksumOf(sumOf(from, before, end)), expected)
      assert.equal(checksumOf(sumOfView(fromView, before, end)), expected)
      assert.equal(checksumOf(copySum(fromView, before, end, toView, after)), expected)
      assert.ok(to.subarray(after, after + content.length).equals(content))
      assert.ok(to.subarray(0, after).every((byte) => byte === 3))
      assert.ok(
        to.subarray(after + content.length).every((byte) => byte === 3),
        'nothing behind it is touched',
      )
    }),
  )
})
