import { CrcJoin } from '@weft/core'
import type { ChecksumName } from '@weft/storage'
import { checksumBytes, isCrc, runningChecksum } from './checksum.ts'

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
  if (!isCrc(name)) return undefined
  const whole = new CrcJoin(name)
  for (const { size, checksum } of parts) {
    const bytes = checksumBytes(name, checksum)
    if (bytes === undefined) return undefined
    whole.add(bytes, size)
  }
  return Buffer.from(whole.digest()).toString('base64')
}
