import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generatorMatrix } from '../src/generator-matrix.ts'
import { invertMatrix, selectRows } from '../src/matrix.ts'
import { slowInverse } from './lib/reference.ts'

test('identity above, 1 / (i XOR j) below', () => {
  const matrix = generatorMatrix(3, 6)
  const expected = [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ]
  for (let i = 3; i < 6; i++) expected.push([0, 1, 2].map((j) => slowInverse(i ^ j)))
  assert.deepEqual([...matrix.cells], expected.flat())
})

test('any k rows are independent: every choice of every code up to n = 10', () => {
  for (let n = 2; n <= 10; n++) {
    const generators = Array.from({ length: n - 1 }, (_, at) => generatorMatrix(at + 1, n))
    for (let choice = 1; choice < 1 << n; choice++) {
      const rows = Array.from({ length: n }, (_, row) => row).filter((row) => (choice >> row) & 1)
      const generator = generators[rows.length - 1]
      if (generator !== undefined) invertMatrix(selectRows(generator, rows))
    }
  }
})
