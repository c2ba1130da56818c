import { once } from 'node:events'
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const CHUNK = Buffer.alloc(256 * 1024, 'weft')

/** An HTTP server, by default on loopback: GET /N answers with N bytes, PUT swallows and answers with their number. */
export class HttpTarget implements AsyncDisposable {
  readonly #server: Server
  #sent = 0

  private constructor() {
    this.#server = createServer((request, response) => {
      if (request.method === 'GET') this.#send(request, response)
      else swallow(request, response)
    })
  }

  static async listen(host = '127.0.0.1', port = 0): Promise<HttpTarget> {
    const target = new HttpTarget()
    target.#server.listen(port, host)
    await once(target.#server, 'listening')
    return target
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Bytes handed to sockets in all answers so far. */
  get sent(): number {
    return this.#sent
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close()
    this.#server.closeAllConnections()
    await once(this.#server, 'close')
  }

  #send(request: IncomingMessage, response: ServerResponse): void {
    let left = Number(request.url?.slice(1))
    response.writeHead(200, { 'content-length': left })
    const more = (): void => {
      while (left > 0 && !response.destroyed) {
        const chunk = left < CHUNK.length ? CHUNK.subarray(0, left) : CHUNK
        left -= chunk.length
        this.#sent += chunk.length
        if (!response.write(chunk)) return
      }
      response.end()
    }
    response.on('drain', more)
    more()
  }
}

function swallow(request: IncomingMessage, response: ServerResponse): void {
  let bytes = 0
  request.on('data', (chunk: Buffer) => (bytes += chunk.length))
  request.on('end', () => response.end(String(bytes)))
}
