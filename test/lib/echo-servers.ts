import { createHash } from 'node:crypto'
import { type Server as HttpServer, createServer as createHttpServer } from 'node:http'
import { type Server, type Socket, createServer } from 'node:net'
import type { Duplex } from 'node:stream'

/** RFC 6455, section 1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const TEXT = 0x81
const CLOSE = 0x88

/** Sends every byte back as it comes, as a shell echoes keys. */
export function echoServer(): Server {
  return createServer({ noDelay: true }, (socket: Socket) => {
    socket.on('error', () => {})
    socket.pipe(socket)
  })
}

/** A page, and a WebSocket (RFC 6455) that sends every text back; frames below 126 bytes only. */
export function webSocketEchoServer(): HttpServer {
  const server = createHttpServer((_, response) =>
    response.setHeader('content-type', 'text/html').end('<!doctype html>'),
  )
  server.on('upgrade', ({ headers }, socket: Duplex) => {
    const accept = createHash('sha1')
      .update(headers['sec-websocket-key'] + GUID)
      .digest('base64')
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    )
    let rest: Buffer = Buffer.alloc(0)
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk])
      for (let frame = takeFrame(rest); frame !== undefined; frame = takeFrame(rest)) {
        rest = rest.subarray(6 + frame.payload.length)
        socket.write(Buffer.from([frame.kind, frame.payload.length, ...frame.payload]))
        if (frame.kind === CLOSE) socket.end()
        else if (frame.kind !== TEXT) socket.destroy()
      }
    })
  })
  return server
}

/** A client's frame is masked (RFC 6455, section 5.3). */
function takeFrame(bytes: Buffer): { readonly kind: number; readonly payload: Uint8Array } | undefined {
  const length = (bytes[1] ?? 0) & 127
  if (bytes.length < 6 + length) return undefined
  const mask = bytes.subarray(2, 6)
  const payload = bytes.subarray(6, 6 + length).map((byte, at) => byte ^ (mask[at % 4] as number))
  return { kind: bytes[0] as number, payload }
}
