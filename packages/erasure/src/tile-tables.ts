import { inverse, multiply } from './galois-field.ts'
import { generatorMatrix } from './generator-matrix.ts'
import { selectRows, zeroMatrix } from './matrix.ts'
import { type ProductTables, productTables } from './product-tables.ts'

/** Rows and columns of a tile of the matrix. The first of either is a multiple of it. */
export const TILE = 4

/** What the kernel's `interpolate` or `evaluate` costs a tile, in products: four, which share less than those of a pass. */
const TRANSFORM_COST = 6

/**
 * The parity rows of a generator matrix in a form that needs 4 products for each tile of 4 by 4 coefficients, and 4 for
 * each four rows and each four columns, where the matrix itself needs 16 for each tile.
 *
 * For the four columns j of a tile that starts at column c, and its four rows x that start at r:
 *   sum of d(j) / (x + j) = 6·P(x) / s(r + c)    with s(y) = y·(y+1)·(y+2)·(y+3),
 * where P is the polynomial of degree 3 with P(j) = d(j); s is linear and 0 on 0…3, hence the same for all of the
 * tile. Written as
 *   P(x) = p0 + p2·t(x) + x·(p1 + p3·t(x))    with t(x) = x·(x+1) / 6, linear, 0 on 0 and 1, and 1 on 2 and 3,
 * its coefficients take four products to find from d, and its values four to find from the coefficients. The
 * sum over all columns is taken of the coefficients, each times 6 / s(r + c). This is the additive Fourier transform of
 * Lin, Chung and Han, "Novel Polynomial Basis and Its Application to Reed-Solomon Erasure Codes" (FOCS 2014), two levels
 * deep.
 */
export interface TileTables {
  readonly rows: number
  readonly columns: number
  readonly tileRows: number
  readonly tileColumns: number
  /** Rows before the first tile, up to three, as they are: the tile that they belong to holds columns of theirs, too. */
  readonly edge: ProductTables
  /** 6 / s of each tile; tileRows by tileColumns. */
  readonly tiles: ProductTables
  /** The three factors of the transform of each four columns, then of each four rows. */
  readonly factors: ProductTables
}

/** Tables for the parity of a k of n code, or undefined where the plain product is less work, as in small codes. */
export function tileTables(k: number, n: number): TileTables | undefined {
  const tileColumns = Math.ceil(k / TILE)
  const tileRows = Math.ceil(n / TILE) - tileColumns
  const edgeRows = Math.min(n, tileColumns * TILE) - k
  const cost = edgeRows * k + TILE * tileRows * tileColumns + TRANSFORM_COST * (tileRows + tileColumns)
  if (tileRows === 0 || cost >= (n - k) * k) return undefined

  const tiles = zeroMatrix(tileRows, tileColumns)
  for (let row = 0; row < tileRows; row++) {
    for (let column = 0; column < tileColumns; column++) {
      tiles.cells[row * tileColumns + column] = tileFactor(TILE * ((tileColumns + row) ^ column))
    }
  }
  const factors = Array.from({ length: tileColumns + tileRows }, (_, four) => transformFactors(TILE * four)).flat()
  const edgeIndices = Array.from({ length: edgeRows }, (_, row) => k + row)
  return {
    rows: n - k,
    columns: k,
    tileRows,
    tileColumns,
    edge: productTables(selectRows(generatorMatrix(k, n), edgeIndices)),
    tiles: productTables(tiles),
    factors: productTables({ rows: 1, columns: factors.length, cells: Uint8Array.from(factors) }),
  }
}

/** 6 / s(y), for y a multiple of 4 above 0. */
function tileFactor(y: number): number {
  return multiply(6, [y, y + 1, y + 2, y + 3].map(inverse).reduce(multiply))
}

/** Of the four places x…x+3: x of the first two, x+2 of the other two, t(x). */
function transformFactors(x: number): readonly [number, number, number] {
  return [x, x + 2, multiply(multiply(x, x + 1), inverse(6))]
}
