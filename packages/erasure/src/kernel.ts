import { BLOCK, BLOCK_SUMS, DYADIC_TERMS, type DyadicTables } from './dyadic-tables.ts'
import { plainKernel, relaxedKernel } from './generated/kernel.ts'
import { type PassRows, type ProductTables, TABLE_BYTES } from './product-tables.ts'

/** Rows times columns is greatest at 127 parity and 128 data shards, the middle of the most shards there can be. */
const TABLES_BYTES = 127 * 128 * TABLE_BYTES
/** The current block of all shards: half of a second-level cache of 1 MiB, since the caller's buffers pass through, too. */
const BLOCKS_BYTES = 512 * 1024
/** Most bytes of one shard in a block; beyond it the cost of the call is gone and only cache is lost. */
const MAX_BLOCK_BYTES = 8192
/** All shards, and what fills up dyadic blocks at either end of data and parity. */
const MAX_SLOTS = 255 + 3 * (BLOCK - 1)
/** Data of one strip of a plain product, taken through all passes while it is in the first-level cache. */
const STRIP_BYTES = 24 * 1024
/** Sums and products of one strip of a dyadic product: at 20 of 60, 96 KiB and 384 KiB are as fast, 48 KiB is 15% slower. */
const SCRATCH_BYTES = 192 * 1024
/** The kernel works in steps of 32 bytes. What it computes behind the end of a shard is never copied out. */
const STEP_BYTES = 32
/** One cache line between blocks: without it, a length of a power of two would put all into the same cache sets. */
const GAP_BYTES = 64
const PAGE_BYTES = 65_536

const BLOCKS_AT = TABLES_BYTES
const SCRATCH_AT = BLOCKS_AT + BLOCKS_BYTES + MAX_SLOTS * GAP_BYTES
/** Room for the sums and products of the most blocks there can be, 581 slots of one step and gap each, is within it. */
const MEMORY_BYTES = SCRATCH_AT + SCRATCH_BYTES

type Numbers7 = [number, number, number, number, number, number, number]
type Export = (...parameters: Numbers7) => void

/** What kernel.wat exports; the parameters are explained there. */
interface Exports {
  readonly memory: WebAssembly.Memory
  readonly product1: Export
  readonly product2: Export
  readonly product3: Export
  readonly product4: Export
  readonly split: Export
  readonly join: Export
}

/**
 * The WebAssembly instance of one thread with its scratch memory (about 1.3 MB, never more). Data goes through it in
 * blocks that stay in the second-level cache, so the caller's buffers are read once and written once.
 */
export class Kernel {
  readonly #bytes: Uint8Array
  /** By the number of rows of the pass. */
  readonly #products: Readonly<Record<PassRows, Export>>
  readonly #split: Export
  readonly #join: Export
  #loaded: ProductTables | DyadicTables | undefined

  /** @param binary the assembled kernel; by default the fastest that this runtime knows. */
  constructor(binary: Uint8Array<ArrayBuffer> = fastestBinary()) {
    const instance = new WebAssembly.Instance(new WebAssembly.Module(binary))
    const { memory, product1, product2, product3, product4, split, join } = instance.exports as unknown as Exports
    this.#products = { 1: product1, 2: product2, 3: product3, 4: product4 }
    this.#split = split
    this.#join = join
    memory.grow(Math.ceil((MEMORY_BYTES - memory.buffer.byteLength) / PAGE_BYTES))
    this.#bytes = new Uint8Array(memory.buffer)
  }

