import { crc32 } from 'node:zlib'

/** Bytes under one checksum. */
export const CHECKSUM_BLOCK = 64 * 1024

/** CRC-32 (ISO 3309, as in zlib) of each 64 KiB of a stream, the last block shorter. Finds damage, not forgery. */
export class BlockChecksums {
  readonly #out: Uint32Array
  #length = 0
  #current = 0

  /** @param length bytes that will be given in all. */
  constructor(length: number) {
    this.#out = new Uint32Array(Math.ceil(length / CHECKSUM_BLOCK))
  }

  update(chunk: Uint8Array): void {
    let at = 0
    while (at < chunk.length) {
      const part = chunk.subarray(at, at + CHECKSUM_BLOCK - (this.#length % CHECKSUM_BLOCK))
      this.#current = crc32(part, this.#current)
      this.#out[Math.floor(this.#length / CHECKSUM_BLOCK)] = this.#current
      this.#length += part.length
      at += part.length
      if (this.#length % CHECKSUM_BLOCK === 0) this.#current = 0
    }
  }

  /** Four bytes a block, little-endian. */
  bytes(): Uint8Array {
    const out = new Uint8Array(this.#out.length * 4)
    const view = new DataView(out.buffer)
    for (const [at, sum] of this.#out.entries()) view.setUint32(at * 4, sum, true)
    return out
  }
}

/** Whether `bytes`, which begin with block `firstBlock`, fit the checksums. */
export function checksumsFit(bytes: Uint8Array, firstBlock: number, checksums: Uint8Array): boolean {
  const view = new DataView(checksums.buffer, checksums.byteOffset, checksums.byteLength)
  for (let at = 0, block = firstBlock; at < bytes.length; at += CHECKSUM_BLOCK, block++) {
    if ((block + 1) * 4 > checksums.length) return false
    if (crc32(bytes.subarray(at, at + CHECKSUM_BLOCK)) !== view.getUint32(block * 4, true)) return false
  }
  return true
}
