import { createHash } from 'node:crypto'
import type { ChecksumName, Checksums } from '@weft/storage'
import type { Caller } from '../auth/authenticate.ts'
import { sameSignature } from '../auth/signing.ts'
import { CHECKSUM_NAMES, checksumBytes, checksumNameOf, runningChecksum } from '../checksum/checksum.ts'
import type { Headers } from '../http/headers.ts'
import { MAX_PUT_BYTES } from '../limits.ts'
import { S3Error } from '../s3-error.ts'
import { type XmlElement, readXml } from '../xml/read-xml.ts'
import { decodeChunks } from './aws-chunked.ts'

const PREFIX = 'x-amz-checksum-'

interface Mode {
  readonly chunked: boolean
  readonly signed: boolean
  readonly trailers: boolean
  /** Of the whole, in hexadecimal. */
  readonly sha256: string | undefined
}

const MODES: ReadonlyMap<string, Mode> = new Map([
  ['UNSIGNED-PAYLOAD', { chunked: false, signed: false, trailers: false, sha256: undefined }],
  ['STREAMING-AWS4-HMAC-SHA256-PAYLOAD', { chunked: true, signed: true, trailers: false, sha256: undefined }],
  ['STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER', { chunked: true, signed: true, trailers: true, sha256: undefined }],
  ['STREAMING-UNSIGNED-PAYLOAD-TRAILER', { chunked: true, signed: false, trailers: true, sha256: undefined }],
])

/**
 * The body of a request, read once. Its end comes only when length, signatures, hash and checksum were right: until then whoever
 * reads has not got it. What does not hold ends the reading with an S3Error.
 */
export class RequestBody {
  /** Bytes of the content, without the frames of aws-chunked. */
  readonly size: number
  /** Hexadecimal, of `Content-MD5`. */
  readonly md5: string | undefined
  /** Whether anything says what the bytes are, beside the signature. */
  readonly hasDigest: boolean
  readonly #source: AsyncIterable<Uint8Array>
  readonly #caller: Caller
  readonly #mode: Mode
  readonly #trailers: readonly string[] | undefined
  #expected: { readonly name: ChecksumName; readonly value: string | undefined } | undefined
  #checksums: Checksums = {}

