import { fromUtf8 } from '@weft/core'
import { archiveInvalid } from './archive-errors.ts'
import { TAR_BLOCK, tarChecksum } from './tar-head.ts'

/** Bytes of an extended header at most: the holders of a large object are many. */
const MAX_EXTENDED = 1024 * 1024
const RECORD = /^(\d{1,7}) /

export interface TarMember {
  readonly path: string
  /** Bytes. */
  readonly size: number
  readonly records: ReadonlyMap<string, string>
  /** Bytes of it that were read. */
  readonly read: number
  /** The next bytes of it, up to `length`; all that is left by default. The next member skips what is not read. */
  readonly body: (length?: number) => AsyncGenerator<Uint8Array>
}

/**
 * The members of an archive as `tarHead` writes them, one after the other: each an extended header and a regular file.
 * Nothing else is taken. A member is over when the next one is asked for.
 * @throws WeftError E_ARCHIVE_INVALID, also when the source ends before the archive does
 */
export async function* readTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<TarMember> {
  await using bytes = new ByteSource(source)
  for (;;) {
    const first = await bytes.exactly(TAR_BLOCK)
    if (isZero(first)) {
      if (!isZero(await bytes.exactly(TAR_BLOCK))) throw archiveInvalid('a lone block of zeros stands between members')
      await bytes.end()
      return
    }
    const extended = header(first, 'x')
    if (extended > MAX_EXTENDED)
      throw archiveInvalid(`an extended header has ${extended} bytes, at most ${MAX_EXTENDED}`)
    const records = paxRecords(await bytes.exactly(extended))
    await bytes.padding(extended)
    header(await bytes.exactly(TAR_BLOCK), '0')
    const path = records.get('path')
    const size = Number(/^\d{1,16}$/.exec(records.get('size') ?? '')?.[0] ?? Number.NaN)
    if (path === undefined || !Number.isSafeInteger(size)) throw archiveInvalid('a member has no path or no size')
    let read = 0
    const body = async function* (length = Number.POSITIVE_INFINITY): AsyncGenerator<Uint8Array> {
      const end = Math.min(size, read + length)
      while (read < end) {
        const piece = await bytes.some(end - read)
        read += piece.length
        yield piece
      }
    }
    yield {
      path,
      size,
      records,
      get read() {
        return read
      },
      body,
    }
    for await (const _ of body());
    await bytes.padding(size)
  }
}

/** The size field of a header that is sound and of the type. */
function header(block: Uint8Array, type: 'x' | '0'): number {
  const text = (at: number, length: number): string => Buffer.from(block.subarray(at, at + length)).toString('latin1')
  if (Number.parseInt(text(148, 6), 8) !== tarChecksum(block)) throw archiveInvalid('the checksum of a header is wrong')
  if (text(257, 8) !== 'ustar\u000000') throw archiveInvalid('a header is not that of a pax archive')
  if (text(156, 1) !== type) {
    throw archiveInvalid(`a member is of type ${JSON.stringify(text(156, 1))} where '${type}' is expected`)
  }
  const size = text(124, 11)
  if (!/^[0-7]{11}$/.test(size)) throw archiveInvalid('the size of a member is no octal number')
  return Number.parseInt(size, 8)
}

function paxRecords(bytes: Uint8Array): Map<string, string> {
  const records = new Map<string, string>()
  for (let at = 0; at < bytes.length;) {
    const digits = RECORD.exec(Buffer.from(bytes.subarray(at, at + 8)).toString('latin1'))?.[1] ?? ''
    const end = at + Number(digits)
    const text = end > at && end <= bytes.length ? textOf(bytes.subarray(at + digits.length + 1, end)) : undefined
    const equals = text?.indexOf('=') ?? -1
    if (text === undefined || equals < 1 || !text.endsWith('\n')) throw archiveInvalid('an extended header is broken')
    const keyword = text.slice(0, equals)
    if (records.has(keyword)) throw archiveInvalid('an extended header says something twice')
    records.set(keyword, text.slice(equals + 1, -1))
    at = end
  }
  return records
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return fromUtf8(bytes)
  } catch {
    return undefined
  }
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0)
}

/** Bytes of a stream, as many as are asked for. */
class ByteSource implements AsyncDisposable {
  readonly #chunks: AsyncIterator<Uint8Array>
  #rest: Uint8Array = new Uint8Array(0)

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#chunks = source[Symbol.asyncIterator]()
  }

  /** One to `most` bytes. */
  async some(most: number): Promise<Uint8Array> {
    if (!(await this.#fill())) throw archiveInvalid('it ends too early')
    const piece = this.#rest.subarray(0, most)
    this.#rest = this.#rest.subarray(piece.length)
    return piece
  }

  async exactly(length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length)
    for (let at = 0; at < length;) {
      const piece = await this.some(length - at)
      bytes.set(piece, at)
      at += piece.length
    }
    return bytes
  }

  /** Skips the zeros behind `size` bytes. */
  async padding(size: number): Promise<void> {
    const length = (TAR_BLOCK - (size % TAR_BLOCK)) % TAR_BLOCK
    if (!isZero(await this.exactly(length))) throw archiveInvalid('what fills up a member is not zeros')
  }

  async end(): Promise<void> {
    if (await this.#fill()) throw archiveInvalid('something stands behind its end')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#chunks.return?.()
  }

  async #fill(): Promise<boolean> {
    while (this.#rest.length === 0) {
      const next = await this.#chunks.next()
      if (next.done === true) return false
      this.#rest = next.value
    }
    return true
  }
}
