import { inverse, multiply } from './galois-field.ts'

/** A matrix over GF(2^8), row after row. */
export interface Matrix {
  readonly rows: number
  readonly columns: number
  readonly cells: Uint8Array<ArrayBuffer>
}

export function zeroMatrix(rows: number, columns: number): Matrix {
  return { rows, columns, cells: new Uint8Array(rows * columns) }
}

/** Row `index` as a view: writing to it changes the matrix. */
export function rowOf(matrix: Matrix, index: number): Uint8Array {
  return matrix.cells.subarray(index * matrix.columns, (index + 1) * matrix.columns)
}

/** The matrix of the named rows, in the order named. */
export function selectRows(matrix: Matrix, indices: readonly number[]): Matrix {
  const selected = zeroMatrix(indices.length, matrix.columns)
  for (const [at, index] of indices.entries()) selected.cells.set(rowOf(matrix, index), at * matrix.columns)
  return selected
}

/** The product of two matrices. @throws RangeError when `left` has not as many columns as `right` has rows. */
export function multiplyMatrices(left: Matrix, right: Matrix): Matrix {
  if (left.columns !== right.rows) throw new RangeError(`cannot multiply ${left.columns} columns by ${right.rows} rows`)
  const product = zeroMatrix(left.rows, right.columns)
  for (let row = 0; row < left.rows; row++) {
    const target = rowOf(product, row)
    for (const [column, factor] of rowOf(left, row).entries()) addMultiple(target, rowOf(right, column), factor)
  }
  return product
}

/**
 * The inverse of a square matrix by Gauss–Jordan elimination: time grows with the cube of the rows, less where rows
 * are unit vectors already, as those of the data shards at hand are.
 * @throws RangeError when the matrix is not square or is singular. Any k rows of a generator matrix are neither.
 */
export function invertMatrix(matrix: Matrix): Matrix {
  const size = matrix.rows
  if (matrix.columns !== size) throw new RangeError(`a ${size} by ${matrix.columns} matrix has no inverse`)
  const left: Matrix = { rows: size, columns: size, cells: matrix.cells.slice() }
  const right = zeroMatrix(size, size)
  for (let i = 0; i < size; i++) right.cells[i * size + i] = 1

  for (let column = 0; column < size; column++) {
    let pivot = column
    while (pivot < size && left.cells[pivot * size + column] === 0) pivot++
    if (pivot === size) throw new RangeError('a singular matrix has no inverse')
    swapRows(left, pivot, column)
    swapRows(right, pivot, column)
    const scale = inverse(left.cells[column * size + column] as number)
    scaleRow(rowOf(left, column), scale)
    scaleRow(rowOf(right, column), scale)
    for (let row = 0; row < size; row++) {
      const factor = left.cells[row * size + column] as number
      if (row === column || factor === 0) continue
      addMultiple(rowOf(left, row), rowOf(left, column), factor)
      addMultiple(rowOf(right, row), rowOf(right, column), factor)
    }
  }
  return right
}

function addMultiple(target: Uint8Array, source: Uint8Array, factor: number): void {
  if (factor === 0) return
  for (let i = 0; i < target.length; i++) target[i] = (target[i] as number) ^ multiply(factor, source[i] as number)
}

function scaleRow(row: Uint8Array, factor: number): void {
  if (factor === 1) return
  for (let i = 0; i < row.length; i++) row[i] = multiply(factor, row[i] as number)
}

function swapRows(matrix: Matrix, a: number, b: number): void {
  if (a === b) return
  const kept = rowOf(matrix, a).slice()
  rowOf(matrix, a).set(rowOf(matrix, b))
  rowOf(matrix, b).set(kept)
}