  /** @param source what comes over the wire. @throws S3Error */
  constructor(headers: Headers, caller: Caller, source: AsyncIterable<Uint8Array>) {
    this.#source = source
    this.#caller = caller
    this.#mode = modeOf(caller)
    this.size = sizeOf(headers, this.#mode)
    this.md5 = md5Of(headers.get('content-md5'))
    this.#trailers = this.#mode.trailers
      ? (headers.get('x-amz-trailer') ?? '')
          .toLowerCase()
          .split(',')
          .map((name) => name.trim())
          .filter((name) => name !== '')
      : undefined
    this.#expected = checksumOf(headers, this.#trailers)
    this.hasDigest = this.md5 !== undefined || this.#expected !== undefined
  }

  /** Of which kind the checksum is that the client gives or announces. */
  get checksumName(): ChecksumName | undefined {
    return this.#expected?.name
  }

  /** What was computed and compared; known behind the last byte. */
  checksums(): Checksums {
    return this.#checksums
  }

  /** Compute this one where the client gives none. */
  wantChecksum(name: ChecksumName): void {
    this.#expected ??= { name, value: undefined }
  }

  /** @throws S3Error EntityTooLarge, IncompleteBody, BadDigest, XAmzContentSHA256Mismatch and those of decodeChunks */
  async *read(most = MAX_PUT_BYTES): AsyncIterable<Uint8Array> {
    if (this.size > most) throw tooLarge(this.size, most)
    const sha256 = this.#mode.sha256 === undefined ? undefined : createHash('sha256')
    const running = this.#expected === undefined ? undefined : runningChecksum(this.#expected.name)
    let trailer: ReadonlyMap<string, string> = new Map()
    const content = this.#mode.chunked
      ? decodeChunks(this.#source, {
          seed: this.#mode.signed ? this.#caller.seed : undefined,
          trailers: this.#trailers,
          onTrailers: (trailers) => {
            trailer = trailers
          },
        })
      : this.#source
    let size = 0
    for await (const piece of content) {
      size += piece.length
      if (size > this.size) throw new S3Error('IncompleteBody')
      sha256?.update(piece)
      running?.update(piece)
      yield piece
    }
    if (size !== this.size) throw new S3Error('IncompleteBody')
    if (sha256 !== undefined && !sameSignature(sha256.digest('hex'), this.#mode.sha256 ?? ''))
      throw new S3Error('XAmzContentSHA256Mismatch')
    if (running !== undefined) this.#check(running.digest(), trailer)
  }

  /** All of a small one. @param most bytes */
  async all(most: number): Promise<Uint8Array> {
    if (this.size > most) throw tooLarge(this.size, most)
    const pieces: Uint8Array[] = []
    for await (const piece of this.read(most)) pieces.push(piece)
    const bytes = Buffer.concat(pieces)
    if (this.md5 !== undefined && createHash('md5').update(bytes).digest('hex') !== this.md5)
      throw new S3Error('BadDigest')
    return bytes
  }

  /** @throws S3Error MissingRequestBodyError, MalformedXML */
  async xml(most: number): Promise<XmlElement> {
    const bytes = await this.all(most)
    if (bytes.length === 0) throw new S3Error('MissingRequestBodyError')
    return readXml(bytes)
  }

  #check(computed: string, trailer: ReadonlyMap<string, string>): void {
    const { name, value } = this.#expected ?? {}
    if (name === undefined) return
    const announced = this.#trailers?.includes(PREFIX + name.toLowerCase()) === true
    const given = value ?? (announced ? (trailer.get(PREFIX + name.toLowerCase()) ?? '') : undefined)
    if (given !== undefined && given !== computed) {
      if (checksumBytes(name, given) === undefined) throw invalidChecksum(name)
      throw new S3Error('BadDigest', `The ${name} you specified did not match the calculated checksum.`)
    }
    this.#checksums = { [name]: computed }
  }
}

function modeOf({ payload, presigned }: Caller): Mode {
  const mode = MODES.get(payload)
  if (mode?.chunked === true && presigned)
    throw new S3Error('InvalidRequest', 'A presigned request has no signed chunks.')
  if (mode !== undefined) return mode
  if (/^[0-9a-f]{64}$/.test(payload)) return { chunked: false, signed: false, trailers: false, sha256: payload }
  if (payload.startsWith('STREAMING-'))
    throw new S3Error('NotImplemented', 'This mode of x-amz-content-sha256 is not there.')
  throw new S3Error(
    'InvalidArgument',
    'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, a streaming mode, or a valid sha256 value.',
  )
}

function sizeOf(headers: Headers, mode: Mode): number {
  const name = mode.chunked ? 'x-amz-decoded-content-length' : 'content-length'
  const text = headers.get(name)
  if (text === undefined) {
    if (mode.chunked || headers.has('transfer-encoding')) throw new S3Error('MissingContentLength')
    return 0
  }
  if (!/^\d{1,16}$/.test(text)) throw new S3Error('InvalidArgument', `${name} is not a number.`)
  return Number(text)
}

function md5Of(header: string | undefined): string | undefined {
  if (header === undefined) return undefined
  const bytes = Buffer.from(header, 'base64')
  if (bytes.length !== 16 || bytes.toString('base64') !== header) throw new S3Error('InvalidDigest')
  return bytes.toString('hex')
}

function checksumOf(
  headers: Headers,
  trailers: readonly string[] | undefined,
): { name: ChecksumName; value: string | undefined } | undefined {
  const given = CHECKSUM_NAMES.filter((name) => headers.has(PREFIX + name.toLowerCase()))
  const announced = CHECKSUM_NAMES.filter((name) => trailers?.includes(PREFIX + name.toLowerCase()) === true)
  if (given.length + announced.length > 1)
    throw new S3Error(
      'InvalidRequest',
      'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.',
    )
  if (announced[0] !== undefined) return { name: announced[0], value: undefined }
  const hint = headers.get('x-amz-sdk-checksum-algorithm')
  if (hint !== undefined && checksumNameOf(hint) === undefined)
    throw new S3Error('InvalidRequest', 'Value for x-amz-sdk-checksum-algorithm header is invalid.')
  const [name] = given
  if (name === undefined) return undefined
  const value = headers.get(PREFIX + name.toLowerCase()) ?? ''
  if (checksumBytes(name, value) === undefined) throw invalidChecksum(name)
  return { name, value }
}

function invalidChecksum(name: ChecksumName): S3Error {
  return new S3Error('InvalidRequest', `Value for x-amz-checksum-${name.toLowerCase()} header is invalid.`)
}

function tooLarge(size: number, most: number): S3Error {
  return new S3Error('EntityTooLarge', undefined, {
    fields: { ProposedSize: String(size), MaxSizeAllowed: String(most) },
  })
}
