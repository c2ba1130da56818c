import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { invertMatrix, type Matrix, multiplyMatrices, rowOf, selectRows, zeroMatrix } from '../src/matrix.ts'

function matrixOf(rows: number[][]): Matrix {
  return { rows: rows.length, columns: rows[0]!.length, cells: Uint8Array.from(rows.flat()) }
}

function identity(size: number): Matrix {
  const matrix = zeroMatrix(size, size)
  for (let i = 0; i < size; i++) matrix.cells[i * size + i] = 1
  return matrix
}

const squareMatrices = fc.integer({ min: 1, max: 8 }).chain((size) =>
  fc.uint8Array({ minLength: size * size, maxLength: size * size }).map((cells): Matrix => ({
    rows: size,
    columns: size,
    cells: Uint8Array.from(cells),
  })),
)

test('a matrix times its inverse is the identity, on both sides, and the matrix stays as it was', () => {
  let inverted = 0
  fc.assert(
    fc.property(squareMatrices, (matrix) => {
      const before = matrix.cells.slice()
      let inverse
      try {
        inverse = invertMatrix(matrix)
      } catch (error) {
        assert.ok(error instanceof RangeError)
        return
      }
      inverted++
      assert.deepEqual(multiplyMatrices(matrix, inverse), identity(matrix.rows))
      assert.deepEqual(multiplyMatrices(inverse, matrix), identity(matrix.rows))
      assert.deepEqual(matrix.cells, before)
    }),
  )
  assert.ok(inverted > 10, `only ${inverted} were regular`)
})

test('singular and other matrices without an inverse are refused', () => {
  assert.throws(() => invertMatrix(matrixOf([[0]])), RangeError)
  assert.throws(
    () =>
      invertMatrix(
        matrixOf([
          [3, 5],
          [3, 5],
        ]),
      ),
    RangeError,
  )
  assert.throws(() => invertMatrix(matrixOf([[1, 2]])), RangeError)
})

test('a product of shapes that do not fit is refused', () => {
  assert.throws(() => multiplyMatrices(identity(2), identity(3)), RangeError)
})

test('rows are selected in the order named', () => {
  const matrix = matrixOf([
    [1, 2],
    [3, 4],
    [5, 6],
  ])
  assert.deepEqual(
    selectRows(matrix, [2, 0]),
    matrixOf([
      [5, 6],
      [1, 2],
    ]),
  )
  assert.deepEqual([...rowOf(matrix, 1)], [3, 4])
})
