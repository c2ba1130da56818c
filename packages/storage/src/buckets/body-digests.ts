import { createHash, type Hash } from 'node:crypto'
import { Crc, WeftError } from '@weft/core'
import type { ChecksumName, Checksums } from './buckets.ts'

export const CHECKSUM_NAMES: readonly ChecksumName[] = ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256']

/** What a client says of the body that it sends. */
export interface ExpectedDigests {
  /** Hexadecimal. */
  readonly md5?: string
  /** Those of headers at once, those of trailers behind the last byte. */
  readonly checksums?: () => Checksums
  /** Which of them there will be, beside those that `checksums` names at first. */
  readonly algorithms?: readonly ChecksumName[]
}

/** Digests of a body, computed as it passes, and compared when it is over. */
export class BodyDigests {
  readonly #expected: ExpectedDigests
  readonly #md5 = createHash('md5')
  readonly #sums = new Map<ChecksumName, Hash | Crc>()
  #size = 0
  #etag = ''
  #checksums: Checksums = {}
  #thrown: { readonly error: unknown } | undefined

  /** @param wanted computed and given out whether the client names it or not. */
  constructor(expected: ExpectedDigests, wanted: readonly ChecksumName[] = []) {
    this.#expected = expected
    const named = expected.checksums === undefined ? [] : namesOf(expected.checksums())
    for (const name of new Set([...wanted, ...named, ...(expected.algorithms ?? [])]))
      this.#sums.set(name, summing(name))
    this.#wanted = wanted
  }

  readonly #wanted: readonly ChecksumName[]

  get size(): number {
    return this.#size
  }

  /** MD5 in hexadecimal; there once the body is over. */
  get etag(): string {
    return this.#etag
  }

  /** Those that the client gave and those that were wanted; there once the body is over. */
  get checksums(): Checksums {
    return this.#checksums
  }

  /** What the body threw, if it did: whoever gave it knows it as it was, not as storage would put it. */
  get thrown(): { readonly error: unknown } | undefined {
    return this.#thrown
  }

  /** @throws WeftError E_DIGEST behind the last byte, so that whoever reads it keeps nothing */
  async *through(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of body) {
        this.#size += chunk.length
        this.#md5.update(chunk)
        for (const sum of this.#sums.values()) sum.update(chunk)
        yield chunk
      }
      this.#compare()
    } catch (error) {
      this.#thrown = { error }
      throw error
    }
  }

  #compare(): void {
    this.#etag = this.#md5.digest('hex')
    const { md5, checksums } = this.#expected
    if (md5 !== undefined && md5.toLowerCase() !== this.#etag) throw wrongDigest('MD5')
    const given = checksums?.() ?? {}
    const sums = new Map([...this.#sums].map(([name, sum]) => [name, Buffer.from(sum.digest()).toString('base64')]))
    for (const name of namesOf(given)) if (given[name] !== sums.get(name)) throw wrongDigest(name)
    const kept = [...sums].filter(([name]) => given[name] !== undefined || this.#wanted.includes(name))
    this.#checksums = Object.fromEntries(kept)
  }
}

/** The checksum of some bytes. */
export function checksumOf(name: ChecksumName, bytes: Uint8Array): Uint8Array {
  const sum = summing(name)
  sum.update(bytes)
  return sum.digest()
}

export function wrongDigest(name: string): WeftError {
  return new WeftError({
    code: 'E_DIGEST',
    cause: `The ${name} of what came is not the one that was given with it.`,
    fix: 'Send it again; nothing of it was kept.',
    retryable: true,
    details: { algorithm: name },
  })
}

function namesOf(checksums: Checksums): ChecksumName[] {
  return CHECKSUM_NAMES.filter((name) => checksums[name] !== undefined)
}

function summing(name: ChecksumName): Hash | Crc {
  if (name === 'SHA1') return createHash('sha1')
  return name === 'SHA256' ? createHash('sha256') : new Crc(name)
}
