import type { Endpoint } from './endpoint.ts'

/** A handshake message that waits to be looked into. */
export interface WaitingHandshake {
  /** Valid until the next is added. */
  readonly message: Uint8Array
  readonly from: Endpoint
}

/** Handshake messages of one length, first in, first out, in memory that is used again: a flood leaves no garbage. */
export class HandshakeQueue {
  readonly #slots: { message: Uint8Array; from: Endpoint }[] = []
  readonly #capacity: number
  #first = 0
  #length = 0

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get length(): number {
    return this.#length
  }

  /** Copies the message; false when there is no room beyond `reserve`, which is left for others. */
  add(message: Uint8Array, from: Endpoint, reserve: number): boolean {
    if (this.#length + reserve >= this.#capacity) return false
    const at = (this.#first + this.#length) % this.#capacity
    const slot = this.#slots[at]
    if (slot === undefined) this.#slots[at] = { message: message.slice(), from }
    else {
      slot.message.set(message)
      slot.from = from
    }
    this.#length++
    return true
  }

  take(): WaitingHandshake | undefined {
    if (this.#length === 0) return undefined
    const slot = this.#slots[this.#first]
    this.#first = (this.#first + 1) % this.#capacity
    this.#length--
    return slot
  }

  clear(): void {
    this.#length = 0
  }
}
