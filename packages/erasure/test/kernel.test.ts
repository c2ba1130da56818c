import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plainKernel, relaxedKernel } from '../src/generated/kernel.ts'
import { generatorMatrix } from '../src/generator-matrix.ts'
import { Kernel, threadKernel } from '../src/kernel.ts'
import { selectRows } from '../src/matrix.ts'
import { productTables } from '../src/product-tables.ts'
import { tileTables } from '../src/tile-tables.ts'
import { assertSameShards } from './lib/assert-same-shards.ts'
import { patternShards } from './lib/bytes.ts'
import { slowEncode } from './lib/reference.ts'

const kernels = {
  relaxed: new Kernel(Uint8Array.fromBase64(relaxedKernel)),
  plain: new Kernel(Uint8Array.fromBase64(plainKernel)),
}

const made = new Map<string, ReturnType<typeof productTables>>()

/** Made once for each code, as most codes are tried by both kernels and at many lengths. */
function parityTables(k: number, n: number) {
  const rows = Array.from({ length: n - k }, (_, i) => k + i)
  return made.getOrInsertComputed(`${k} of ${n}`, () => productTables(selectRows(generatorMatrix(k, n), rows)))
}

const FRAME = new Uint8Array(32).fill(0xa5)

/** Outputs in the middle of larger buffers, so that a byte written outside shows. */
function product(kernel: Kernel, tables: Parameters<Kernel['multiply']>[0], data: Uint8Array[]): Uint8Array[] {
  const length = data[0]!.length
  const framed = Array.from({ length: tables.rows }, () => new Uint8Array(length + 2 * FRAME.length).fill(0xa5))
  const outputs = framed.map((bytes) => bytes.subarray(32, 32 + length))
  kernel.multiply(tables, data, outputs)
  for (const bytes of framed) {
    assert.ok(Buffer.compare(bytes.subarray(0, 32), FRAME) === 0)
    assert.ok(Buffer.compare(bytes.subarray(32 + length), FRAME) === 0)
  }
  return outputs
}

for (const [name, kernel] of Object.entries(kernels)) {
  test(`${name} kernel: every length from 0 to 200 and around each border of a block`, () => {
    const tables = parityTables(3, 8)
    const around = [4096, 8192, 16_384].flatMap((border) => [border - 1, border, border + 1, border + 33])
    for (const length of [...Array.from({ length: 201 }, (_, i) => i), ...around]) {
      const data = patternShards(3, length, length)
      assertSameShards(product(kernel, tables, data), slowEncode(3, 8, data), `length ${length}`)
    }
  })

  test(`${name} kernel: every number of rows from 1 to 13`, () => {
    for (let rows = 1; rows <= 13; rows++) {
      const data = patternShards(5, 77, rows)
      assertSameShards(product(kernel, parityTables(5, 5 + rows), data), slowEncode(5, 5 + rows, data), `${rows} rows`)
    }
  })

  test(`${name} kernel: tiled and plain product agree wherever there is a tiled one`, () => {
    let seen = 0
    for (let k = 2; k < 255; k += 5) {
      // All classes of k and n modulo 4 without all 32,385 codes.
      for (let n = k + 1 + (k % 7); n <= 255; n += 19) {
        const tables = tileTables(k, n)
        if (tables === undefined) continue
        seen++
        const data = patternShards(k, 33 + (seen % 64), seen)
        assertSameShards(product(kernel, tables, data), product(kernel, parityTables(k, n), data), `${k} of ${n}`)
      }
    }
    assert.ok(seen > 150, `only ${seen} codes had one`)
  })

  test(`${name} kernel: tiled product at every length of a step and around the borders of strip and block`, () => {
    for (const [k, n] of [
      [20, 60],
      [20, 80],
      [21, 63],
      [126, 254],
    ] as const) {
      const tables = tileTables(k, n)
      assert.ok(tables !== undefined)
      // Strips are of 1088, 800, 1024 and 256 bytes, the second block begins at 6528 or 8192 at the most.
      const around = [256, 800, 1024, 1088, 2176, 6528, 8192].flatMap((border) => [border - 1, border, border + 1])
      const lengths = [0, 1, 16, 31, 32, 33, 96, 97, ...around]
      // The plain product, which the tests above hold against the slow one: that would take half a minute here.
      const plain = parityTables(k, n)
      for (const length of lengths) {
        const data = patternShards(k, length, length)
        assertSameShards(product(kernel, tables, data), product(kernel, plain, data), `${k} of ${n}, length ${length}`)
      }
    }
  })
}

test('the largest codes fit the scratch memory', () => {
  for (const [k, n] of [
    [1, 255],
    [254, 255],
    [127, 255],
    [128, 255],
    [64, 255],
    [253, 255],
  ] as const) {
    const data = patternShards(k, 2100, n)
    assertSameShards(product(kernels.relaxed, parityTables(k, n), data), slowEncode(k, n, data), `${k} of ${n}`)
    const tables = tileTables(k, n)
    if (tables !== undefined)
      assertSameShards(product(kernels.relaxed, tables, data), slowEncode(k, n, data), `${k} of ${n}, tiled`)
  }
})

test('codes that take turns do not mix up their tables', () => {
  const codes = [
    [3, 9],
    [20, 60],
    [5, 15],
  ] as const
  const tables = codes.map(([k, n]) => tileTables(k, n) ?? parityTables(k, n))
  for (let turn = 0; turn < 6; turn++) {
    const [k, n] = codes[turn % 3]!
    const data = patternShards(k, 100, turn)
    assertSameShards(product(threadKernel(), tables[turn % 3]!, data), slowEncode(k, n, data), `turn ${turn}`)
  }
})
