import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { ChecksumName } from '@weft/storage'
import { CHECKSUM_NAMES, checksumBytes, runningChecksum } from '../../src/checksum/checksum.ts'
import { compositeOf, fullOf } from '../../src/checksum/of-parts.ts'

function sumOf(name: ChecksumName, ...pieces: readonly Uint8Array[]): string {
  const sum = runningChecksum(name)
  for (const piece of pieces) sum.update(piece)
  return sum.digest()
}

describe('checksums', () => {
  test('check values of "123456789" as catalogues of CRCs have them, and of FIPS 180', () => {
    const digits = Buffer.from('123456789')
    const hex = (name: ChecksumName): string => Buffer.from(sumOf(name, digits), 'base64').toString('hex')
    assert.equal(hex('CRC32'), 'cbf43926')
    assert.equal(hex('CRC32C'), 'e3069283')
    assert.equal(hex('CRC64NVME'), 'ae8b14860a799888')
    assert.equal(hex('SHA1'), 'f7c3bc1d808e04732adf679965ccc34ca7ae3441')
    assert.equal(hex('SHA256'), '15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225')
  })

  test('in any pieces the same', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat({ max: 200 }), (bytes, at) => {
        for (const name of CHECKSUM_NAMES)
          assert.equal(sumOf(name, bytes.subarray(0, at), bytes.subarray(at)), sumOf(name, bytes))
      }),
    )
  })

  test('that of the whole comes out of those of parts', () => {
    const parts = fc.array(fc.uint8Array({ maxLength: 60 }), { minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(parts, (each) => {
        for (const name of ['CRC32', 'CRC32C', 'CRC64NVME'] as const) {
          const sums = each.map((bytes) => ({ size: bytes.length, checksum: sumOf(name, bytes) }))
          assert.equal(fullOf(name, sums), sumOf(name, ...each))
        }
      }),
      { numRuns: 40 },
    )
  })

  test('composite ones are of the bytes of the checksums, and say how many', () => {
    const [a, b] = [sumOf('SHA256', Buffer.from('a')), sumOf('SHA256', Buffer.from('b'))]
    const both = Buffer.concat([Buffer.from(a, 'base64'), Buffer.from(b, 'base64')])
    const parts = [a, b].map((checksum) => ({ size: 1, checksum }))
    assert.equal(compositeOf('SHA256', parts), `${sumOf('SHA256', both)}-2`)
    assert.equal(fullOf('SHA256', parts), undefined)
    assert.equal(compositeOf('SHA256', [{ size: 1, checksum: '' }]), undefined)
  })

  test('only base64 of the right length is one', () => {
    assert.ok(checksumBytes('CRC32', 'AAAAAA=='))
    for (const text of ['', 'AAAAAA', 'AAAAAA==\n', 'AAAAAAA=', 'AAAAAB==', '!!!!!!=='])
      assert.equal(checksumBytes('CRC32', text), undefined)
  })
})
