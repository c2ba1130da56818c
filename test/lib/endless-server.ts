import { once } from 'node:events'
import { type Server, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'

/** Sends bytes to whoever asks, as fast as they are taken, until they go away. */
export class EndlessServer implements AsyncDisposable {
  readonly url: string
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  }

  static async start(): Promise<EndlessServer> {
    const server = createServer((_, response) => void Readable.from(bytes()).pipe(response)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new EndlessServer(server)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.closeAllConnections()
    this.#server.close()
    await closed
  }
}

function* bytes(): Generator<Buffer> {
  for (;;) yield Buffer.alloc(16 * 1024, 7)
}
