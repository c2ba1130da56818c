import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { ChecksumName } from '@weft/storage'
import { Crc64Nvme } from './crc64nvme.ts'
import { crc32c } from './crc32c.ts'

export const CHECKSUM_NAMES: readonly ChecksumName[] = ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256']

const BYTES: Readonly<Record<ChecksumName, number>> = { CRC32: 4, CRC32C: 4, CRC64NVME: 8, SHA1: 20, SHA256: 32 }

/** A checksum of bytes as they come. */
export interface RunningChecksum {
  update(data: Uint8Array): void
  /** base64 */
  digest(): string
}

export function runningChecksum(name: ChecksumName): RunningChecksum {
  switch (name) {
    case 'CRC32':
      return crcOf(crc32)
    case 'CRC32C':
      return crcOf(crc32c)
    case 'CRC64NVME': {
      const crc = new Crc64Nvme()
      return { update: (data) => crc.update(data), digest: () => crc.digest().toString('base64') }
    }
    case 'SHA1':
    case 'SHA256': {
      const hash = createHash(name)
      return { update: (data) => hash.update(data), digest: () => hash.digest('base64') }
    }
  }
}

function crcOf(step: (data: Uint8Array, before: number) => number): RunningChecksum {
  let value = 0
  return {
    update: (data) => {
      value = step(data, value)
    },
    digest: () => {
      const out = Buffer.alloc(4)
      out.writeUInt32BE(value >>> 0)
      return out.toString('base64')
    },
  }
}

export function checksumNameOf(text: string): ChecksumName | undefined {
  return CHECKSUM_NAMES.find((name) => name === text.toUpperCase())
}

/** The bytes of a checksum of that kind; undefined where the text is none. */
export function checksumBytes(name: ChecksumName, text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64')
  return bytes.length === BYTES[name] && bytes.toString('base64') === text ? bytes : undefined
}

export function isCrc(name: ChecksumName): boolean {
  return name.startsWith('CRC')
}