  /**
   * Each output becomes the sum of the inputs times its row of coefficients.
   * @param inputs as many as the tables have columns, all of one length.
   * @param outputs as many as the tables have rows, all of that length; they share no bytes with the inputs.
   */
  multiply(tables: ProductTables | DyadicTables, inputs: readonly Uint8Array[], outputs: readonly Uint8Array[]): void {
    const dyadic = 'matrices' in tables ? tables : undefined
    const length = inputs[0]?.length ?? 0
    const columns = dyadic === undefined ? tables.columns : BLOCK * dyadic.columnBlocks
    const rows = dyadic === undefined ? tables.rows : BLOCK * dyadic.rowBlocks
    const block = Math.min(MAX_BLOCK_BYTES, floorToStep(BLOCKS_BYTES / (columns + rows)))
    const stride = block + GAP_BYTES
    const target = BLOCKS_AT + columns * stride
    const firstOutput = target + (dyadic?.skippedRows ?? 0) * stride

    this.#load(tables)
    this.#bytes.fill(0, BLOCKS_AT + tables.columns * stride, target)
    for (let offset = 0; offset < length; offset += block) {
      const end = Math.min(offset + block, length)
      for (const [slot, input] of inputs.entries()) {
        this.#bytes.set(input.subarray(offset, end), BLOCKS_AT + slot * stride)
      }
      if (dyadic === undefined) this.#plainBlock(tables as ProductTables, stride, target, end - offset)
      else this.#dyadicBlock(dyadic, stride, target, end - offset)
      for (const [slot, output] of outputs.entries()) {
        const at = firstOutput + slot * stride
        output.set(this.#bytes.subarray(at, at + end - offset), offset)
      }
    }
  }

  #load(tables: ProductTables | DyadicTables): void {
    if (this.#loaded === tables) return
    let at = 0
    for (const { bytes } of 'matrices' in tables ? tables.matrices : [tables]) {
      this.#bytes.set(bytes, at)
      at += bytes.length
    }
    this.#loaded = tables
  }

  #plainBlock(tables: ProductTables, stride: number, target: number, length: number): void {
    const strip = floorToStep(STRIP_BYTES / tables.columns)
    for (let at = 0; at < length; at += strip) {
      this.#product(tables, 0, BLOCKS_AT + at, stride, target + at, stride, Math.min(strip, length - at))
    }
  }

  #dyadicBlock(tables: DyadicTables, stride: number, target: number, length: number): void {
    const { columnBlocks, rowBlocks, matrices } = tables
    const slots = BLOCK_SUMS * columnBlocks + DYADIC_TERMS.length * rowBlocks
    const strip = floorToStep(SCRATCH_BYTES / slots - GAP_BYTES)
    const stripStride = strip + GAP_BYTES
    const sumGroup = columnBlocks * stripStride
    const productGroup = rowBlocks * stripStride
    const products = SCRATCH_AT + BLOCK_SUMS * sumGroup
    for (let at = 0; at < length; at += strip) {
      const stripLength = Math.min(strip, length - at)
      const source = BLOCKS_AT + at
      this.#split(source, stride, columnBlocks, SCRATCH_AT, stripStride, sumGroup, stripLength)
      for (const [term, { source: kind, index, matrix }] of DYADIC_TERMS.entries()) {
        const coefficients = matrices[matrix] as ProductTables
        const from = kind === 'shard' ? source + index * stride : SCRATCH_AT + index * sumGroup
        const fromStride = kind === 'shard' ? BLOCK * stride : stripStride
        const to = products + term * productGroup
        this.#product(coefficients, matrix * coefficients.bytes.length, from, fromStride, to, stripStride, stripLength)
      }
      this.#join(products, stripStride, productGroup, rowBlocks, target + at, stride, stripLength)
    }
  }

  #product(
    { columns, passes }: ProductTables,
    tables: number,
    source: number,
    sourceStride: number,
    target: number,
    targetStride: number,
    length: number,
  ): void {
    let table = tables
    let to = target
    for (const rows of passes) {
      this.#products[rows](source, sourceStride, columns, table, to, targetStride, length)
      table += rows * columns * TABLE_BYTES
      to += rows * targetStride
    }
  }
}

/** The greatest multiple of the step that is not above `bytes`, but one step at least. */
function floorToStep(bytes: number): number {
  return Math.max(STEP_BYTES, Math.floor(bytes / STEP_BYTES) * STEP_BYTES)
}

function fastestBinary(): Uint8Array<ArrayBuffer> {
  const relaxed = Uint8Array.fromBase64(relaxedKernel)
  return WebAssembly.validate(relaxed) ? relaxed : Uint8Array.fromBase64(plainKernel)
}

let shared: Kernel | undefined

/** The kernel of this thread, made at the first call. Its work is synchronous, so all codes of a thread share it. */
export function threadKernel(): Kernel {
  shared ??= new Kernel()
  return shared
}
