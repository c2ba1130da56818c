import { HALF_SIZE, HalfReader, type Endpoint, Packet } from '@weft/onion'
import type { PacketBatch } from './packet-batch.ts'

/** Packets that come as two datagrams each, for paths that do not take whole ones. */
export class HalvedPackets {
  readonly #reader = new HalfReader()
  /** Of a sender, where packets to him go in halves as well. */
  readonly #endpoints = new WeakMap<Endpoint, Endpoint>()
  /** Those below `#used` are in a batch. */
  readonly #slots: Packet[] = []
  #used = 0

  /** Halves whose other half did not come. */
  get lost(): number {
    return this.#reader.lost
  }

  /** Takes halves that lie one behind the other; those that make packets whole add these to the batch. */
  take(bytes: Uint8Array, offset: number, length: number, from: Endpoint, batch: PacketBatch): void {
    for (let at = offset; at < offset + length; at += HALF_SIZE) {
      const slot = (this.#slots[this.#used] ??= new Packet())
      if (!this.#reader.read(bytes, at, from, slot.bytes)) continue
      this.#used++
      batch.add(slot, this.#halved(from))
    }
  }

  /** The batch was handed over. */
  free(): void {
    this.#used = 0
  }

  #halved(from: Endpoint): Endpoint {
    let endpoint = this.#endpoints.get(from)
    if (endpoint === undefined) {
      endpoint = { address: from.address, port: from.port, over: 'halves' }
      this.#endpoints.set(from, endpoint)
    }
    return endpoint
  }
}

/** Whether a datagram, or several that the kernel put together, are halves of packets: no number of whole ones below 64 KiB is as long. */
export function areHalves(length: number): boolean {
  return length > 0 && length % HALF_SIZE === 0
}
