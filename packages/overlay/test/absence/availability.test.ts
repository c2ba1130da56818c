import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Availability } from '../../src/absence/availability.ts'
import { MembershipDatabase } from '../../src/state/membership-database.ts'
import { MemoryMembershipStore } from '../../src/state/memory-membership-store.ts'
import { temporaryDirectory, testKeys } from '../fixtures.ts'

const EPOCH_MS = 600_000
const DAY = (24 * 3_600_000) / EPOCH_MS
const [a, b, c] = testKeys(3).map(({ id }) => ({ id })) as [{ id: never }, { id: never }, { id: never }]

test('a member is judged by the last seven days, after it was watched for one', () => {
  const seen = new Availability({ epochMs: EPOCH_MS, store: new MemoryMembershipStore() })
  let epoch = 1_000_000
  const run = (epochs: number, members: readonly { id: never }[]): void => {
    for (let at = 0; at < epochs; at++) seen.observe(epoch++, members)
  }
  run(DAY / 2, [a, b])
  assert.equal(seen.of(a.id), undefined)
  run(DAY, [a, b])
  assert.equal(seen.of(a.id), 1_000_000)
  assert.equal(seen.of(c.id), undefined)
  run(DAY * 1.5, [a])
  assert.ok(Math.abs((seen.of(b.id) ?? 0) - 500_000) < 60_000, `${seen.of(b.id)}`)
  run(DAY * 6, [a, b, c])
  assert.equal(seen.of(c.id), 1_000_000, 'what was before it came does not count')
  assert.equal(seen.of(a.id), 1_000_000)
  assert.ok((seen.of(b.id) ?? 0) > 700_000)
  run(DAY * 8, [a, b])
  assert.equal(seen.of(b.id), 1_000_000, 'what is older than seven days is forgotten')
  assert.equal(seen.of(c.id), undefined)
})

test('times in which the validator held no map count for nobody, nor does an epoch that comes twice or late', () => {
  const seen = new Availability({ epochMs: EPOCH_MS, store: new MemoryMembershipStore() })
  for (let epoch = 0; epoch < 3 * DAY; epoch++) if (epoch % 3 === 0) seen.observe(epoch, [a])
  assert.equal(seen.of(a.id), 1_000_000)
  for (let again = 0; again < DAY; again++) seen.observe(again, [])
  assert.equal(seen.of(a.id), 1_000_000)
  seen.observe(1_000 * DAY, [b])
  assert.equal(seen.of(a.id), undefined, 'after a long stand-still all begins anew')
})

test('it survives a restart on disk, and what is kept has an end', () => {
  using directory = temporaryDirectory()
  {
    using store = new MembershipDatabase(directory.path)
    const seen = new Availability({ epochMs: EPOCH_MS, store })
    for (let epoch = 0; epoch < 20 * DAY; epoch++) seen.observe(epoch, epoch % 2 === 0 ? [a, b] : [a])
  }
  using store = new MembershipDatabase(directory.path)
  assert.ok(store.availability().length <= 29)
  const again = new Availability({ epochMs: EPOCH_MS, store })
  assert.equal(again.of(a.id), 1_000_000)
  assert.ok(Math.abs((again.of(b.id) ?? 0) - 500_000) < 10_000)
})

test('property: a share is between none and all, and more presence is never less of it', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { minLength: 200, maxLength: 400 }), (there) => {
      const store = new MemoryMembershipStore()
      const seen = new Availability({ epochMs: EPOCH_MS, store })
      there.forEach((is, epoch) => seen.observe(epoch, is ? [a, b] : [b]))
      const share = seen.of(a.id)
      if (share !== undefined) assert.ok(share >= 0 && share <= (seen.of(b.id) ?? 0))
    }),
    { numRuns: 30 },
  )
})
