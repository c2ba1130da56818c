import { inverse } from './galois-field.ts'
import { type Matrix, zeroMatrix } from './matrix.ts'

/**
 * The n by k matrix that turns k data shards into n shards: the identity on top (the code is systematic), below it
 * the Cauchy matrix 1 / (i + j) for row i = k…n-1 and column j = 0…k-1, where + is the XOR of GF(2^8).
 * The same as ISA-L's `gf_gen_cauchy1_matrix(a, n, k)`. Every k of its rows are linearly independent, which the
 * better known systematic Vandermonde matrix of `gf_gen_rs_matrix` does not promise.
 */
export function generatorMatrix(k: number, n: number): Matrix {
  const matrix = zeroMatrix(n, k)
  for (let i = 0; i < k; i++) matrix.cells[i * k + i] = 1
  for (let i = k; i < n; i++) {
    for (let j = 0; j < k; j++) matrix.cells[i * k + j] = inverse(i ^ j)
  }
  return matrix
}
