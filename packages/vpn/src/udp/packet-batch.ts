import type { Endpoint, Packet } from '@weft/onion'

/** Packets that were received together, with their senders: two arrays that are used again each time. */
export class PacketBatch {
  readonly packets: Packet[]
  readonly from: Endpoint[]
  count = 0

  /** @param capacity packets at most; who adds more grows the arrays */
  constructor(capacity: number, placeholder: Packet) {
    this.packets = Array.from({ length: capacity }, () => placeholder)
    this.from = Array.from({ length: capacity }, () => NOBODY)
  }

  add(packet: Packet, from: Endpoint): void {
    this.packets[this.count] = packet
    this.from[this.count] = from
    this.count++
  }
}

const NOBODY: Endpoint = { address: '0.0.0.0', port: 0 }
