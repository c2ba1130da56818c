import { MAX_IP_PACKET_BYTES } from './protocol.ts'

/** Slots that are made at once. */
const BLOCK = 64

/** Room for IP packets that wait to be sent, shared by channels: slots of one size that are made when first wanted and used again and again. */
export class IpPacketPool {
  readonly limit: number
  readonly #slots: Uint8Array[] = []
  readonly #free: number[] = []
  #used = 0

  /** @param limit packets, 1,280 bytes each */
  constructor(limit: number) {
    this.limit = limit
  }

  get used(): number {
    return this.#used
  }

  /** Packets that one channel may hold at the moment: half of what is free, so that none ever takes all (as MemoryBudget.share). */
  get share(): number {
    return (this.limit - this.#used) / 2
  }

  /** Number of a free slot; -1 when there is none. */
  take(): number {
    if (this.#used >= this.limit) return -1
    if (this.#free.length === 0) this.#grow()
    this.#used++
    return this.#free.pop() ?? -1
  }

  give(slot: number): void {
    this.#used--
    this.#free.push(slot)
  }

  bytes(slot: number): Uint8Array {
    return this.#slots[slot] as Uint8Array
  }

  #grow(): void {
    const count = Math.min(BLOCK, this.limit - this.#slots.length)
    const block = new ArrayBuffer(count * MAX_IP_PACKET_BYTES)
    for (let i = 0; i < count; i++) {
      this.#free.push(this.#slots.length)
      this.#slots.push(new Uint8Array(block, i * MAX_IP_PACKET_BYTES, MAX_IP_PACKET_BYTES))
    }
  }
}
