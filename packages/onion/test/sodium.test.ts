import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromHex, toHex } from '@weft/core'
import { blake2bMac } from '../src/sodium.ts'

const counted = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i & 255)

test('BLAKE2b with a key gives the MACs that its authors published', () => {
  const mac = new Uint8Array(64)
  // blake2-kat.json, keyed: input of 0 and of 1 byte.
  for (const [length, expected] of [
    [
      0,
      '10ebb67700b1868efb4417987acf4690ae9d972fb7a590c2f02871799aaa4786b5e996e8f0f4eb981fc214b005f42d2ff4233499391653df7aefcbc13fc51568',
    ],
    [
      1,
      '961f6dd1e4dd30f63901690c512e78e4b45e4742ed197c3c5e45c549fd25f2e4187b0bc9fe30492b16b0d0bc4ef9b0f34c7003fac09a5ef1532e69430234cebd',
    ],
  ] as const) {
    blake2bMac(mac, counted(length), counted(64))
    assert.equal(toHex(mac), expected)
  }
})

test('views of larger buffers are read and written where they lie, and wrong lengths are refused', () => {
  const [whole, part] = [new Uint8Array(64), new Uint8Array(16)]
  blake2bMac(part, counted(20).subarray(4, 9), counted(40).subarray(8))
  blake2bMac(whole.subarray(16, 32), counted(9).slice(4), counted(40).slice(8))
  assert.deepEqual(whole.subarray(16, 32), part)
  assert.deepEqual(whole.subarray(0, 16), new Uint8Array(16))
  assert.notDeepEqual(part, fromHex('00'.repeat(16)))
  for (const [mac, key] of [
    [15, 32],
    [65, 32],
    [16, 15],
    [16, 65],
  ] as const)
    assert.throws(() => blake2bMac(new Uint8Array(mac), part, new Uint8Array(key)), RangeError)
})
