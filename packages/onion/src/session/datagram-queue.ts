import { type KnownTarget } from './channel-target.ts'
import { type SessionMemory } from './memory-budget.ts'
import { DATAGRAM_OVERHEAD, MAX_DATAGRAM_AGE_MS, MAX_QUEUED_DATAGRAM_BYTES } from './tuning.ts'

/** What waits on a channel to be sent: a datagram, or why the last one for a target was not sent. */
export interface QueuedDatagram {
  readonly target: KnownTarget
  readonly bytes: Uint8Array
  /** One of SessionCode; 0 for a datagram. */
  readonly code: number
  /** Monotonic ms. */
  readonly since: number
  /** Bytes that went out already, in parts; and the number that these have. */
  sent: number
  number: number
}

/** The datagrams of one channel that wait to be sent. When there is no room for another the oldest goes: it is worth the least. */
export class DatagramQueue {
  readonly #memory: SessionMemory
  readonly #items: QueuedDatagram[] = []
  #head = 0
  #bytes = 0
  dropped = 0

  constructor(memory: SessionMemory) {
    this.#memory = memory
  }

  get size(): number {
    return this.#items.length - this.#head
  }

  /** Takes `bytes`, which nobody changes any more; false when there is no memory for them. */
  push(target: KnownTarget, bytes: Uint8Array, code: number, now: number): boolean {
    const cost = bytes.length + DATAGRAM_OVERHEAD
    while (this.size > 0 && this.#bytes + cost > MAX_QUEUED_DATAGRAM_BYTES) this.drop()
    while (!this.#memory.takeToReceive(cost)) {
      if (this.size === 0) {
        this.dropped++
        return false
      }
      this.drop()
    }
    this.#bytes += cost
    this.#items.push({ target, bytes, code, since: now, sent: 0, number: -1 })
    return true
  }

  /** The next to be sent; drops what has waited too long. */
  first(now: number): QueuedDatagram | undefined {
    for (;;) {
      const first = this.#items[this.#head]
      if (first === undefined || now - first.since <= MAX_DATAGRAM_AGE_MS) return first
      this.drop()
    }
  }

  /** The first was not sent, or not as a whole. */
  drop(): void {
    this.dropped++
    this.shift()
  }

  /** The first was sent. */
  shift(): void {
    const first = this.#items[this.#head]
    if (first === undefined) return
    const cost = first.bytes.length + DATAGRAM_OVERHEAD
    this.#bytes -= cost
    this.#memory.give(cost)
    this.#head++
    // Half of it is behind: what is left moves to the front, which costs each item one move on the mean.
    if (this.#head * 2 < this.#items.length) return
    this.#items.splice(0, this.#head)
    this.#head = 0
  }

  clear(): void {
    while (this.size > 0) this.shift()
  }
}
