import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Clock, abortError } from '@weft/core'
import { ClientPace } from './body/client-pace.ts'
import type { Answer } from './exchange.ts'
import { LEFT_MS, MAX_LEFT_BYTES } from './limits.ts'
import { S3Error } from './s3-error.ts'
import { writeErrorXml } from './xml/write-xml.ts'

/** Of an answer that is a text, bytes. */
const PIECE = 64 * 1024
const NOTHING = new Uint8Array()

export interface RequestIds {
  readonly request: string
  readonly host: string
}

export interface Line {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly ids: RequestIds
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** The answer that an error is. @param resource the path that was asked for */
export function errorAnswer(error: S3Error, resource: string, ids: RequestIds): Answer {
  if (error.status === 304) return { status: 304, headers: error.headers }
  const body = writeErrorXml([
    ['Code', error.code],
    ['Message', error.message],
    ...Object.entries(error.fields),
    ['Resource', resource],
    ['RequestId', ids.request],
    ['HostId', ids.host],
  ])
  return { status: error.status, headers: { 'content-type': 'application/xml', ...error.headers }, body }
}

/** Sends the answer, at the pace of the client. @throws S3Error RequestTimeout, or why its bytes could not be had: then it is cut off */
export async function sendAnswer(line: Line, { status, headers = {}, body }: Answer): Promise<void> {
  const { request, response, ids } = line
  const left = !request.complete
  response.writeHead(status, {
    ...lengthOf(status, request.method, body),
    ...headers,
    'x-amz-request-id': ids.request,
    'x-amz-id-2': ids.host,
    ...(left ? { connection: 'close' } : {}),
  })
  if (request.method !== 'HEAD' && status !== 204 && status !== 304) {
    // Sends the head with its characters as bytes, which flushHeaders() would write in UTF-8 once more; end() does as well.
    response.write(NOTHING)
    if (body !== undefined) await sendBytes(line, typeof body === 'string' ? piecesOf(body) : body)
  }
  // Closed with bytes unread, a connection is reset, and the client may lose the answer.
  if (left) await readLeft(line)
  response.end()
  await taken(line)
}

/** Until the system has all of the answer: what nobody takes is not kept for long. @throws S3Error RequestTimeout */
async function taken({ response, clock, signal }: Line): Promise<void> {
  if (response.writableFinished) return
  await new ClientPace(clock).wait(once(response, 'finish', { signal }), () => 0)
}

function piecesOf(text: string): { readonly length: number; readonly bytes: AsyncIterable<Uint8Array> } {
  const whole = Buffer.from(text, 'utf8')
  async function* bytes(): AsyncIterable<Uint8Array> {
    for (let at = 0; at < whole.length; at += PIECE) yield whole.subarray(at, at + PIECE)
  }
  return { length: whole.length, bytes: bytes() }
}

function lengthOf(status: number, method: string | undefined, body: Answer['body']): Record<string, string> {
  if (status === 204 || status === 304) return {}
  if (typeof body === 'string') return { 'content-length': String(Buffer.byteLength(body, 'utf8')) }
  if (body !== undefined) return { 'content-length': String(body.length) }
  return method === 'HEAD' ? {} : { 'content-length': '0' }
}

async function sendBytes(
  { response, clock, signal }: Line,
  body: Exclude<Answer['body'], string | undefined>,
): Promise<void> {
  const pace = new ClientPace(clock)
  let sent = 0
  let held = 0
  for await (const piece of body.bytes) {
    if (signal.aborted) throw abortError(signal)
    sent += piece.length
    if (sent > body.length) throw new S3Error('InternalError')
    held += piece.length
    if (response.write(piece)) continue
    const taken = held
    held = 0
    await pace.wait(once(response, 'drain', { signal }), () => taken)
  }
  if (sent !== body.length) throw new S3Error('InternalError')
}

async function readLeft({ request, clock }: Line): Promise<void> {
  if (request.destroyed || request.complete) return
  let bytes = 0
  const { promise, resolve } = Promise.withResolvers<void>()
  const cancel = clock.after(LEFT_MS, resolve)
  const onData = (piece: Uint8Array): void => {
    bytes += piece.length
    if (bytes > MAX_LEFT_BYTES) resolve()
  }
  request.on('data', onData).once('end', resolve).once('close', resolve).once('error', resolve)
  request.resume()
  await promise
  cancel()
  request.off('data', onData)
}

/** The bytes of a request, at the pace of the client; `100 Continue` goes out when they are first asked for. */
export async function* readWire(line: Line, expectsContinue: boolean): AsyncIterable<Uint8Array> {
  const { request, response, clock, signal } = line
  const pace = new ClientPace(clock)
  if (expectsContinue) response.writeContinue()
  // The request stays open for its answer, however the reading ends.
  const pieces = request.iterator({ destroyOnReturn: false })
  for (;;) {
    if (signal.aborted) throw new S3Error('IncompleteBody')
    const piece = await pace.wait(next(pieces), ({ value }) => (value instanceof Uint8Array ? value.length : 0))
    if (piece.done === true) return
    yield piece.value as Uint8Array
  }
}

/** A connection that breaks off is a body that is not whole. */
async function next(pieces: AsyncIterator<unknown>): Promise<IteratorResult<unknown>> {
  try {
    return await pieces.next()
  } catch {
    throw new S3Error('IncompleteBody')
  }
}
