import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isWeftError } from '@weft/core'
import { SigningKey } from '@weft/crypto'
import fc from 'fast-check'
import { MAX_LISTED } from '../../src/load/load-limits.ts'
import { decodeLoads, encodeLoads, signLoad, verifyLoad } from '../../src/load/load-statement.ts'

const SECONDS = Number(process.env['WEFT_FUZZ_SECONDS'] ?? 2)

const LIMITS = { numRuns: 1e9, interruptAfterTimeLimit: SECONDS * 1_000, markInterruptAsFailure: false }

test('fuzz: bytes of statements are refused with their code, or read as they were written and true only where nothing was changed', () => {
  const key = new SigningKey(new Uint8Array(32).fill(7))
  const truth = encodeLoads([signLoad('wfuzz', 180_000_000, 2, key), signLoad('wfuzz', 180_000_001, 4, key)])
  const spoilt = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 4 }).map((changes) => {
    const bytes = truth.slice()
    for (const [at, value] of changes) bytes[at % bytes.length] = value
    return bytes
  })
  fc.assert(
    fc.property(fc.oneof(spoilt, fc.uint8Array({ maxLength: 400 })), (bytes) => {
      try {
        const read = decodeLoads(bytes, MAX_LISTED)
        assert.deepEqual(encodeLoads(read), bytes)
        for (const [index, each] of read.entries()) {
          const at = index * 77 + 8
          const isTrue =
            bytes.length === truth.length && truth.subarray(at, at + 69).every((byte, one) => byte === bytes[at + one])
          assert.equal(verifyLoad('wfuzz', each, key.publicKey), isTrue)
        }
      } catch (error) {
        assert.ok(isWeftError(error, 'E_LOAD_MALFORMED'), String(error))
      }
    }),
    LIMITS,
  )
})
