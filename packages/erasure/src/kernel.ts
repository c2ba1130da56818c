import { plainKernel, relaxedKernel } from './generated/kernel.ts'
import { type PassRows, type ProductTables, TABLE_BYTES } from './product-tables.ts'
import { TILE, type TileTables } from './tile-tables.ts'

/** Rows times columns is greatest at 127 parity and 128 data shards, the middle of the most shards there can be. */
const TABLES_BYTES = 127 * 128 * TABLE_BYTES
/** The current block of all shards: half of a second-level cache of 1 MiB, since the caller's buffers pass through, too. */
const BLOCKS_BYTES = 512 * 1024
/** Most bytes of one shard in a block; beyond it the cost of the call is gone and only cache is lost. */
const MAX_BLOCK_BYTES = 8192
/** All shards, and what fills up the last tile of data and of parity. */
const MAX_SLOTS = 255 + 2 * (TILE - 1)
/** Data of one strip of a plain product, taken through all passes while it is in the first-level cache. */
const STRIP_BYTES = 24 * 1024
/** Coefficients of one strip of a product by tiles: at 20 of 60, 24 KiB to 192 KiB are as fast. */
const SCRATCH_BYTES = 64 * 1024
/** The kernel works in steps of 32 bytes. What it computes behind the end of a shard is never copied out. */
const STEP_BYTES = 32
/** One cache line between blocks: without it, a length of a power of two would put all into the same cache sets. */
const GAP_BYTES = 64
/** The tables of the three factors of one transform. */
const FACTORS_BYTES = 3 * TABLE_BYTES
const PAGE_BYTES = 65_536

const BLOCKS_AT = TABLES_BYTES
const SCRATCH_AT = BLOCKS_AT + BLOCKS_BYTES + MAX_SLOTS * GAP_BYTES
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
  readonly interpolate: Export
  readonly evaluate: Export
}

/**
 * The WebAssembly instance of one thread with its scratch memory (about 1.1 MB, never more). Data goes through it in
 * blocks that stay in the second-level cache, so the caller's buffers are read once and written once.
 */
export class Kernel {
  readonly #bytes: Uint8Array
  /** By the number of rows of the pass. */
  readonly #products: Readonly<Record<PassRows, Export>>
  readonly #interpolate: Export
  readonly #evaluate: Export
  #loaded: ProductTables | TileTables | undefined

  /** @param binary the assembled kernel; by default the fastest that this runtime knows. */
  constructor(binary: Uint8Array<ArrayBuffer> = fastestBinary()) {
    const instance = new WebAssembly.Instance(new WebAssembly.Module(binary))
    const { memory, product1, product2, product3, product4, interpolate, evaluate } =
      instance.exports as unknown as Exports
    this.#products = { 1: product1, 2: product2, 3: product3, 4: product4 }
    this.#interpolate = interpolate
    this.#evaluate = evaluate
    memory.grow(Math.ceil((MEMORY_BYTES - memory.buffer.byteLength) / PAGE_BYTES))
    this.#bytes = new Uint8Array(memory.buffer)
  }

  /**
   * Each output becomes the sum of the inputs times its row of coefficients.
   * @param inputs as many as the tables have columns, all of one length.
   * @param outputs as many as the tables have rows, all of that length; they share no bytes with the inputs.
   */
  multiply(tables: ProductTables | TileTables, inputs: readonly Uint8Array[], outputs: readonly Uint8Array[]): void {
    const tiled = 'tiles' in tables ? tables : undefined
    const length = inputs[0]?.length ?? 0
    const columns = tiled === undefined ? tables.columns : TILE * tiled.tileColumns
    const rows = tiled === undefined ? tables.rows : tiled.edge.rows + TILE * tiled.tileRows
    const block = Math.min(MAX_BLOCK_BYTES, floorToStep(BLOCKS_BYTES / (columns + rows)))
    const stride = block + GAP_BYTES
    const target = BLOCKS_AT + columns * stride

    this.#load(tables)
    this.#bytes.fill(0, BLOCKS_AT + tables.columns * stride, target)
    for (let offset = 0; offset < length; offset += block) {
      const end = Math.min(offset + block, length)
      for (const [slot, input] of inputs.entries()) {
        this.#bytes.set(input.subarray(offset, end), BLOCKS_AT + slot * stride)
      }
      if (tiled === undefined) this.#plainProduct(tables as ProductTables, stride, target, end - offset)
      else this.#tiledProduct(tiled, stride, target, end - offset)
      for (const [slot, output] of outputs.entries()) {
        const at = target + slot * stride
        output.set(this.#bytes.subarray(at, at + end - offset), offset)
      }
    }
  }

  #load(tables: ProductTables | TileTables): void {
    if (this.#loaded === tables) return
    let at = 0
    for (const { bytes } of 'tiles' in tables ? [tables.edge, tables.tiles, tables.factors] : [tables]) {
      this.#bytes.set(bytes, at)
      at += bytes.length
    }
    this.#loaded = tables
  }

  #plainProduct(tables: ProductTables, stride: number, target: number, length: number): void {
    const strip = floorToStep(STRIP_BYTES / tables.columns)
    for (let at = 0; at < length; at += strip) {
      this.#product(tables, 0, BLOCKS_AT + at, stride, target + at, stride, Math.min(strip, length - at))
    }
  }

  #tiledProduct(tables: TileTables, stride: number, target: number, length: number): void {
    const { edge, tiles, tileColumns, tileRows } = tables
    const tilesAt = edge.bytes.length
    const columnFactorsAt = tilesAt + tiles.bytes.length
    const rowFactorsAt = columnFactorsAt + tileColumns * FACTORS_BYTES
    const tileTarget = target + edge.rows * stride
    const longest = floorToStep(SCRATCH_BYTES / (TILE * (tileColumns + tileRows)))
    for (let at = 0; at < length; at += longest) {
      const strip = Math.min(longest, ceilToStep(length - at))
      // The four coefficients lie end to end, so one product serves them all.
      const group = TILE * strip
      const sums = SCRATCH_AT + tileColumns * group
      const source = BLOCKS_AT + at
      this.#product(edge, 0, source, stride, target + at, stride, strip)
      this.#interpolate(source, stride, tileColumns, columnFactorsAt, SCRATCH_AT, strip, strip)
      this.#product(tiles, tilesAt, SCRATCH_AT, group, sums, group, group)
      this.#evaluate(sums, strip, tileRows, rowFactorsAt, tileTarget + at, stride, strip)
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

/** The least multiple of the step that is not below `bytes`. */
function ceilToStep(bytes: number): number {
  return Math.ceil(bytes / STEP_BYTES) * STEP_BYTES
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
