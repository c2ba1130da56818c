import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toHex, seededRandom } from '@weft/core'
import fc from 'fast-check'
import { authorizeCommit, authorizeRelease } from '../../src/holder/shard-authorization.ts'
import { holderFixture, rejects, newObject } from './holder-fixture.ts'
import { later } from './shards.ts'

const random = seededRandom(1)

describe('a holder under random operations', () => {
  it('agrees with a model under random operations, restarts included', { timeout: 120_000 }, async () => {
    const objects = [newObject(), newObject()]
    const operation = fc.record({
      op: fc.constantFrom(
        'put' as const,
        'put' as const,
        'put' as const,
        'commit' as const,
        'release' as const,
        'restart' as const,
      ),
      object: fc.nat(1),
      segment: fc.nat(2),
      length: fc.constantFrom(1, 65_535, 65_536, 262_143, 262_144, 300_000),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { minLength: 5, maxLength: 25 }), async (operations) => {
        await using fixture = await holderFixture()
        const model = new Map<string, { bytes: Uint8Array; committed: boolean; object: number; segment: number }>()
        let client = fixture.connect()
        for (const { op, object, segment, length } of operations) {
          const key = objects[object]!
          if (op === 'put') {
            const bytes = random.bytes(length)
            const held = model.get(`${object}/${segment}`)
            const put = client.put({ object: key.publicKey, segment, index: 0 }, bytes)
            if (held?.committed === true) await rejects(put, 'E_SHARD_EXISTS')
            else {
              await put
              model.set(`${object}/${segment}`, { bytes, committed: false, object, segment })
            }
          } else if (op === 'commit') {
            const mine = [...model.values()].filter((entry) => entry.object === object)
            const commit = client.commit(authorizeCommit(key, later()))
            if (mine.length === 0) await rejects(commit, 'E_SHARD_NOT_FOUND')
            else await commit
            for (const entry of mine) entry.committed = true
          } else if (op === 'release') {
            await client.release(authorizeRelease(key))
            for (const [at, entry] of model) if (entry.object === object) model.delete(at)
          } else {
            await client.close()
            await fixture.restart()
            client = fixture.connect()
          }
        }
        for (const { bytes, object, segment } of model.values()) {
          const into = new Uint8Array(bytes.length)
          await client.get({ object: objects[object]!.publicKey, segment, index: 0 }, into)
          assert.equal(toHex(into), toHex(bytes))
        }
        let bytes = 0
        for (const entry of model.values()) bytes += entry.bytes.length
        const held = fixture.holder.held()
        assert.deepEqual([held.shards, held.bytes], [model.size, bytes])
        await client.close()
      }),
      { numRuns: Number(process.env['WEFT_LONG'] ?? 0) > 0 ? 300 : 15 },
    )
  })
})
