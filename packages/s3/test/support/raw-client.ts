import { once } from 'node:events'
import { type Socket, connect } from 'node:net'
import { canonicalRequest, stringToSign } from '../../src/auth/canonical-request.ts'
import type { Credential } from '../../src/auth/credentials.ts'
import { sign, signingKey } from '../../src/auth/signing.ts'
import { readTarget } from '../../src/http/target.ts'

export interface RawRequest {
  readonly port: number
  readonly key: Credential
  readonly method: string
  /** As it stands in the request line. */
  readonly url: string
  /** ms; of the signature. */
  readonly now: number
  readonly headers?: Readonly<Record<string, string>>
}

/** The bytes of a signed request up to its body, as nobody's library would write them. */
export function signedHead({ port, key, method, url, now, headers = {} }: RawRequest): string {
  const timestamp = timestampOf(now)
  const all = new Map(
    Object.entries({
      host: `127.0.0.1:${port}`,
      'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
      'x-amz-date': timestamp,
      ...headers,
    }),
  )
  const signedHeaders = [...all.keys()].toSorted()
  const { path, query } = readTarget(url, '', [])
  const payload = all.get('x-amz-content-sha256') ?? ''
  const canonical = canonicalRequest({ method, path, query, headers: all, signedHeaders, payload })
  const scope = scopeOf(timestamp)
  const credential = `Credential=${key.accessKeyId}/${scope}`
  const signature = signatureOf(key, timestamp, canonical)
  all.set(
    'authorization',
    `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=${signedHeaders.join(';')}, Signature=${signature}`,
  )
  const lines = [...all].map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return `${method} ${url} HTTP/1.1\r\n${lines}\r\n`
}

/** A presigned request up to its body. @param url with all parameters but those of the signature */
export function presignedHead({ port, key, method, url, now, headers = {} }: RawRequest): string {
  const timestamp = timestampOf(now)
  const credential = `${key.accessKeyId}/${scopeOf(timestamp)}`.replaceAll('/', '%2F')
  const parts = [
    'X-Amz-Algorithm=AWS4-HMAC-SHA256',
    `X-Amz-Credential=${credential}`,
    `X-Amz-Date=${timestamp}`,
    'X-Amz-Expires=60',
    'X-Amz-SignedHeaders=host',
  ]
  const unsigned = `${url}${url.includes('?') ? '&' : '?'}${parts.join('&')}`
  const { path, query } = readTarget(unsigned, '', [])
  const canonical = canonicalRequest({
    method,
    path,
    query,
    headers: new Map([['host', `127.0.0.1:${port}`]]),
    signedHeaders: ['host'],
    payload: 'UNSIGNED-PAYLOAD',
  })
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const signature = signatureOf(key, timestamp, canonical)
  return `${method} ${unsigned}&X-Amz-Signature=${signature} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n${lines.join('')}\r\n`
}

export async function openSocket(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

/** All that comes until the other side closes, a character for each byte. */
export async function allOf(socket: Socket): Promise<string> {
  const pieces: Buffer[] = []
  socket.on('data', (piece: Buffer) => pieces.push(piece))
  if (!socket.destroyed) await once(socket, 'close')
  return Buffer.concat(pieces).toString('latin1')
}

/** The answer to one request, after which the server closes. */
export async function answerTo(port: number, text: string): Promise<string> {
  const socket = await openSocket(port)
  const answer = allOf(socket)
  socket.end(text, 'latin1')
  return answer
}

function timestampOf(now: number): string {
  return `${new Date(now).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`
}

function scopeOf(timestamp: string): string {
  return `${timestamp.slice(0, 8)}/anywhere/s3/aws4_request`
}

function signatureOf(key: Credential, timestamp: string, canonical: string): string {
  const signing = signingKey(key.secretAccessKey, timestamp.slice(0, 8), 'anywhere', 's3')
  return sign(signing, stringToSign(timestamp, scopeOf(timestamp), canonical))
}
