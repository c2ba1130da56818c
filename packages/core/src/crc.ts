import { crc32 } from 'node:zlib'

/** A CRC with all ones in front and behind, bits reflected: the only kind that S3 has. */
interface CrcKind {
  readonly bits: 32 | 64
  /** Reflected. */
  readonly polynomial: bigint
}

/** CRC-32/ISO-HDLC, CRC-32/ISCSI and CRC-64/NVME of the catalogue of parametrised CRC algorithms. */
const KINDS = {
  CRC32: { bits: 32, polynomial: 0xedb88320n },
  CRC32C: { bits: 32, polynomial: 0x82f63b78n },
  CRC64NVME: { bits: 64, polynomial: 0x9a6c9329ac4bc9b5n },
} as const satisfies Record<string, CrcKind>

export type CrcName = keyof typeof KINDS

interface Tables {
  /** Eight tables of 256, put end to end: of a byte with 0 to 7 zero bytes behind it. */
  readonly low: Uint32Array
  readonly high: Uint32Array
}

const tables = new Map<CrcName, Tables>()

/** A running CRC, eight bytes at a time; CRC32 by zlib. Bytes of any pieces of a whole give the same. */
export class Crc {
  readonly #name: CrcName
  readonly #tables: Tables
  #low = 0xffff_ffff
  #high: number
  #zlib = 0

  constructor(name: CrcName) {
    this.#name = name
    this.#high = KINDS[name].bits === 64 ? 0xffff_ffff : 0
    this.#tables = tablesOf(name)
  }

  update(bytes: Uint8Array): void {
    if (this.#name === 'CRC32') {
      this.#zlib = crc32(bytes, this.#zlib)
      return
    }
    const { low: lows, high: highs } = this.#tables
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const isWide = this.#name === 'CRC64NVME'
    let [low, high] = [this.#low, this.#high]
    let at = 0
    for (; at + 8 <= bytes.length; at += 8) {
      const a = low ^ view.getUint32(at, true)
      const b = high ^ view.getUint32(at + 4, true)
      const [i, j, k, l] = [1792 + (a & 255), 1536 + ((a >>> 8) & 255), 1280 + ((a >>> 16) & 255), 1024 + (a >>> 24)]
      const [m, n, o, p] = [768 + (b & 255), 512 + ((b >>> 8) & 255), 256 + ((b >>> 16) & 255), b >>> 24]
      low =
        (lows[i] as number) ^
        (lows[j] as number) ^
        (lows[k] as number) ^
        (lows[l] as number) ^
        (lows[m] as number) ^
        (lows[n] as number) ^
        (lows[o] as number) ^
        (lows[p] as number)
      if (isWide)
        high =
          (highs[i] as number) ^
          (highs[j] as number) ^
          (highs[k] as number) ^
          (highs[l] as number) ^
          (highs[m] as number) ^
          (highs[n] as number) ^
          (highs[o] as number) ^
          (highs[p] as number)
    }
    for (; at < bytes.length; at++) {
      const index = (low ^ (bytes[at] as number)) & 255
      low = ((low >>> 8) | (high << 24)) ^ (lows[index] as number)
      high = (high >>> 8) ^ (highs[index] as number)
    }
    this.#low = low
    this.#high = high
  }

  /** Big-endian, as S3 writes it. */
  digest(): Uint8Array {
    const { bits } = KINDS[this.#name]
    const value =
      this.#name === 'CRC32'
        ? BigInt(this.#zlib)
        : bits === 32
          ? BigInt(~this.#low >>> 0)
          : (BigInt(~this.#high >>> 0) << 32n) | BigInt(~this.#low >>> 0)
    return toBytes(value, bits)
  }
}

/** Joins the CRCs of pieces that follow each other to that of the whole, without their bytes. */
export class CrcJoin {
  readonly #kind: CrcKind
  /** What a CRC is multiplied by for so many bytes behind it; parts of an upload have few sizes. */
  readonly #factors = new Map<number, bigint>()
  #value = 0n

  constructor(name: CrcName) {
    this.#kind = KINDS[name]
  }

  /** @param digest of the piece, big-endian. @param size its bytes. */
  add(digest: Uint8Array, size: number): void {
    const value = BigInt(`0x${Buffer.from(digest).toString('hex')}`)
    const factor = this.#factors.get(size) ?? this.#powerOfX(8n * BigInt(size))
    this.#factors.set(size, factor)
    this.#value = this.#multiply(factor, this.#value) ^ value
  }

  digest(): Uint8Array {
    return toBytes(this.#value, this.#kind.bits)
  }

  #powerOfX(exponent: bigint): bigint {
    const one = 1n << BigInt(this.#kind.bits - 1)
    let [result, square, left] = [one, one >> 1n, exponent]
    for (; left > 0n; left >>= 1n) {
      if ((left & 1n) === 1n) result = this.#multiply(square, result)
      square = this.#multiply(square, square)
    }
    return result
  }

  /** The product of two polynomials over GF(2), modulo that of the CRC; the highest bit is the coefficient of x^0. */
  #multiply(a: bigint, b: bigint): bigint {
    let [product, factor] = [0n, b]
    for (let bit = 1n << BigInt(this.#kind.bits - 1); bit > 0n; bit >>= 1n) {
      if ((a & bit) !== 0n) product ^= factor
      factor = (factor & 1n) === 1n ? (factor >> 1n) ^ this.#kind.polynomial : factor >> 1n
    }
    return product
  }
}

function tablesOf(name: CrcName): Tables {
  const made = tables.get(name) ?? makeTables(KINDS[name])
  tables.set(name, made)
  return made
}

function makeTables({ polynomial }: CrcKind): Tables {
  const low = new Uint32Array(8 * 256)
  const high = new Uint32Array(8 * 256)
  const values: bigint[] = []
  for (let byte = 0; byte < 256; byte++) {
    let value = BigInt(byte)
    for (let bit = 0; bit < 8; bit++) value = (value & 1n) === 1n ? (value >> 1n) ^ polynomial : value >> 1n
    values.push(value)
  }
  for (let byte = 0; byte < 256; byte++) {
    let value = values[byte] as bigint
    for (let zeros = 0; zeros < 8; zeros++) {
      low[zeros * 256 + byte] = Number(value & 0xffff_ffffn)
      high[zeros * 256 + byte] = Number(value >> 32n)
      value = (value >> 8n) ^ (values[Number(value & 255n)] as bigint)
    }
  }
  return { low, high }
}

function toBytes(value: bigint, bits: number): Uint8Array {
  return new Uint8Array(Buffer.from(value.toString(16).padStart(bits / 4, '0'), 'hex'))
}
