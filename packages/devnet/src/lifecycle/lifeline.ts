import { rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { once } from 'node:events'

/**
 * The unix socket that nodes of a foreground devnet hold open: the kernel closes it when this process ends, by
 * whatever cause, SIGKILL included, and each node exits when its connection closes. No node outlives its parent.
 */
export class Lifeline implements AsyncDisposable {
  readonly path: string
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(path: string, server: Server) {
    this.path = path
    this.#server = server
  }

  /** Listens, in place of a socket file that a killed predecessor left. */
  static async listen(path: string): Promise<Lifeline> {
    rmSync(path, { force: true })
    const server = createServer()
    const lifeline = new Lifeline(path, server)
    server.on('connection', (socket) => {
      lifeline.#sockets.add(socket)
      socket.on('close', () => lifeline.#sockets.delete(socket))
      // A node that is killed resets its connection; there is nothing to do about that here.
      socket.on('error', () => socket.destroy())
      socket.resume()
    })
    server.listen(path)
    await once(server, 'listening')
    return lifeline
  }

  /** Lets go of every node: each ends by itself. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    if (!this.#server.listening) return
    this.#server.close()
    await once(this.#server, 'close')
  }
}
