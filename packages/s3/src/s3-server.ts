import { once } from 'node:events'
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { type Clock, type Logger, isWeftError, messageOf, systemRandom, toHex } from '@weft/core'
import type { Buckets } from '@weft/storage'
import { type Line, errorAnswer, readWire, sendAnswer } from './answer-client.ts'
import { authenticate } from './auth/authenticate.ts'
import type { Credentials } from './auth/credentials.ts'
import { RequestBody } from './body/request-body.ts'
import { checksumNameOf, runningChecksum } from './checksum/checksum.ts'
import { Connections } from './connections.ts'
import { type Answer, type Owner, letGo } from './exchange.ts'
import { type Headers, isHeaderName, readHeaders } from './http/headers.ts'
import type { Query } from './http/query.ts'
import { readTarget } from './http/target.ts'
import { MAX_HEADERS, MAX_HEAD_BYTES } from './limits.ts'
import { type Place, RequestPlaces } from './request-places.ts'
import { route } from './router.ts'
import { S3Error } from './s3-error.ts'
import { toS3Error } from './translate-fault.ts'

export interface S3ServerInit {
  readonly host: string
  /** 0 for a free one. */
  readonly port: number
  readonly buckets: Buckets
  readonly credentials: Credentials
  readonly owner: Owner
  /** What clients are told; they may sign for any. Default us-east-1. */
  readonly region?: string
  /** Names below which the first label is a bucket, in lower case; default `localhost` and `s3.localhost`. */
  readonly domains?: readonly string[]
  readonly clock: Clock
  readonly logger: Logger
  /** Called for each answer that was sent, or begun. */
  readonly onAnswer?: (method: string, status: number) => void
}

const HEADERS_MS = 20_000
const KEEP_ALIVE_MS = 60_000
/** Of a presigned URL, what says how it is signed; all else is a header that stands there. */
const OF_SIGNATURE = /^x-amz-(algorithm|credential|date|expires|signedheaders|signature|security-token|content-sha256)$/

/** S3 over HTTP, in front of one person's buckets (docs/specs/s3.md). */
export class S3Server implements AsyncDisposable {
  readonly port: number
  readonly #init: S3ServerInit
  readonly #server: Server
  readonly #closing = new AbortController()
  readonly #hostId = toHex(systemRandom.bytes(24))
  readonly #connections: Connections
  readonly #places = new RequestPlaces()

  /** @throws the error of the system: EADDRINUSE, EACCES, … */
  static async open(init: S3ServerInit): Promise<S3Server> {
    const server = createServer({
      maxHeaderSize: MAX_HEAD_BYTES,
      headersTimeout: HEADERS_MS,
      // Bodies are bounded by their pace, not by their whole time.
      requestTimeout: 0,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: 5_000,
      highWaterMark: 256 * 1024,
    })
    server.maxHeadersCount = MAX_HEADERS + 1
    server.listen({ host: init.host, port: init.port, exclusive: true })
    await once(server, 'listening')
    return new S3Server(init, server)
  }

