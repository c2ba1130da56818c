/** CRC-64/NVME (NVM Express NVM command set, 5.2.1.3.4), eight bytes a step, in halves of 32 bits. */
const POLYNOMIAL = 0x9a6c9329ac4bc9b5n
const LOW = new Uint32Array(8 * 256)
const HIGH = new Uint32Array(8 * 256)
fillTables()

function fillTables(): void {
  for (let byte = 0; byte < 256; byte++) {
    let value = BigInt(byte)
    for (let bit = 0; bit < 8; bit++) value = (value >> 1n) ^ ((value & 1n) === 0n ? 0n : POLYNOMIAL)
    LOW[byte] = Number(value & 0xffffffffn)
    HIGH[byte] = Number(value >> 32n)
  }
  for (let at = 256; at < LOW.length; at++) {
    const low = LOW[at - 256] as number
    const high = HIGH[at - 256] as number
    LOW[at] = ((low >>> 8) | (high << 24)) ^ (LOW[low & 255] as number)
    HIGH[at] = (high >>> 8) ^ (HIGH[low & 255] as number)
  }
}

/** Of bytes as they come. */
export class Crc64Nvme {
  #low = -1
  #high = -1

  update(data: Uint8Array): void {
    let low = this.#low
    let high = this.#high
    let at = 0
    for (; at + 8 <= data.length; at += 8) {
      const a = low ^ word(data, at)
      const b = high ^ word(data, at + 4)
      const i7 = 1792 + (a & 255)
      const i6 = 1536 + ((a >>> 8) & 255)
      const i5 = 1280 + ((a >>> 16) & 255)
      const i4 = 1024 + (a >>> 24)
      const i3 = 768 + (b & 255)
      const i2 = 512 + ((b >>> 8) & 255)
      const i1 = 256 + ((b >>> 16) & 255)
      const i0 = b >>> 24
      low =
        of(LOW, i7) ^ of(LOW, i6) ^ of(LOW, i5) ^ of(LOW, i4) ^ of(LOW, i3) ^ of(LOW, i2) ^ of(LOW, i1) ^ of(LOW, i0)
      high =
        of(HIGH, i7) ^
        of(HIGH, i6) ^
        of(HIGH, i5) ^
        of(HIGH, i4) ^
        of(HIGH, i3) ^
        of(HIGH, i2) ^
        of(HIGH, i1) ^
        of(HIGH, i0)
    }
    for (; at < data.length; at++) {
      const index = (low ^ (data[at] as number)) & 255
      low = ((low >>> 8) | (high << 24)) ^ of(LOW, index)
      high = (high >>> 8) ^ of(HIGH, index)
    }
    this.#low = low
    this.#high = high
  }

  /** Eight bytes, most significant first. */
  digest(): Buffer {
    const out = Buffer.alloc(8)
    out.writeUInt32BE(~this.#high >>> 0, 0)
    out.writeUInt32BE(~this.#low >>> 0, 4)
    return out
  }
}

function of(table: Uint32Array, index: number): number {
  return table[index] as number
}

function word(data: Uint8Array, at: number): number {
  return (
    (data[at] as number) |
    ((data[at + 1] as number) << 8) |
    ((data[at + 2] as number) << 16) |
    ((data[at + 3] as number) << 24)
  )
}
