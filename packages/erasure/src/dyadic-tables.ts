import { inverse } from './galois-field.ts'
import { type Matrix, zeroMatrix } from './matrix.ts'
import { type ProductTables, productTables } from './product-tables.ts'

/** Rows and columns of a dyadic block. */
export const BLOCK = 4

/** The nine products of a block: which sum of its four shards, and with which of the four matrices. */
export const DYADIC_TERMS: readonly {
  readonly source: 'shard' | 'sum'
  readonly index: number
  readonly matrix: number
}[] = [
  { source: 'shard', index: 0, matrix: 0 },
  { source: 'shard', index: 1, matrix: 0 },
  { source: 'sum', index: 0, matrix: 1 },
  { source: 'shard', index: 2, matrix: 0 },
  { source: 'shard', index: 3, matrix: 0 },
  { source: 'sum', index: 1, matrix: 1 },
  { source: 'sum', index: 2, matrix: 2 },
  { source: 'sum', index: 3, matrix: 2 },
  { source: 'sum', index: 4, matrix: 3 },
]

/** Sums of the four shards of a block that the kernel's `split` writes. */
export const BLOCK_SUMS = 5

/**
 * The parity rows of a generator matrix in a form that needs 9 products where the matrix itself needs 16.
 *
 * The coefficient of row i and column j depends on i XOR j alone: f(i ^ j) with f(x) = 1/x. So a 2 by 2 block is
 * (a b; b a), and for inputs x, y its outputs are
 *   a·x + b·y = a·(x+y) + (a+b)·y      b·x + a·y = a·(x+y) + (a+b)·x
 * with three products instead of four. Blocks of 4 by 4 are such blocks of such blocks: with the products called
 * r = (a+b)·x, q = (a+b)·y, p = a·(x+y), the nine terms are rr rq rp qr qq qp pr pq pp, in this order. Their
 * coefficients are only four: f0+f1+f2+f3 for rr, rq, qr and qq; f0+f2 for rp and qp; f0+f1 for pr and pq; f0 for pp.
 * Rows and columns that fill up a block at the edge cost their products; columns there are read as zero.
 */
export interface DyadicTables {
  readonly rows: number
  readonly columns: number
  readonly rowBlocks: number
  readonly columnBlocks: number
  /** Rows of the first block that are no parity rows, because k is no multiple of the block. */
  readonly skippedRows: number
  /** One for each distinct coefficient; rowBlocks by columnBlocks each. */
  readonly matrices: readonly ProductTables[]
}

/**
 * Tables for the parity of a k of n code, or undefined where the plain product is less work: small codes, and those
 * whose k and n are no multiples of 4. The weights are instructions, counted in products.
 */
export function dyadicTables(k: number, n: number): DyadicTables | undefined {
  const firstBlock = Math.floor(k / BLOCK)
  const rowBlocks = Math.ceil(n / BLOCK) - firstBlock
  const columnBlocks = Math.ceil(k / BLOCK)
  const cost = DYADIC_TERMS.length * rowBlocks * columnBlocks + 3 * columnBlocks + 5 * rowBlocks
  if (cost >= (n - k) * k) return undefined

  const coefficients = Array.from({ length: 4 }, () => zeroMatrix(rowBlocks, columnBlocks))
  for (let row = 0; row < rowBlocks; row++) {
    for (let column = 0; column < columnBlocks; column++) {
      writeBlock(coefficients, row * columnBlocks + column, BLOCK * ((firstBlock + row) ^ column))
    }
  }
  return {
    rows: n - k,
    columns: k,
    rowBlocks,
    columnBlocks,
    skippedRows: k % BLOCK,
    matrices: coefficients.map(productTables),
  }
}

function writeBlock(coefficients: readonly Matrix[], cell: number, x: number): void {
  // 1/0 belongs to rows below k alone, which are not parity; whatever stands for it leaves every other row as it is.
  const f0 = x === 0 ? 0 : inverse(x)
  const f1 = inverse(x + 1)
  const f2 = inverse(x + 2)
  const f3 = inverse(x + 3)
  for (const [matrix, value] of [f0 ^ f1 ^ f2 ^ f3, f0 ^ f2, f0 ^ f1, f0].entries()) {
    const target = coefficients[matrix]
    if (target !== undefined) target.cells[cell] = value
  }
}
