import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { toHex, utf8 } from '../src/bytes.ts'
import { Crc, CrcJoin, type CrcName } from '../src/crc.ts'

const NAMES: readonly CrcName[] = ['CRC32', 'CRC32C', 'CRC64NVME']

function crcOf(name: CrcName, ...pieces: readonly Uint8Array[]): string {
  const crc = new Crc(name)
  for (const piece of pieces) crc.update(piece)
  return toHex(crc.digest())
}

test('the check values of the catalogue of CRC algorithms', () => {
  const check = utf8('123456789')
  assert.deepEqual(
    NAMES.map((name) => crcOf(name, check)),
    ['cbf43926', 'e3069283', 'ae8b14860a799888'],
  )
  assert.deepEqual(
    NAMES.map((name) => crcOf(name)),
    ['00000000', '00000000', '0000000000000000'],
  )
})

test('in whatever pieces bytes come, and joined from those of the pieces, a CRC is that of the whole', () => {
  const pieces = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 })
  fc.assert(
    fc.property(fc.constantFrom(...NAMES), pieces, (name, parts) => {
      const whole = crcOf(name, new Uint8Array(Buffer.concat(parts)))
      assert.equal(crcOf(name, ...parts), whole)
      const join = new CrcJoin(name)
      for (const part of parts) join.add(Buffer.from(crcOf(name, part), 'hex'), part.length)
      assert.equal(toHex(join.digest()), whole)
    }),
  )
})
