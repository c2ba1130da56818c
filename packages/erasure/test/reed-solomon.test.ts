import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { isWeftError } from '@weft/core'
import fc from 'fast-check'
import { MAX_SHARDS, ReedSolomon } from '../src/index.ts'
import { assertSameShards } from './lib/assert-same-shards.ts'
import { patternShards } from './lib/bytes.ts'
import { slowEncode } from './lib/reference.ts'

const LONG = process.env['WEFT_LONG'] === '1'

interface Vectors {
  readonly exact: readonly { name: string; k: number; n: number; data: string[]; parity: string[] }[]
  readonly hashed: readonly { name: string; k: number; n: number; shardLength: number; paritySha256: string }[]
}
const vectors = JSON.parse(readFileSync(new URL('vectors/reed-solomon.json', import.meta.url), 'utf8')) as Vectors

/** A code, data for it, and which n - k shards are lost, in any order. */
const cases = fc
  .integer({ min: 2, max: 90 })
  .chain((n) => fc.record({ n: fc.constant(n), k: fc.integer({ min: 1, max: n - 1 }) }))
  .chain(({ k, n }) =>
    fc.record({
      k: fc.constant(k),
      n: fc.constant(n),
      length: fc.integer({ min: 0, max: 300 }),
      seed: fc.nat(0xffff),
      lost: fc.shuffledSubarray(
        Array.from({ length: n }, (_, i) => i),
        { minLength: n - k, maxLength: n - k },
      ),
    }),
  )

test('any n - k lost shards come back, and parity equals the slow reference', () => {
  fc.assert(
    fc.property(cases, ({ k, n, length, seed, lost }) => {
      const code = new ReedSolomon(k, n)
      const data = patternShards(k, length, seed)
      const parity = code.encode(data)
      assertSameShards(parity, slowEncode(k, n, data), 'parity')
      const all = [...data, ...parity]
      const kept = all.map((shard, index) => (lost.includes(index) ? undefined : shard))
      assertSameShards(
        code.reconstruct(kept, lost),
        lost.map((index) => all[index]),
        'recovered',
      )
    }),
    { numRuns: LONG ? 100_000 : 1000 },
  )
})

test('the shards that are there are copied, and only what is wanted is made', () => {
  const code = new ReedSolomon(4, 9)
  const data = patternShards(4, 50, 1)
  const all = [...data, ...code.encode(data)]
  const kept = all.map((shard, index) => ([0, 3, 8].includes(index) ? undefined : shard))
  const got = code.reconstruct(kept, [8, 1, 0])
  assert.deepEqual(got, [all[8], all[1], all[0]])
  assert.notEqual(got[1]?.buffer, all[1]?.buffer)
  assert.deepEqual(code.reconstruct(kept, []), [])
})

test('a wrong shard among the first k spoils the result: callers check roots', () => {
  const code = new ReedSolomon(2, 4)
  const data = patternShards(2, 10, 1)
  const parity = code.encode(data)
  parity[0]![3]! ^= 1
  assert.notDeepEqual(code.reconstruct([undefined, data[1], ...parity], [0])[0], data[0])
})

for (const { name, k, n, data, parity } of vectors.exact) {
  test(`vector ${name}`, () => {
    const code = new ReedSolomon(k, n)
    const shards = data.map((hex) => Uint8Array.fromHex(hex))
    assert.deepEqual(
      code.encode(shards).map((shard) => shard.toHex()),
      parity,
    )
  })
}

for (const { name, k, n, shardLength, paritySha256 } of vectors.hashed) {
  test(`vector ${name}`, () => {
    const data = Array.from({ length: k }, (_, i) =>
      Uint8Array.from({ length: shardLength }, (__, j) => (131 * i + 29 * j + 7 * (j >> 8) + 1) & 0xff),
    )
    const hash = createHash('sha256')
    for (const shard of new ReedSolomon(k, n).encode(data)) hash.update(shard)
    assert.equal(hash.digest('hex'), paritySha256)
  })
}

test('a segment in one buffer is coded through views, into views', () => {
  const code = new ReedSolomon(5, 15)
  const segment = patternShards(1, 5 * 1000, 9)[0]!
  const data = Array.from({ length: 5 }, (_, i) => segment.subarray(i * 1000, (i + 1) * 1000))
  const target = new Uint8Array(10 * 1000)
  code.encodeInto(
    data,
    Array.from({ length: 10 }, (_, i) => target.subarray(i * 1000, (i + 1) * 1000)),
  )
  assertSameShards([target], [Uint8Array.from(slowEncode(5, 15, data).flatMap((shard) => [...shard]))], 'target')
})

