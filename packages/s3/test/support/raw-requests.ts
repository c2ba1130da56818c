import { once } from 'node:events'
import { type Socket, connect } from 'node:net'
import { canonicalRequest, stringToSign } from '../../src/auth/canonical-request.ts'
import { sign, signingKey } from '../../src/auth/signing.ts'
import { readTarget } from '../../src/http/target.ts'
import type { TestServer } from './open-server.ts'

/** The head of a signed request, as bytes would go out. */
export function signedHead(
  server: TestServer,
  method: string,
  url: string,
  headers: Readonly<Record<string, string>> = {},
  unsigned: Readonly<Record<string, string>> = {},
): { readonly text: string; readonly signature: string } {
  const { accessKeyId, secretAccessKey } = server.keys.all
  const timestamp = `${new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`
  const all = new Map(
    Object.entries({
      host: `127.0.0.1:${server.port}`,
      'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
      'x-amz-date': timestamp,
      ...headers,
    }),
  )
  const signedHeaders = [...all.keys()].toSorted()
  const { path, query } = readTarget(url, '', [])
  const scope = `${timestamp.slice(0, 8)}/anywhere/s3/aws4_request`
  const payload = all.get('x-amz-content-sha256') ?? ''
  const canonical = canonicalRequest({ method, path, query, headers: all, signedHeaders, payload })
  const key = signingKey(secretAccessKey, timestamp.slice(0, 8), 'anywhere', 's3')
  const signature = sign(key, stringToSign(timestamp, scope, canonical))
  all.set(
    'authorization',
    `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${signedHeaders.join(';')}, Signature=${signature}`,
  )
  const lines = [...all, ...Object.entries(unsigned)].map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return { text: `${method} ${url} HTTP/1.1\r\n${lines}\r\n`, signature }
}

export async function openSocket(server: TestServer): Promise<Socket> {
  const socket = connect(server.port, '127.0.0.1')
  await once(socket, 'connect')
  return socket
}

/** All that comes until the other side closes. */
export async function rest(socket: Socket): Promise<string> {
  let out = ''
  socket.on('data', (data) => (out += data.toString('latin1')))
  socket.on('error', () => {})
  await once(socket, 'close')
  return out
}

/** For requests that say `connection: close`: whoever hangs up its own half is not waited for. */
export async function answerOf(server: TestServer, text: string): Promise<string> {
  const socket = await openSocket(server)
  const answer = rest(socket)
  socket.write(text, 'latin1')
  return answer
}

export async function rawAnswer(server: TestServer, text: string): Promise<string> {
  const socket = await openSocket(server)
  const answer = rest(socket)
  socket.end(text, 'latin1')
  return answer
}
