import { WeftError } from '@weft/core'
import { generatorMatrix } from './generator-matrix.ts'
import { threadKernel } from './kernel.ts'
import { invertMatrix, type Matrix, multiplyMatrices, selectRows } from './matrix.ts'
import { type ProductTables, productTables } from './product-tables.ts'
import { shardLength } from './shard-length.ts'
import { type TileTables, tileTables } from './tile-tables.ts'

/** Shards of one code at most: more than any class of storage uses, and each index fits a byte. */
export const MAX_SHARDS = 255

/**
 * A systematic Reed–Solomon code over GF(2^8): k data shards make n - k parity shards, and any k of the n give back
 * all others. Shards 0…k-1 are the data, k…n-1 the parity. docs/specs/erasure.md defines every byte.
 *
 * Purely computes, on the calling thread: 16 MiB at 20 of 60 take some 22 ms, so large work belongs into a worker
 * thread. An instance holds no state but its tables, so one serves any number of objects.
 */
export class ReedSolomon {
  readonly k: number
  readonly n: number
  readonly #generator: Matrix
  readonly #parity: ProductTables | TileTables

  /**
   * @param k data shards: as many as are needed to read.
   * @param n all shards, 1 <= k < n <= 255.
   * @throws WeftError E_ERASURE_CODE when k and n are not such integers.
   */
  constructor(k: number, n: number) {
    if (!Number.isInteger(k) || !Number.isInteger(n) || k < 1 || k >= n || n > MAX_SHARDS) {
      throw new WeftError({
        code: 'E_ERASURE_CODE',
        cause: `k = ${k} of n = ${n} is no code.`,
        fix: `Choose integers with 1 <= k < n <= ${MAX_SHARDS}.`,
        details: { k, n },
      })
    }
    this.k = k
    this.n = n
    this.#generator = generatorMatrix(k, n)
    this.#parity = tileTables(k, n) ?? productTables(selectRows(this.#generator, range(k, n)))
  }

  /** The n - k parity shards of the data, in new buffers. @throws WeftError as `encodeInto`. */
  encode(data: readonly Uint8Array[]): Uint8Array<ArrayBuffer>[] {
    const length = shardLength('data', data, this.k)
    const parity = newBuffers(this.n - this.k, length)
    threadKernel().multiply(this.#parity, data, parity)
    return parity
  }

  /**
   * Computes the parity shards into the caller's buffers.
   * @param data k shards of one length, any length. They may be views of one large buffer.
   * @param parity n - k buffers of that length. They share no bytes with the data.
   * @throws WeftError E_ERASURE_SHARD_COUNT, E_ERASURE_SHARD_LENGTH; then no buffer was written.
   */
  encodeInto(data: readonly Uint8Array[], parity: readonly Uint8Array[]): void {
    const length = shardLength('data', data, this.k)
    shardLength('parity', parity, this.n - this.k, length)
    threadKernel().multiply(this.#parity, data, parity)
  }

  /**
   * The wanted shards, data or parity, in new buffers and in the order wanted. @throws WeftError as `reconstructInto`.
   */
  reconstruct(shards: readonly (Uint8Array | undefined)[], wanted: readonly number[]): Uint8Array<ArrayBuffer>[] {
    const length = shards.find((shard) => shard !== undefined)?.length ?? 0
    const outputs = newBuffers(wanted.length, length)
    this.reconstructInto(shards, wanted, outputs)
    return outputs
  }

  /**
   * Computes wanted shards from any k others into the caller's buffers. Wrong bytes in give wrong bytes out: check
   * each shard against its root before, and what comes out as well.
   * @param shards n places, by index; the missing are undefined. At least k are there; the first k of them are used.
   * @param wanted indices of shards, each once. One that is there is copied.
   * @param outputs one buffer for each wanted shard, of the length of the shards. They share no bytes with them.
   * @throws WeftError E_ERASURE_SHARD_COUNT, E_ERASURE_SHARD_LENGTH, E_ERASURE_SHARD_INDEX, E_ERASURE_TOO_FEW; then no
   *   buffer was written.
   */
  reconstructInto(
    shards: readonly (Uint8Array | undefined)[],
    wanted: readonly number[],
    outputs: readonly Uint8Array[],
  ): void {
    const length = shardLength('shards', shards, this.n)
    const sources = this.#sources(shards)
    this.#requireIndices(wanted)
    shardLength('outputs', outputs, wanted.length, length)

    const missing: number[] = []
    const targets: Uint8Array[] = []
    for (const [at, output] of outputs.entries()) {
      const index = wanted[at] as number
      const shard = shards[index]
      if (shard === undefined) {
        missing.push(index)
        targets.push(output)
      } else {
        output.set(shard)
      }
    }
    if (missing.length === 0) return
    const inputs = sources.map((index) => shards[index] as Uint8Array)
    threadKernel().multiply(productTables(this.#recoveryMatrix(sources, missing)), inputs, targets)
  }

  /** The matrix that makes the missing shards out of the k shards at `sources` (ascending). */
  #recoveryMatrix(sources: readonly number[], missing: readonly number[]): Matrix {
    const wanted = selectRows(this.#generator, missing)
    // k ascending indices that end at k - 1 are the data itself.
    if (sources.at(-1) === this.k - 1) return wanted
    return multiplyMatrices(wanted, invertMatrix(selectRows(this.#generator, sources)))
  }

  /** The indices of the first k shards that are there. */
  #sources(shards: readonly (Uint8Array | undefined)[]): number[] {
    const present = [...shards.keys()].filter((index) => shards[index] !== undefined)
    if (present.length >= this.k) return present.slice(0, this.k)
    throw new WeftError({
      code: 'E_ERASURE_TOO_FEW',
      cause: `${present.length} shards are there; k = ${this.k} of n = ${this.n} are needed.`,
      fix: 'Fetch more shards, from other holders or when those that are away are back.',
      retryable: true,
      details: { present: present.length, k: this.k, n: this.n },
    })
  }

  #requireIndices(wanted: readonly number[]): void {
    const seen = new Set<number>()
    for (const index of wanted) {
      if (Number.isInteger(index) && index >= 0 && index < this.n && !seen.has(index)) {
        seen.add(index)
        continue
      }
      throw new WeftError({
        code: 'E_ERASURE_SHARD_INDEX',
        cause: `wanted names shard ${index}${seen.has(index) ? ' twice' : ''}.`,
        fix: `Name integers from 0 to n - 1 = ${this.n - 1}, each once.`,
        details: { field: 'wanted', index, n: this.n },
      })
    }
  }
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i)
}

function newBuffers(count: number, length: number): Uint8Array<ArrayBuffer>[] {
  return Array.from({ length: count }, () => new Uint8Array(length))
}
