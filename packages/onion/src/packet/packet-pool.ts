import { Packet } from './packet.ts'

/**
 * A bounded set of packet slots, made when first needed and kept. Whoever takes one gives it back exactly once; what a slot
 * held is still in it, so the taker writes all 1440 bytes.
 */
export class PacketPool {
  readonly #capacity: number
  readonly #free: Packet[] = []
  #made = 0

  /** @param capacity slots at most, 1440 bytes each and about as much again for their views. */
  constructor(capacity: number) {
    this.#capacity = capacity
  }

  /** Slots that are out. */
  get inUse(): number {
    return this.#made - this.#free.length
  }

  /** `undefined` when all slots are out: the caller drops its packet. */
  acquire(): Packet | undefined {
    const packet = this.#free.pop()
    if (packet !== undefined) return packet
    if (this.#made === this.#capacity) return undefined
    this.#made++
    return new Packet()
  }

  release(packet: Packet): void {
    this.#free.push(packet)
  }
}
