import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { HyperDhtNetwork } from './hyperdht-network.ts'
import { KadDhtNetwork } from './kad-dht-network.ts'
import type { RealNetwork } from './real-network.ts'
import { WeftNetwork } from './weft-network.ts'

const NETWORKS = { weft: WeftNetwork, hyperdht: HyperDhtNetwork, 'kad-dht': KadDhtNetwork } as const
type NetworkName = keyof typeof NETWORKS
export type Operation = Exclude<keyof RealNetwork, symbol>

interface Reply {
  /** What one operation took; of the start nothing. */
  readonly ms?: number
  readonly error?: string
}

/** A network with all its nodes in a process of its own, so that what the others do at rest is not on its thread. */
export class NetworkProcess implements AsyncDisposable {
  readonly #child: ChildProcess

  private constructor(child: ChildProcess) {
    this.#child = child
  }

  static async start(name: NetworkName): Promise<NetworkProcess> {
    const network = new NetworkProcess(fork(join(import.meta.dirname, 'network-process.ts'), [name]))
    try {
      await network.#reply()
      return network
    } catch (error) {
      await network[Symbol.asyncDispose]()
      throw error
    }
  }

  /** ms that one operation takes. */
  async measure(operation: Operation): Promise<number> {
    this.#child.send(operation)
    return (await this.#reply()).ms ?? Number.NaN
  }

  async #reply(): Promise<Reply> {
    const over = new AbortController()
    const { signal } = over
    const exit = once(this.#child, 'exit', { signal }).then(() => [{ error: 'the process ended' }])
    const message = once(this.#child, 'message', { signal })
    try {
      const [reply] = (await Promise.race([message, exit])) as [Reply]
      if (reply.error !== undefined) throw new TypeError(reply.error)
      return reply
    } finally {
      over.abort()
      await Promise.allSettled([message, exit])
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.disconnect()
    await ended
  }
}

async function serve(name: NetworkName): Promise<void> {
  const tell = (reply: Reply): void => void process.send?.(reply)
  const end = (): void => process.exit()
  // Before there is a network as well: nobody else would end what is half started.
  process.on('disconnect', end)
  try {
    const network: RealNetwork = await NETWORKS[name].start()
    process.off('disconnect', end)
    process.on('disconnect', () => void network[Symbol.asyncDispose]().then(end, end))
    process.on('message', (operation) => {
      const start = performance.now()
      network[operation as Operation]().then(
        () => tell({ ms: performance.now() - start }),
        (error: unknown) => tell({ error: String(error) }),
      )
    })
    tell({})
  } catch (error) {
    tell({ error: String(error) })
  }
}

if (process.argv[1] === import.meta.filename) await serve(process.argv[2] as NetworkName)