  private constructor(init: S3ServerInit, server: Server) {
    this.#init = init
    this.#server = server
    this.port = (server.address() as AddressInfo).port
    this.#connections = new Connections(server)
    const serve = (request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void =>
      void this.#connections.inTurn(request.socket, () => this.#serve(request, response, expectsContinue))
    server.on('request', (request, response) => serve(request, response, false))
    server.on('checkContinue', (request, response) => serve(request, response, true))
    // Other expectations are none of HTTP's, and passed over, as S3 does.
    server.on('checkExpectation', (request, response) => serve(request, response, false))
    server.on('clientError', refuse)
  }

  /** Under way, of those whose signature was right. */
  get requests(): number {
    return this.#places.taken
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort()
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }

  async #serve(request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): Promise<void> {
    const gone = new AbortController()
    const line: Line = {
      request,
      response,
      ids: { request: toHex(systemRandom.bytes(8)).toUpperCase(), host: this.#hostId },
      clock: this.#init.clock,
      signal: AbortSignal.any([gone.signal, this.#closing.signal]),
    }
    response.once('close', () => {
      if (!response.writableFinished) gone.abort()
    })
    // A connection that breaks is heard of where it is read or written.
    request.on('error', () => {})
    response.on('error', () => {})
    using held = new DisposableStack()
    try {
      const answer = await this.#answer(line, expectsContinue, (place) => held.use(place))
      try {
        await sendAnswer(line, answer)
      } finally {
        if (typeof answer.body === 'object') await letGo(answer.body.bytes)
      }
    } catch (error) {
      await this.#fail(line, error)
    } finally {
      if (response.headersSent) this.#init.onAnswer?.(request.method ?? '', response.statusCode)
    }
  }

  /** @param hold the place of the request is given back when it is answered. */
  async #answer(line: Line, expectsContinue: boolean, hold: (place: Place) => Place): Promise<Answer> {
    const { request } = line
    const {
      buckets,
      credentials,
      owner,
      clock,
      region = 'us-east-1',
      domains = ['s3.localhost', 'localhost'],
    } = this.#init
    const raw = readHeaders(request.rawHeaders)
    const method = request.method ?? ''
    const { path, query, bucket, key } = readTarget(request.url ?? '', raw.get('host') ?? '', domains)
    const caller = authenticate({ method, path, query, headers: raw }, credentials, clock.now())
    this.#connections.prove(request.socket)
    const place = hold(this.#places.take(caller.credential.accessKeyId))
    const headers = caller.presigned ? withQuery(raw, query) : raw
    const completes = method === 'POST' && query.has('uploadId')
    const ofBody = completes ? withoutChecksums(headers) : headers
    const body = new RequestBody(ofBody, caller, readWire(line, expectsContinue))
    return route(
      { buckets, owner, region, method, path, query, headers, caller, body, place, signal: line.signal },
      bucket,
      key,
    )
  }

  async #fail(line: Line, error: unknown): Promise<void> {
    const { request, response, ids } = line
    if (line.signal.aborted) {
      // Nobody is there any more.
      response.destroy()
      return
    }
    const told = toS3Error(error)
    if (told.status >= 500) this.#log(line, told, error)
    if (response.headersSent || response.destroyed) {
      // The length was promised: only a broken connection says that this is not all.
      response.destroy()
      return
    }
    try {
      await sendAnswer(line, errorAnswer(told, resourceOf(request.url ?? ''), ids))
    } catch {
      response.destroy()
    }
  }

  /** Neither keys of objects nor anything of the signature. */
  #log({ request, ids }: Line, told: S3Error, error: unknown): void {
    this.#init.logger.warn('an S3 request failed', {
      request: ids.request,
      method: request.method,
      answer: told.code,
      code: isWeftError(error) ? error.code : undefined,
      cause: messageOf(error),
    })
  }
}

/** Presigners move headers into the URL, where the signature covers them as well. @throws S3Error InvalidArgument */
function withQuery(headers: Headers, query: Query): Headers {
  const all = new Map(headers)
  for (const [name, value] of query.entries) {
    const lower = name.toLowerCase()
    if (!lower.startsWith('x-amz-') || OF_SIGNATURE.test(lower) || all.has(lower)) continue
    if (!isHeaderName(lower)) throw new S3Error('InvalidArgument', 'A parameter of the URL is no name of a header.')
    if (isOfNothing(lower, value) && headers.get('content-length') !== '0') continue
    all.set(lower, Buffer.from(value, 'utf8').toString('latin1'))
  }
  return all
}

/** Those of a completion are of the object that it makes, not of the document that says so. */
function withoutChecksums(headers: Headers): Headers {
  return new Map([...headers].filter(([name]) => !name.startsWith('x-amz-checksum-')))
}

/** SDKs that presign an upload have no body yet, and put the checksum of no bytes into the URL: it is of no upload. */
function isOfNothing(name: string, value: string): boolean {
  const checksum = checksumNameOf(name.replace('x-amz-checksum-', ''))
  return checksum !== undefined && runningChecksum(checksum).digest() === value
}

/** The path alone: a query may hold a signature. */
function resourceOf(url: string): string {
  return url.split('?', 1)[0] ?? ''
}

/** What is no HTTP, or too much of it. */
function refuse(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy()
    return
  }
  const status = error.code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request'
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy())
}
