import { type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { abortError, WeftError } from '@weft/core'
import { MAX_SOCKET_PATH } from '../lifecycle/devnet-directory.ts'
import { apiErrorOf } from './api-error.ts'
import { EventStreamParser, type ServerEvent } from './event-stream.ts'

/** Bytes; the longest JSON answer that is read (a map of 10,000 members is 4 MB). */
const MAX_JSON = 64 * 1024 * 1024

export interface RequestOptions {
  readonly signal?: AbortSignal | undefined
}

export interface Download {
  /** Bytes that the daemon announced. */
  readonly size: number
  readonly object: string | undefined
  /** @throws WeftError E_BODY_TRUNCATED when the daemon broke off before `size` bytes. */
  readonly body: AsyncIterable<Uint8Array>
}

/** A body whose length is not known before its end. */
export interface DownloadStream {
  /** About how many bytes come. */
  readonly expected: number
  /** @throws WeftError E_STREAM_TRUNCATED when the daemon broke off before the end. */
  readonly body: AsyncIterable<Uint8Array>
}

export interface Upload {
  readonly source: AsyncIterable<Uint8Array>
  /** Bytes, where known. */
  readonly size?: number | undefined
}

/**
 * The HTTP API of one daemon over the unix socket in its home. Faults of the daemon come as ApiError; a daemon that
 * is not there as E_DAEMON_NOT_RUNNING, one that may not be asked as E_NOT_PERMITTED.
 */
export class ApiClient {
  readonly home: string
  readonly #socketPath: string

  /** @throws WeftError E_SOCKET_PATH */
  constructor(home: string) {
    this.home = home
    this.#socketPath = join(home, 'api.sock')
    const length = Buffer.byteLength(this.#socketPath)
    if (length > MAX_SOCKET_PATH) throw socketPathTooLong(this.#socketPath, length)
  }

  /** One JSON call. `body` is sent as JSON. @throws ApiError and what the class says */
  async json<T>(
    method: 'GET' | 'PUT' | 'POST' | 'DELETE',
    path: string,
    body?: unknown,
    options: RequestOptions = {},
  ): Promise<T> {
    const payload = body === undefined ? undefined : JSON.stringify(body)
    const headers =
      payload === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }
    const response = await this.#send(method, path, headers, options.signal, (request) => request.end(payload))
    const text = await this.#text(response, options.signal)
    if (response.statusCode === undefined || response.statusCode >= 300)
      throw apiErrorOf(response.statusCode ?? 0, text)
    return (text === '' ? undefined : JSON.parse(text)) as T
  }

  /** The status and the body of any answer, healthy or not (/readyz tells its checks with 503). */
  async probe(path: string, options: RequestOptions = {}): Promise<{ readonly status: number; readonly body: string }> {
    const response = await this.#send('GET', path, {}, options.signal, (request) => request.end())
    return { status: response.statusCode ?? 0, body: await this.#text(response, options.signal) }
  }

  /** Streams a body up, with back-pressure. Aborting the signal breaks the upload off: nothing of it is kept. */
  async upload<T>(path: string, upload: Upload, options: RequestOptions = {}): Promise<T> {
    // Who asks for the connection to be closed gets it closed behind an early refusal, and may then fail to write before it has read why.
    const headers: Record<string, string | number> = {
      'content-type': 'application/octet-stream',
      connection: 'keep-alive',
    }
    if (upload.size !== undefined) headers['content-length'] = upload.size
    let failure: unknown
    let sending: ClientRequest | undefined
    const response = await this.#send('PUT', path, headers, options.signal, (request) => {
      sending = request
      pipeline(upload.source, request).catch((error: unknown) => {
        failure = error
        request.destroy()
      })
    }).catch((error: unknown) => {
      // A source that failed is the reason; that the request then broke off is its consequence.
      throw isSourceFailure(failure) ? failure : error
    })
    const text = await this.#text(response, options.signal)
    // What is left of a body that is refused already is nobody's.
    sending?.destroy()
    if (response.statusCode === undefined || response.statusCode >= 300)
      throw apiErrorOf(response.statusCode ?? 0, text)
    return JSON.parse(text) as T
  }

  /** @param options `from`: the body is what follows so many bytes of it. @throws WeftError E_API_ANSWER when the daemon gives no parts */
  async download(path: string, options: RequestOptions & { readonly from?: number } = {}): Promise<Download> {
    const { from = 0 } = options
    const headers = from === 0 ? {} : { range: `bytes=${from}-` }
    const response = await this.#send('GET', path, headers, options.signal, (request) => request.end())
    const { statusCode = 0 } = response
    if (statusCode >= 300) throw apiErrorOf(statusCode, await this.#text(response, options.signal))
    if (statusCode !== (from === 0 ? 200 : 206)) {
      response.destroy()
      throw new WeftError({
        code: 'E_API_ANSWER',
        cause: `The daemon answered with ${statusCode} where a part of an object was asked for.`,
        fix: 'Run the CLI and the daemon of one version.',
      })
    }
    const object = response.headers['weft-object']
    const size = Number(response.headers['content-length'])
    return {
      size,
      object: typeof object === 'string' ? object : undefined,
      body: exactBody(response, size, options.signal),
    }
  }

  async downloadStream(path: string, options: RequestOptions = {}): Promise<DownloadStream> {
    const response = await this.#send('GET', path, {}, options.signal, (request) => request.end())
    if (response.statusCode !== 200)
      throw apiErrorOf(response.statusCode ?? 0, await this.#text(response, options.signal))
    const expected = Number(response.headers['weft-expected-bytes'])
    return { expected, body: chunkedBody(response, options.signal) }
  }

  /** Events as they happen, from now on. Ends when the daemon closes the stream. */
  async *events(options: RequestOptions = {}): AsyncGenerator<ServerEvent> {
    const response = await this.#send(
      'GET',
      '/api/v1/events',
      { accept: 'text/event-stream' },
      options.signal,
      (request) => request.end(),
    )
    if (response.statusCode !== 200)
      throw apiErrorOf(response.statusCode ?? 0, await this.#text(response, options.signal))
    const parser = new EventStreamParser()
    response.setEncoding('utf8')
    try {
      for await (const text of response) yield* parser.push(text as string)
    } catch (error) {
      throw options.signal?.aborted === true ? abortError(options.signal) : error
    } finally {
      response.destroy()
    }
  }

  async #text(response: IncomingMessage, signal: AbortSignal | undefined): Promise<string> {
    try {
      return await readText(response)
    } catch (error) {
      if (signal?.aborted === true) throw abortError(signal)
      throw error instanceof WeftError ? error : connectionError(error as NodeJS.ErrnoException, this.home)
    }
  }

  #send(
    method: string,
    path: string,
    headers: Record<string, string | number>,
    signal: AbortSignal | undefined,
    write: (request: ClientRequest) => void,
  ): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(abortError(signal))
        return
      }
      const request = httpRequest({
        socketPath: this.#socketPath,
        method,
        path,
        headers: { host: 'localhost', accept: 'application/json', ...headers },
        agent: false,
        ...(signal && { signal }),
      })
      request.once('response', resolve)
      request.once('error', (error: NodeJS.ErrnoException) => {
        reject(signal?.aborted === true ? abortError(signal) : connectionError(error, this.home))
      })
      write(request)
    })
  }
}

