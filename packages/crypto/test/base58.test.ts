import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromHex, toHex } from '@weft/core'
import fc from 'fast-check'
import { fromBase58, toBase58 } from '../src/base58.ts'

test('the test vectors of draft-msporny-base58-03, section 5', () => {
  const vectors = {
    '48656c6c6f20576f726c6421': '2NEpo7TZRRrLZSi2U',
    '54686520717569636b2062726f776e20666f78206a756d7073206f76657220746865206c617a7920646f672e':
      'USm3fpXnKG5EUBx2ndxBDMPVciP5hGey2Jh4NDv6gmeo1LkMeiKrLJUUBk6Z',
    '0000287fb4cd': '11233QC4',
  }
  for (const [hex, text] of Object.entries(vectors)) {
    assert.equal(toBase58(fromHex(hex)), text)
    assert.equal(toHex(fromBase58(text)), hex)
  }
})

test('what is written is the number in base 58, and is read again', () => {
  fc.assert(
    fc.property(fc.nat({ max: 4 }), fc.uint8Array({ maxLength: 40 }), (zeros, rest) => {
      const bytes = Uint8Array.from([...Array.from({ length: zeros }, () => 0), ...rest])
      const text = toBase58(bytes)
      const digits = text
        .split('')
        .map((letter) => '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'.indexOf(letter))
      assert.equal(
        digits.reduce((sum, digit) => sum * 58n + BigInt(digit), 0n),
        bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n),
      )
      assert.deepEqual(fromBase58(text), bytes)
    }),
  )
})

test('letters outside of the alphabet are refused', () => {
  for (const text of ['0', 'O', 'I', 'l', '2N-', 'é']) assert.throws(() => fromBase58(text), SyntaxError)
})
