import assert from 'node:assert/strict'
import { test } from 'node:test'
import { equalBytes, randomInt, seededRandom, shuffled } from '@weft/core'
import { generatorMatrix } from '../src/generator-matrix.ts'
import { ReedSolomon } from '../src/index.ts'
import { invertMatrix, selectRows } from '../src/matrix.ts'
import { loadLibisal } from './lib/libisal.ts'

// libisal: the oracle. Debian's package libisal2; under CI its absence is a failure, elsewhere the tests are skipped.
const libisal = loadLibisal()
const MISSING = 'libisal.so.2 is not installed: apt-get install libisal2'
const skip = libisal === undefined && !process.env['CI'] ? MISSING : false
const CASES = process.env['WEFT_LONG'] === '1' ? 1_000_000 : 2000

test('the generator matrix is gf_gen_cauchy1_matrix', { skip }, () => {
  assert.ok(libisal !== undefined, MISSING)
  for (let n = 2; n <= 255; n++) {
    for (const k of new Set([1, Math.ceil(n / 3), Math.ceil(n / 2), n - 1])) {
      assert.deepEqual(generatorMatrix(k, n).cells, libisal.generator(k, n), `${k} of ${n}`)
    }
  }
})

test(`${CASES} random cases are coded and recovered as by libisal`, { skip }, () => {
  assert.ok(libisal !== undefined, MISSING)
  const seed = Number(process.env['WEFT_SEED'] ?? crypto.getRandomValues(new Uint32Array(1))[0])
  const random = seededRandom(seed)
  for (let run = 0; run < CASES; run++) {
    // Most cases are small, so that a million of them end in minutes; one in 500 is any code at all.
    const n = 2 + randomInt(random, run % 500 === 0 ? 254 : run % 10 === 1 ? 39 : 13)
    const k = 1 + randomInt(random, n - 1)
    const length = 1 + randomInt(random, run % 250 === 1 ? 20_000 : 100)
    const label = `seed ${seed}, run ${run}: ${k} of ${n}, ${length} bytes`
    const data = Array.from({ length: k }, () => random.bytes(length))
    const code = new ReedSolomon(k, n)
    const parity = code.encode(data)
    const generator = libisal.generator(k, n)
    assert.ok(equalShards(parity, libisal.encode(generator.subarray(k * k), data, n - k)), label)

    const all = [...data, ...parity]
    const order = shuffled(
      random,
      Array.from({ length: n }, (_, i) => i),
    )
    const kept = order.slice(0, k).toSorted((a, b) => a - b)
    const lost = order.slice(k)
    const shards = all.map((shard, index) => (lost.includes(index) ? undefined : shard))
    const recovered = code.reconstruct(shards, lost)
    assert.ok(
      equalShards(
        recovered,
        lost.map((index) => all[index] as Uint8Array),
      ),
      label,
    )

    const chosen = selectRows(generatorMatrix(k, n), kept)
    const decode = libisal.invert(chosen.cells, k)
    assert.ok(equalBytes(invertMatrix(chosen).cells, decode), label)
    const byLibisal = libisal.encode(
      decode,
      kept.map((index) => all[index] as Uint8Array),
      k,
    )
    assert.ok(equalShards(byLibisal, data), label)
  }
})

function equalShards(left: readonly Uint8Array[], right: readonly Uint8Array[]): boolean {
  return left.length === right.length && left.every((shard, i) => equalBytes(shard, right[i] as Uint8Array))
}
