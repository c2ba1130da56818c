import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { utf8 } from '@weft/core'
import fc from 'fast-check'
import { BlockChecksums, CHECKSUM_BLOCK, checksumsFit } from '../../src/blobs/block-checksums.ts'
import { CoalescedSync } from '../../src/blobs/coalesced-sync.ts'

describe('block checksums', () => {
  it('is CRC-32 with the check value of the catalogue', () => {
    const sums = new BlockChecksums(9)
    sums.update(utf8('123456789'))
    assert.equal(sums.bytes().toHex(), '2639f4cb')
  })

  it('does not depend on the pieces, and tells every changed bit', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3 * CHECKSUM_BLOCK }),
        fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 1, maxLength: 8 }),
        fc.nat(),
        (length, pieces, at) => {
          const bytes = new Uint8Array(length).map((_, i) => (i * 31) & 255)
          const whole = new BlockChecksums(length)
          whole.update(bytes)
          const cut = new BlockChecksums(length)
          for (let from = 0, i = 0; from < length; i++) {
            const size = pieces[i % pieces.length]!
            cut.update(bytes.subarray(from, from + size))
            from += size
          }
          assert.deepEqual(cut.bytes(), whole.bytes())
          assert.ok(checksumsFit(bytes, 0, whole.bytes()))
          assert.ok(!checksumsFit(new Uint8Array(length + CHECKSUM_BLOCK), 0, whole.bytes()))
          bytes[at % length]! ^= 1
          assert.ok(!checksumsFit(bytes, 0, whole.bytes()))
        },
      ),
      { numRuns: 50 },
    )
  })
})

describe('coalesced sync', () => {
  it('gives everyone a flush that began after the call, in as few as possible', async () => {
    const flushes: PromiseWithResolvers<void>[] = []
    const sync = new CoalescedSync(() => {
      const flush = Promise.withResolvers<void>()
      flushes.push(flush)
      return flush.promise
    })
    const first = sync.sync()
    const later = [sync.sync(), sync.sync(), sync.sync()]
    assert.equal(flushes.length, 1)
    flushes[0]!.resolve()
    await first
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(flushes.length, 2)
    flushes[1]!.reject(new Error('disk'))
    for (const one of later) await assert.rejects(one, /disk/)
    const after = sync.sync()
    flushes[2]!.resolve()
    await after
  })
})
