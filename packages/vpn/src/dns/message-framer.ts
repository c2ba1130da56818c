/** Cuts a stream of bytes into messages, each behind its length of 16 bits (RFC 1035, section 4.2.2; RFC 7766, section 8). */
export class MessageFramer {
  readonly #limit: number
  readonly #least: number
  readonly #onMessage: (message: Uint8Array) => void
  #head = -1
  #message: Uint8Array | undefined
  #have = 0

  /**
   * @param limit bytes of the longest message
   * @param onMessage the message is its own, nobody writes to it later
   * @param least bytes of the shortest message
   */
  constructor(limit: number, onMessage: (message: Uint8Array) => void, least = 0) {
    this.#limit = limit
    this.#least = least
    this.#onMessage = onMessage
  }

  /** False once a message was announced that is too long or too short: nothing behind it is read. */
  push(bytes: Uint8Array): boolean {
    let at = 0
    while (at < bytes.length) {
      const message = this.#message
      if (message === undefined) {
        const byte = bytes[at++] as number
        if (this.#head < 0) this.#head = byte
        else if (!this.#begin((this.#head << 8) | byte)) return false
        continue
      }
      const length = Math.min(message.length - this.#have, bytes.length - at)
      message.set(bytes.subarray(at, at + length), this.#have)
      this.#have += length
      at += length
      if (this.#have === message.length) this.#end(message)
    }
    return true
  }

  #begin(length: number): boolean {
    if (length > this.#limit || length < this.#least) return false
    this.#head = -1
    this.#have = 0
    this.#message = new Uint8Array(length)
    if (length === 0) this.#end(this.#message)
    return true
  }

  #end(message: Uint8Array): void {
    this.#message = undefined
    this.#onMessage(message)
  }
}

/** A message behind its length. */
export function framed(message: Uint8Array): Uint8Array {
  const out = new Uint8Array(2 + message.length)
  out[0] = message.length >> 8
  out[1] = message.length & 0xff
  out.set(message, 2)
  return out
}