test('shards may live in shared memory', () => {
  const code = new ReedSolomon(2, 4)
  const shared = new Uint8Array(new SharedArrayBuffer(400))
  shared.set(patternShards(1, 200, 4)[0]!)
  const [a, b, c, d] = [0, 100, 200, 300].map((at) => shared.subarray(at, at + 100)) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ]
  code.encodeInto([a, b], [c, d])
  assert.deepEqual(
    [c.slice(), d.slice()].map((shard) => shard.toHex()),
    slowEncode(2, 4, [a, b]).map((s) => s.toHex()),
  )
})

test('works in a worker thread', async () => {
  const source = `
    import { parentPort } from 'node:worker_threads'
    import { ReedSolomon } from ${JSON.stringify(new URL('../src/index.ts', import.meta.url).href)}
    parentPort.postMessage(new ReedSolomon(2, 4).encode([Uint8Array.of(1, 2), Uint8Array.of(3, 4)]))`
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`))
  try {
    const parity = await new Promise<Uint8Array[]>((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
    })
    assert.deepEqual(parity, slowEncode(2, 4, [Uint8Array.of(1, 2), Uint8Array.of(3, 4)]))
  } finally {
    await worker.terminate()
  }
})

test('codes outside 1 <= k < n <= 255 are refused by value', () => {
  for (const [k, n] of [
    [0, 1],
    [1, 1],
    [2, 1],
    [1, 256],
    [1.5, 3],
    [1, Number.NaN],
    [-1, 4],
    [Number.NaN, 3],
  ] as const) {
    assert.throws(
      () => new ReedSolomon(k, n),
      (error) =>
        isWeftError(error, 'E_ERASURE_CODE') && Object.is(error.details['k'], k) && Object.is(error.details['n'], n),
    )
  }
  assert.equal(new ReedSolomon(254, MAX_SHARDS).n, 255)
})

test('wrong counts, lengths and indices are refused before a byte is written', () => {
  const code = new ReedSolomon(2, 4)
  const shard = (length: number) => new Uint8Array(length).fill(7)
  const written = [shard(3), shard(3)]
  const refused: [string, string, () => void][] = [
    ['E_ERASURE_SHARD_COUNT', 'data', () => code.encode([shard(3)])],
    ['E_ERASURE_SHARD_COUNT', 'data', () => code.encodeInto([shard(3), shard(3), shard(3)], written)],
    ['E_ERASURE_SHARD_LENGTH', 'data', () => code.encodeInto([shard(3), shard(4)], written)],
    ['E_ERASURE_SHARD_COUNT', 'parity', () => code.encodeInto([shard(3), shard(3)], written.slice(1))],
    ['E_ERASURE_SHARD_LENGTH', 'parity', () => code.encodeInto([shard(4), shard(4)], written)],
    ['E_ERASURE_SHARD_COUNT', 'shards', () => code.reconstructInto([shard(3), shard(3)], [0, 1], written)],
    [
      'E_ERASURE_SHARD_LENGTH',
      'shards',
      () => code.reconstructInto([undefined, shard(3), undefined, shard(2)], [0, 2], written),
    ],
    [
      'E_ERASURE_SHARD_COUNT',
      'outputs',
      () => code.reconstructInto([shard(3), shard(3), undefined, undefined], [2], written),
    ],
    [
      'E_ERASURE_SHARD_LENGTH',
      'outputs',
      () => code.reconstructInto([shard(2), shard(2), undefined, undefined], [0, 3], written),
    ],
    [
      'E_ERASURE_SHARD_INDEX',
      'wanted',
      () => code.reconstructInto([shard(3), shard(3), undefined, undefined], [0, 4], written),
    ],
    [
      'E_ERASURE_SHARD_INDEX',
      'wanted',
      () => code.reconstructInto([shard(3), shard(3), undefined, undefined], [2, 2], written),
    ],
    [
      'E_ERASURE_SHARD_INDEX',
      'wanted',
      () => code.reconstructInto([shard(3), shard(3), undefined, undefined], [0.5, 1], written),
    ],
  ]
  for (const [errorCode, field, call] of refused) {
    assert.throws(call, (error) => isWeftError(error, errorCode) && error.details['field'] === field)
    assert.deepEqual(written, [shard(3), shard(3)])
  }
})

test('fewer than k shards: the error says how many are there, and that more may come', () => {
  assert.throws(
    () =>
      new ReedSolomon(3, 5).reconstruct([undefined, new Uint8Array(4), undefined, undefined, new Uint8Array(4)], [0]),
    (error) =>
      isWeftError(error, 'E_ERASURE_TOO_FEW') &&
      error.retryable &&
      error.details['present'] === 2 &&
      error.details['k'] === 3,
  )
})
