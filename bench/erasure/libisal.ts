import koffi from 'koffi'

/** The peer: Debian's libisal2, the assembly code of Intel's ISA-L. */
export interface LibisalPeer {
  /** A function that codes k data shards into n - k parity shards, with its tables made beforehand as ours are. */
  encoder(k: number, n: number): (data: readonly Uint8Array[], parity: readonly Uint8Array[]) => void
}

type Native = (...parameters: unknown[]) => unknown

/** Undefined when the library is not installed. */
export function loadLibisal(): LibisalPeer | undefined {
  let library
  try {
    library = koffi.load('libisal.so.2')
  } catch {
    return undefined
  }
  const generate = library.func('void gf_gen_cauchy1_matrix(_Out_ uint8_t *a, int n, int k)') as Native
  const initTables = library.func('void ec_init_tables(int k, int rows, uint8_t *a, _Out_ uint8_t *tables)') as Native
  const encodeData = library.func(
    'void ec_encode_data(int length, int k, int rows, uint8_t *tables, void **data, void **coding)',
  ) as Native
  return {
    encoder(k, n) {
      const matrix = new Uint8Array(n * k)
      generate(matrix, n, k)
      const tables = new Uint8Array(32 * k * (n - k))
      initTables(k, n - k, matrix.subarray(k * k), tables)
      return (data, parity) => {
        encodeData(data[0]?.length ?? 0, k, n - k, tables, data, parity)
      }
    },
  }
}