function socketPathTooLong(path: string, length: number): WeftError {
  return new WeftError({
    code: 'E_SOCKET_PATH',
    cause: `The path of the API socket, ${path}, has ${length} bytes; the system allows ${MAX_SOCKET_PATH}.`,
    fix: `Choose a home whose path is at least ${length - MAX_SOCKET_PATH} bytes shorter (--home or WEFT_HOME).`,
    details: { path, length, limit: MAX_SOCKET_PATH },
  })
}

function isSourceFailure(failure: unknown): boolean {
  // The request's own end (the daemon answered early, or the connection broke) also ends the pipeline.
  const code = (failure as NodeJS.ErrnoException | undefined)?.code
  return (
    failure !== undefined &&
    !['ERR_STREAM_PREMATURE_CLOSE', 'EPIPE', 'ECONNRESET', 'ABORT_ERR', 'ERR_STREAM_DESTROYED'].includes(code ?? '')
  )
}

function connectionError(error: NodeJS.ErrnoException, home: string): WeftError {
  if (error.code === 'EACCES' || error.code === 'EPERM') {
    return new WeftError({
      code: 'E_NOT_PERMITTED',
      cause: `This user may not talk to the daemon of ${home}.`,
      fix: 'Run the command as the user that runs the daemon.',
      origin: error,
    })
  }
  if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED' || error.code === 'ENOTDIR') {
    return new WeftError({
      code: 'E_DAEMON_NOT_RUNNING',
      cause: `No daemon runs in ${home}.`,
      fix: 'Start one: weft start, or a whole network on this machine: weft devnet up. Another home is named with --home or WEFT_HOME.',
      origin: error,
    })
  }
  return new WeftError({
    code: 'E_DAEMON_GONE',
    cause: `The daemon of ${home} broke off (${error.code ?? error.message}).`,
    fix: 'See whether it still runs: weft status; its log is in the logs directory of its home.',
    retryable: true,
    origin: error,
  })
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > MAX_JSON) {
      response.destroy()
      throw new WeftError({
        code: 'E_API_ANSWER',
        cause: `The daemon's answer is over ${MAX_JSON} bytes.`,
        fix: 'Run the CLI and the daemon of one version.',
      })
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

async function* exactBody(
  response: IncomingMessage,
  size: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  let received = 0
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      received += chunk.length
      yield chunk
    }
  } catch (error) {
    if (signal?.aborted === true) throw abortError(signal)
    throw truncated(received, size, error)
  }
  if (received !== size) throw truncated(received, size, undefined)
}

async function* chunkedBody(response: IncomingMessage, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) yield chunk
  } catch (error) {
    if (signal?.aborted === true) throw abortError(signal)
    throw streamTruncated(error)
  }
  // A connection that was cut may end the stream without an error.
  if (!response.complete) throw streamTruncated(undefined)
}

function streamTruncated(origin: unknown): WeftError {
  return new WeftError({
    code: 'E_STREAM_TRUNCATED',
    cause: 'The daemon broke off before the end.',
    fix: 'See its log, and weft check; then run the command again.',
    retryable: true,
    origin,
  })
}

function truncated(received: number, size: number, origin: unknown): WeftError {
  return new WeftError({
    code: 'E_BODY_TRUNCATED',
    cause: `The daemon broke off after ${received} of ${size} bytes.`,
    fix: 'See which holders are gone: weft stat REF.',
    retryable: true,
    details: { received, size },
    origin,
  })
}
