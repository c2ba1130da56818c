import { multiply } from './galois-field.ts'
import { type Matrix } from './matrix.ts'

/** Bytes of one coefficient's tables: its products with 0x00…0x0f, then with 0x00, 0x10…0xf0. */
export const TABLE_BYTES = 32

/** Rows that one pass of the kernel computes, so that each byte loaded and split serves them all. */
export type PassRows = 1 | 2 | 3 | 4

/** A matrix in the form that the kernel reads. */
export interface ProductTables {
  readonly rows: number
  readonly columns: number
  /** The row counts of the passes, in order; their sum is `rows`. */
  readonly passes: readonly PassRows[]
  /** Pass after pass; within a pass column after column; within a column row after row. */
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** Prepares a matrix for the kernel: 32 bytes and 32 products a coefficient. */
export function productTables(matrix: Matrix): ProductTables {
  const { rows, columns, cells } = matrix
  const bytes = new Uint8Array(rows * columns * TABLE_BYTES)
  const passes = passesFor(rows)
  let at = 0
  let first = 0
  for (const pass of passes) {
    for (let column = 0; column < columns; column++) {
      for (let row = first; row < first + pass; row++) {
        writeTables(bytes, at, cells[row * columns + column] as number)
        at += TABLE_BYTES
      }
    }
    first += pass
  }
  return { rows, columns, passes, bytes }
}

/** Fours and threes as far as possible: they run at the same speed a row, passes of two or one are up to 20% slower. */
function passesFor(rows: number): PassRows[] {
  const passes: PassRows[] = []
  for (let left = rows; left > 0; left -= passes.at(-1) ?? 0) {
    if (left === 1 || left === 2) passes.push(left)
    else passes.push(left === 4 || left === 7 || left === 8 || left > 9 ? 4 : 3)
  }
  return passes
}

function writeTables(target: Uint8Array, at: number, coefficient: number): void {
  for (let nibble = 0; nibble < 16; nibble++) {
    target[at + nibble] = multiply(coefficient, nibble)
    target[at + 16 + nibble] = multiply(coefficient, nibble << 4)
  }
}
