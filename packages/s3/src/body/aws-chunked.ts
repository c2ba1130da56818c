import { createHash } from 'node:crypto'
import type { SignatureSeed } from '../auth/authenticate.ts'
import { EMPTY_SHA256, sameSignature, sha256Hex, sign } from '../auth/signing.ts'
import { MAX_CHUNK_LINE, MAX_PUT_BYTES, MAX_TRAILER_BYTES } from '../limits.ts'
import { S3Error } from '../s3-error.ts'
import { ByteReader } from './byte-reader.ts'

export interface ChunkedInit {
  /** Signatures of chunks are asked for and go on from it; undefined for unsigned ones. */
  readonly seed: SignatureSeed | undefined
  /** Names of trailers that `x-amz-trailer` announces; undefined for a mode without any. */
  readonly trailers: readonly string[] | undefined
  /** Gets the trailers once they and their signature were checked. */
  readonly onTrailers: (trailers: ReadonlyMap<string, string>) => void
}

/**
 * The bytes inside of `aws-chunked`, piece by piece as they come: the end comes only when all signatures were right, and
 * whoever reads has believed nothing until then. @throws S3Error IncompleteBody, InvalidRequest, SignatureDoesNotMatch
 */
export async function* decodeChunks(source: AsyncIterable<Uint8Array>, init: ChunkedInit): AsyncIterable<Uint8Array> {
  const reader = new ByteReader(source)
  try {
    let previous = init.seed?.signature ?? ''
    for (;;) {
      const { size, signature } = readChunkLine(await reader.line(MAX_CHUNK_LINE), init.seed !== undefined)
      const hash = createHash('sha256')
      for (let left = size; left > 0;) {
        const piece = await reader.some(left)
        if (piece === undefined) throw new S3Error('IncompleteBody')
        if (init.seed !== undefined) hash.update(piece)
        left -= piece.length
        yield piece
      }
      if (init.seed !== undefined) {
        checkChunk(init.seed, previous, hash.digest('hex'), signature ?? '')
        previous = signature ?? ''
      }
      if (size === 0) break
      if ((await reader.line(0)) !== '') throw malformed()
    }
    await readEnd(reader, init, previous)
  } finally {
    await reader.close()
  }
}

async function readEnd(reader: ByteReader, init: ChunkedInit, previous: string): Promise<void> {
  const trailers = await readTrailers(reader)
  const given = trailers.get('x-amz-trailer-signature')
  trailers.delete('x-amz-trailer-signature')
  const announced = new Set(init.trailers)
  if ([...trailers.keys()].some((name) => !announced.has(name)) || announced.size > trailers.size)
    throw new S3Error('InvalidRequest', 'The trailers are not those that x-amz-trailer announces.')
  if (init.trailers !== undefined && init.seed !== undefined) {
    const lines = [...trailers].map(([name, value]) => `${name}:${value}\n`).join('')
    const { key, timestamp, scope } = init.seed
    const text = ['AWS4-HMAC-SHA256-TRAILER', timestamp, scope, previous, sha256Hex(lines)].join('\n')
    if (!sameSignature(sign(key, text), given ?? '')) throw new S3Error('SignatureDoesNotMatch')
  }
  init.onTrailers(trailers)
}

/** All lines up to the end. Clients differ in empty ones and in how lines end, which the signature does not cover. */
async function readTrailers(reader: ByteReader): Promise<Map<string, string>> {
  const trailers = new Map<string, string>()
  let left = MAX_TRAILER_BYTES
  while (!(await reader.atEnd())) {
    const line = await reader.line(left, true)
    if (line === undefined) throw malformed()
    left -= line.length + 2
    if (left < 0) throw malformed()
    if (line === '') continue
    const at = line.indexOf(':')
    const name = line.slice(0, Math.max(at, 0)).trim().toLowerCase()
    if (name === '' || trailers.has(name)) throw malformed()
    trailers.set(name, line.slice(at + 1).trim())
  }
  return trailers
}

function readChunkLine(line: string | undefined, signed: boolean): { size: number; signature: string | undefined } {
  if (line === undefined) throw new S3Error('IncompleteBody')
  const match = /^([0-9a-fA-F]{1,10})(?:;chunk-signature=([0-9a-f]{64}))?$/.exec(line)
  if (match?.[1] === undefined || (match[2] !== undefined) !== signed) throw malformed()
  const size = Number.parseInt(match[1], 16)
  if (size > MAX_PUT_BYTES) throw new S3Error('EntityTooLarge')
  return { size, signature: match[2] }
}

function checkChunk(seed: SignatureSeed, previous: string, hash: string, given: string): void {
  const text = ['AWS4-HMAC-SHA256-PAYLOAD', seed.timestamp, seed.scope, previous, EMPTY_SHA256, hash].join('\n')
  if (!sameSignature(sign(seed.key, text), given)) throw new S3Error('SignatureDoesNotMatch')
}

function malformed(): S3Error {
  return new S3Error('InvalidRequest', 'The body is not aws-chunked as its headers say.')
}
