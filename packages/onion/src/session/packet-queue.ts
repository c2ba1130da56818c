import { copyFirst } from './copy-first.ts'
import { type IpPacketPool } from './ip-packet-pool.ts'
import { MAX_DATAGRAM_AGE_MS, MAX_QUEUED_IP_PACKETS } from './tuning.ts'

/** The IP packets of one channel that wait to be sent. When there is no room for another the oldest goes. Allocates nothing for a packet. */
export class PacketQueue {
  readonly #pool: IpPacketPool
  readonly #slots = new Int32Array(MAX_QUEUED_IP_PACKETS)
  readonly #lengths = new Int32Array(MAX_QUEUED_IP_PACKETS)
  /** Monotonic ms. */
  readonly #since = new Float64Array(MAX_QUEUED_IP_PACKETS)
  #head = 0
  #size = 0
  dropped = 0

  constructor(pool: IpPacketPool) {
    this.#pool = pool
  }

  get size(): number {
    return this.#size
  }

  /** Takes a copy of the first `length` bytes; false when there is no room for them at all. */
  push(bytes: Uint8Array, length: number, now: number): boolean {
    while (this.#size > 0 && (this.#size >= MAX_QUEUED_IP_PACKETS || this.#size >= this.#pool.share)) this.#drop()
    const slot = this.#pool.take()
    if (slot < 0) {
      this.dropped++
      return false
    }
    copyFirst(bytes, length, this.#pool.bytes(slot), 0)
    const at = (this.#head + this.#size) % MAX_QUEUED_IP_PACKETS
    this.#slots[at] = slot
    this.#lengths[at] = length
    this.#since[at] = now
    this.#size++
    return true
  }

  /** Bytes of the next to be sent, -1 without one; drops what has waited too long. */
  firstLength(now: number): number {
    while (this.#size > 0 && now - (this.#since[this.#head] as number) > MAX_DATAGRAM_AGE_MS) this.#drop()
    return this.#size === 0 ? -1 : (this.#lengths[this.#head] as number)
  }

  /** The slot of the next to be sent, of which `firstLength` bytes count. */
  get first(): Uint8Array {
    return this.#pool.bytes(this.#slots[this.#head] as number)
  }

  /** The first was sent. */
  shift(): void {
    if (this.#size === 0) return
    this.#pool.give(this.#slots[this.#head] as number)
    this.#head = (this.#head + 1) % MAX_QUEUED_IP_PACKETS
    this.#size--
  }

  clear(): void {
    while (this.#size > 0) this.shift()
  }

  #drop(): void {
    this.dropped++
    this.shift()
  }
}
