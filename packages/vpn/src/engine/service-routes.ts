import type { MessagePort } from 'node:worker_threads'
import { WeftError } from '@weft/core'
import { type DidKey, fromDidKey } from '@weft/crypto'
import type { ServicesStatus } from '../vpn.ts'
import type { ClientRoutes } from './client-routes.ts'
import type { FlushQueue } from './flush-queue.ts'
import { PortPipe } from './port-pipe.ts'

/** What a stream to a service of a member is asked for with. */
export interface ServiceRequest {
  /** Whose routes: a number that the asker gives, another for whatever is not to be linked. */
  readonly routes: number
  readonly member: DidKey
  readonly name: string
  /** Where the stream's bytes come and go. */
  readonly port: MessagePort
}

/** Routes at once: as many transfers as a daemon has under way, and some that end. */
const MAX_ROUTES = 64

/** Routes to services of members, those of each number apart from all others. */
export class ServiceRoutes {
  readonly #make: () => ClientRoutes
  readonly #queue: FlushQueue
  readonly #routes = new Map<number, ClientRoutes>()
  readonly #ended = { sent: 0, received: 0 }

  constructor(make: () => ClientRoutes, queue: FlushQueue) {
    this.#make = make
    this.#queue = queue
  }

  /** Begins routes, or waits until they are ready. @throws WeftError E_ROUTE_LIMIT and those of `ClientRoutes.ready` */
  async ready(routes: number): Promise<void> {
    await this.#of(routes).ready()
  }

  /** Resolves when the member's service took the stream. @throws WeftError E_ROUTE_LIMIT and those of `ClientRoutes.open` */
  async open({ routes: number, member, name, port }: ServiceRequest): Promise<void> {
    const gone = new AbortController()
    const onClose = (): void => gone.abort()
    port.once('close', onClose)
    try {
      const routes = this.#of(number)
      routes.call(member)
      const target = { host: name, port: 0, protocol: 'service', member: fromDidKey(member) } as const
      await routes.open(target, gone.signal, (stream, paths) => {
        port.off('close', onClose)
        const over = (): void => paths.forget(stream)
        new PortPipe(port, stream, this.#queue, () => paths.wake(), over)
      })
    } catch (error) {
      port.close()
      throw error
    }
  }

  end(number: number): void {
    const routes = this.#routes.get(number)
    this.#routes.delete(number)
    routes?.close()
    this.#ended.sent += routes?.bytes.sent ?? 0
    this.#ended.received += routes?.bytes.received ?? 0
  }

  get status(): ServicesStatus {
    let { sent: sentBytes, received: receivedBytes } = this.#ended
    let streams = 0
    for (const routes of this.#routes.values()) {
      sentBytes += routes.bytes.sent
      receivedBytes += routes.bytes.received
      streams += routes.streams
    }
    return { routes: this.#routes.size, streams, sentBytes, receivedBytes }
  }

  /** To be called when members change. */
  keep(): void {
    for (const routes of this.#routes.values()) routes.keep()
  }

  onReach(unreachable: ReadonlySet<DidKey>): void {
    for (const routes of this.#routes.values()) routes.onReach(unreachable)
  }

  close(): void {
    for (const number of this.#routes.keys()) this.end(number)
  }

  #of(number: number): ClientRoutes {
    const existing = this.#routes.get(number)
    if (existing !== undefined) return existing
    if (this.#routes.size >= MAX_ROUTES) throw tooMany()
    const routes = this.#make()
    this.#routes.set(number, routes)
    return routes
  }
}

function tooMany(): WeftError {
  return new WeftError({
    code: 'E_ROUTE_LIMIT',
    cause: `${MAX_ROUTES} transfers go over routes of their own already.`,
    fix: 'Wait until one of them has ended.',
    retryable: true,
  })
}
