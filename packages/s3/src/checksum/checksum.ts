import { createHash } from 'node:crypto'
import { Crc, type CrcName } from '@weft/core'
import type { ChecksumName } from '@weft/storage'

export const CHECKSUM_NAMES: readonly ChecksumName[] = ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256']

const BYTES: Readonly<Record<ChecksumName, number>> = { CRC32: 4, CRC32C: 4, CRC64NVME: 8, SHA1: 20, SHA256: 32 }

/** A checksum of bytes as they come. */
export interface RunningChecksum {
  update(data: Uint8Array): void
  /** base64 */
  digest(): string
}

export function runningChecksum(name: ChecksumName): RunningChecksum {
  if (name === 'SHA1' || name === 'SHA256') {
    const hash = createHash(name)
    return { update: (data) => hash.update(data), digest: () => hash.digest('base64') }
  }
  const crc = new Crc(name)
  return { update: (data) => crc.update(data), digest: () => Buffer.from(crc.digest()).toString('base64') }
}

export function checksumNameOf(text: string): ChecksumName | undefined {
  return CHECKSUM_NAMES.find((name) => name === text.toUpperCase())
}

/** The bytes of a checksum of that kind; undefined where the text is none. */
export function checksumBytes(name: ChecksumName, text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64')
  return bytes.length === BYTES[name] && bytes.toString('base64') === text ? bytes : undefined
}

export function isCrc(name: ChecksumName): name is CrcName {
  return name.startsWith('CRC')
}
