import type { Logger } from '@weft/core'
import type { Endpoint, Packet } from '@weft/onion'
import type { UdpCounters } from './udp-counters.ts'

/**
 * One UDP socket of the packet path. All datagrams have the size of a packet, or of half of one to and from endpoints `over` halves; what has another
 * is dropped and counted, but for one thing: a larger datagram may come cut into pieces of 1440 bytes, which no receiver can authenticate.
 * An open port keeps its event loop alive, like a server; once closed it holds nothing any more.
 */
export interface UdpPort {
  /** `segmented`: super-packets through UDP_SEGMENT and UDP_GRO (Linux); `plain`: one system call a packet. */
  readonly kind: 'segmented' | 'plain'
  /** Where it is bound; the port is the real one when 0 was asked for. */
  readonly address: Endpoint
  readonly counters: UdpCounters
  /**
   * Copies one packet of 1440 bytes into the batch for its destination. It leaves when the batch is full, and with
   * {@link flush} at the latest. Never throws and never blocks: what finds no place is dropped and counted.
   * @param to an object that stays the same for the same destination is found fastest; those of `onBatch` do
   */
  send(bytes: Uint8Array, to: Endpoint): void
  /** Hands all batches to the kernel: to be called at the end of each turn that sent something. */
  flush(): void
  /** Marks what it sends for rules of the system (SO_MARK); false where that is not possible or not permitted. */
  mark(mark: number): boolean
  /** Drops what is not sent and frees the port at once; does nothing the second time. No callback comes after it. */
  close(): void
}

export interface UdpPortOptions {
  /** An IP literal; `::` takes IPv4 as well, any other IPv6 address IPv6 only. */
  readonly host: string
  /** 0 for a free one. */
  readonly port: number
  /**
   * Of a port that several sockets of this node have (SO_REUSEPORT): the system deals senders out among them, and each sender stays with
   * one as long as all are open. The first makes sure that nobody else has the port.
   */
  readonly sharing?: 'first' | 'next'
  /**
   * Packets that came in, `packets[i]` from `from[i]` for i < count. Slots and arrays belong to the port and are valid
   * during the call only, the endpoints for ever: the same object for the same sender as long as it is remembered.
   */
  readonly onBatch: (count: number, packets: readonly Packet[], from: readonly Endpoint[]) => void
  /** The kernel takes no more for now, and later: it does again. What is sent meanwhile may be dropped. */
  readonly onHold?: (isHeld: boolean) => void
  readonly logger: Logger
}
