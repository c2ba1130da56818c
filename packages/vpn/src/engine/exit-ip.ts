import { type Clock, type Fault, type Logger, toWeftError } from '@weft/core'
import type { ExitPolicy } from '../exit/exit-policy.ts'
import { IpWayOut } from '../exit/ip-way-out.ts'
import { droppedAt, noTunPackets, superPacketsOf } from '../tun/tun-counters.ts'
import type { ExitIpStatus } from '../vpn.ts'
import { ExitPackets } from './exit-packets.ts'
import type { FlushQueue } from './flush-queue.ts'

export interface ExitIpInit {
  readonly nodeKey: Uint8Array
  readonly queue: FlushQueue
  readonly policy: ExitPolicy
  readonly clock: Clock
  readonly logger: Logger
}

/** IP packets at an exit whose operator wants them carried; without what that takes it says why, and clients are told that there are none. */
export class ExitIp {
  readonly #logger: Logger
  #wayOut: IpWayOut | undefined
  #packets: ExitPackets | undefined
  #fault: Fault | undefined

  private constructor(logger: Logger) {
    this.#logger = logger
  }

  /** Never rejects. */
  static async open({ nodeKey, queue, policy, clock, logger }: ExitIpInit): Promise<ExitIp> {
    const exit = new ExitIp(logger)
    try {
      const wayOut = await IpWayOut.open({
        nodeKey,
        queue,
        clock,
        onPacket: (bytes, length) => exit.#packets?.fromOutside(bytes, length),
        onGone: (fault) => exit.#fail(fault),
      })
      exit.#wayOut = wayOut
      exit.#packets = new ExitPackets({
        policy,
        clock,
        network: wayOut.network,
        write: (packet) => wayOut.write(packet),
        release: (number) => wayOut.release(number),
      })
      wayOut.start()
    } catch (error) {
      exit.#fail(error)
    }
    return exit
  }

  /** Undefined where none are carried. */
  get packets(): ExitPackets | undefined {
    return this.#packets
  }

  get status(): ExitIpStatus {
    const counters = this.#wayOut?.counters ?? noTunPackets()
    return {
      clients: this.#packets?.size ?? 0,
      ipv6: this.#wayOut?.network.hasIPv6 ?? false,
      packets: { ...this.#packets?.totals, sent: counters.writtenPackets, ...droppedAt(counters) },
      bytes: { sent: counters.writtenBytes, received: counters.readBytes },
      superPackets: superPacketsOf(counters),
      fault: this.#fault,
    }
  }

  async close(): Promise<void> {
    this.#packets = undefined
    await this.#wayOut?.close()
  }

  #fail(error: unknown): void {
    const { code, cause, fix } = toWeftError(error, {
      code: 'E_EXIT_IP',
      cause: 'This exit cannot carry IP packets.',
      fix: 'See the log of this node.',
    })
    this.#fault = { code, cause, fix }
    this.#packets = undefined
    this.#logger.error('IP packets are not carried', { code, cause, fix })
    void this.#wayOut?.close()
  }
}
