import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type PortOwner, portOwner, WeftError } from '@weft/core'

const HOST = '127.0.0.1'
/** Ports that the system gives are few and seldom the devnet's own: more tries mean that something else is wrong. */
const TRIES = 20

/** Where a request came from, as the server sees it. */
export interface Visit {
  readonly address: string
  readonly port: number
  /** The process at the other end; undefined where the system does not show it. */
  readonly owner: PortOwner | undefined
}

/** The tour's own HTTP server on loopback: one page, new each time, and who connected. */
export class TourServer implements AsyncDisposable {
  readonly page = `A page of the tour's own server, number ${randomBytes(8).toString('hex')}.\n`
  readonly visits: Visit[] = []
  readonly url: string
  readonly #server: Server

  private constructor(server: Server, port: number) {
    this.#server = server
    this.url = `http://${HOST}:${port}/`
    server.on('connection', ({ remoteAddress, remotePort }) => {
      // The other end is looked for while it is there.
      if (remoteAddress === undefined || remotePort === undefined) return
      this.visits.push({ address: remoteAddress, port: remotePort, owner: portOwner(remotePort, 'tcp', port) })
    })
    server.on('request', (_, response) => {
      response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' }).end(this.page)
    })
  }

  /** On a free port that `isReserved` does not claim: exits refuse the devnet's own. @throws WeftError E_TOUR_PORT */
  static async start(isReserved: (port: number) => boolean): Promise<TourServer> {
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const server = createServer().listen(0, HOST)
      await once(server, 'listening')
      const { port } = server.address() as AddressInfo
      if (!isReserved(port)) return new TourServer(server, port)
      server.close()
    }
    throw new WeftError({
      code: 'E_TOUR_PORT',
      cause: `The system offered ${TRIES} ports for the tour's own server, all of them the devnet's.`,
      fix: 'Start the network on other ports: npm start -- --base-port 7780',
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.closeAllConnections()
    this.#server.close()
    await closed
  }
}
