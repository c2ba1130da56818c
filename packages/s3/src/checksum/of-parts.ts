import type { ChecksumName } from '@weft/storage'
import { checksumBytes, isCrc, runningChecksum } from './checksum.ts'

/** A polynomial over GF(2), bits reversed as in the CRCs: the highest bit is that of x^0. */
interface CrcField {
  readonly bits: bigint
  readonly polynomial: bigint
}

const FIELDS: Readonly<Partial<Record<ChecksumName, CrcField>>> = {
  CRC32: { bits: 32n, polynomial: 0xedb88320n },
  CRC32C: { bits: 32n, polynomial: 0x82f63b78n },
  CRC64NVME: { bits: 64n, polynomial: 0x9a6c9329ac4bc9b5n },
}

export interface PartSum {
  readonly size: number
  /** base64 */
  readonly checksum: string
}

/** The checksum of checksums, and how many: what S3 calls COMPOSITE. Undefined where a part's is none. */
export function compositeOf(name: ChecksumName, parts: readonly PartSum[]): string | undefined {
  const sum = runningChecksum(name)
  for (const { checksum } of parts) {
    const bytes = checksumBytes(name, checksum)
    if (bytes === undefined) return undefined
    sum.update(bytes)
  }
  return `${sum.digest()}-${parts.length}`
}

/** The checksum of the whole from those of its parts, which only CRCs allow: what S3 calls FULL_OBJECT. */
export function fullOf(name: ChecksumName, parts: readonly PartSum[]): string | undefined {
  const field = FIELDS[name]
  if (field === undefined || !isCrc(name)) return undefined
  let whole = 0n
  for (const { size, checksum } of parts) {
    const bytes = checksumBytes(name, checksum)
    if (bytes === undefined) return undefined
    whole = multiply(field, power(field, size), whole) ^ BigInt(`0x${bytes.toString('hex')}`)
  }
  return Buffer.from(whole.toString(16).padStart(Number(field.bits / 4n), '0'), 'hex').toString('base64')
}

/** x^(8·bytes), by squaring. */
function power(field: CrcField, bytes: number): bigint {
  let square = 1n << (field.bits - 2n)
  let out = 1n << (field.bits - 1n)
  for (let left = BigInt(bytes) * 8n; left > 0n; left >>= 1n) {
    if ((left & 1n) === 1n) out = multiply(field, out, square)
    square = multiply(field, square, square)
  }
  return out
}

function multiply(field: CrcField, a: bigint, b: bigint): bigint {
  let out = 0n
  let shifted = b
  for (let bit = field.bits - 1n; bit >= 0n; bit--) {
    if (((a >> bit) & 1n) === 1n) out ^= shifted
    shifted = (shifted >> 1n) ^ ((shifted & 1n) === 0n ? 0n : field.polynomial)
  }
  return out
}
