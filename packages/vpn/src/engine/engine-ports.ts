import type { Logger } from '@weft/core'
import type { Endpoint, Packet } from '@weft/onion'
import { openUdpPort } from '../udp/open-udp-port.ts'
import type { UdpCounters } from '../udp/udp-counters.ts'
import type { UdpPort } from '../udp/udp-port.ts'
import type { EngineInit } from './engine-init.ts'

export interface EnginePortsOptions extends Pick<EngineInit, 'udp' | 'worker'> {
  readonly logger: Logger
  /** As of a UDP port. @param isOwn came to the port from which this worker makes links: nobody else knows it */
  readonly onBatch: (count: number, packets: readonly Packet[], from: readonly Endpoint[], isOwn: boolean) => void
  /** One of the ports takes no more, or all do again. */
  readonly onHold: (isHeld: boolean) => void
}

/**
 * The UDP ports of one packet worker: the node's, which several workers share, so that a sender always meets the same of them; and for links that it
 * makes one of its own, since what answers them would come to any. One worker alone has the first for both.
 */
export class EnginePorts {
  readonly #shared: UdpPort
  readonly #own: UdpPort

  private constructor(shared: UdpPort, own: UdpPort) {
    this.#shared = shared
    this.#own = own
  }

  /** @throws WeftError E_PORT_TAKEN, E_UDP_PORT */
  static async open({ udp, worker, logger, onBatch, onHold }: EnginePortsOptions): Promise<EnginePorts> {
    const { host, port } = udp
    let held = 0
    const common = {
      host,
      logger,
      onHold: (isHeld: boolean): void => {
        held += isHeld ? 1 : -1
        onHold(held > 0)
      },
    }
    const shared = await openUdpPort({
      ...common,
      port,
      ...(worker.count === 1 ? {} : { sharing: worker.index === 0 ? ('first' as const) : ('next' as const) }),
      onBatch: (count, packets, from) => onBatch(count, packets, from, false),
    })
    if (worker.count === 1) return new EnginePorts(shared, shared)
    try {
      const own = await openUdpPort({
        ...common,
        port: 0,
        onBatch: (count, packets, from) => onBatch(count, packets, from, true),
      })
      return new EnginePorts(shared, own)
    } catch (error) {
      shared.close()
      throw error
    }
  }

  /** Where packets come in. */
  get address(): Endpoint {
    return this.#shared.address
  }

  /** Of each port. */
  get counters(): readonly UdpCounters[] {
    return this.#own === this.#shared ? [this.#shared.counters] : [this.#shared.counters, this.#own.counters]
  }

  /** @param isOwn of a link that this worker made */
  send(bytes: Uint8Array, to: Endpoint, isOwn: boolean): void {
    const port = isOwn ? this.#own : this.#shared
    port.send(bytes, to)
  }

  flush(): void {
    this.#shared.flush()
    if (this.#own !== this.#shared) this.#own.flush()
  }

  mark(mark: number): boolean {
    return this.#shared.mark(mark) && this.#own.mark(mark)
  }

  close(): void {
    this.#shared.close()
    this.#own.close()
  }
}
