import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { MAX_CONNECTIONS, MAX_IN_A_ROW } from './limits.ts'

interface Row {
  requests: number
  last: Promise<void>
}

/**
 * The connections of a server. Where there are too many, the oldest of those that have not proven a key yet goes for one
 * that is new: whoever has a key proves it at once. Requests that come in a row on one are served one after the other.
 */
export class Connections {
  readonly #unproven = new Set<Socket>()
  readonly #rows = new WeakMap<Socket, Row>()
  #count = 0

  constructor(server: Server) {
    server.on('connection', (socket: Socket) => this.#add(socket))
  }

  /** A request on it was signed by a key that is there. */
  prove(socket: Socket): void {
    this.#unproven.delete(socket)
  }

  /** Runs a request when those before it on its connection are over; too many that wait end the connection. */
  async inTurn(socket: Socket, task: () => Promise<void>): Promise<void> {
    const row = this.#rows.get(socket) ?? { requests: 0, last: Promise.resolve() }
    this.#rows.set(socket, row)
    if (row.requests > MAX_IN_A_ROW) socket.destroy()
    if (socket.destroyed) return
    row.requests++
    const before = row.last
    const { promise, resolve } = Promise.withResolvers<void>()
    row.last = promise
    try {
      await before
      if (!socket.destroyed) await task()
    } finally {
      row.requests--
      resolve()
    }
  }

  #add(socket: Socket): void {
    this.#count++
    this.#unproven.add(socket)
    socket.once('close', () => {
      this.#count--
      this.#unproven.delete(socket)
    })
    if (this.#count <= MAX_CONNECTIONS) return
    for (const oldest of this.#unproven) {
      oldest.destroy()
      return
    }
  }
}
