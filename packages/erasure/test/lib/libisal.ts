import koffi from 'koffi'

/** Debian's libisal2 (ISA-L), the independent implementation that this code must equal byte for byte. */
export interface Libisal {
  generator(k: number, n: number): Uint8Array
  encode(generatorRows: Uint8Array, data: readonly Uint8Array[], rows: number): Uint8Array[]
  invert(matrix: Uint8Array, size: number): Uint8Array
}

/** Undefined when the library is not installed. */
export function loadLibisal(): Libisal | undefined {
  let library
  try {
    library = koffi.load('libisal.so.2')
  } catch {
    return undefined
  }
  type Native = (...parameters: unknown[]) => unknown
  const generate = library.func('void gf_gen_cauchy1_matrix(_Out_ uint8_t *a, int n, int k)') as Native
  const initTables = library.func('void ec_init_tables(int k, int rows, uint8_t *a, _Out_ uint8_t *tables)') as Native
  const encodeData = library.func(
    'void ec_encode_data(int length, int k, int rows, uint8_t *tables, void **data, void **coding)',
  ) as Native
  const invertMatrix = library.func('int gf_invert_matrix(uint8_t *in, _Out_ uint8_t *out, int size)') as Native

  return {
    generator(k, n) {
      const matrix = new Uint8Array(n * k)
      generate(matrix, n, k)
      return matrix
    },
    encode(generatorRows, data, rows) {
      const length = data[0]?.length ?? 0
      const tables = new Uint8Array(32 * data.length * rows)
      initTables(data.length, rows, generatorRows, tables)
      const coding = Array.from({ length: rows }, () => new Uint8Array(length))
      encodeData(length, data.length, rows, tables, data, coding)
      return coding
    },
    invert(matrix, size) {
      const out = new Uint8Array(size * size)
      if (invertMatrix(matrix.slice(), out, size) !== 0) throw new Error('libisal: singular matrix')
      return out
    },
  }
}
