import { Packet } from '../packet/packet.ts'
import { LinkCommand } from './link-command.ts'

/** A packet that waits; a cell's is whole, a message's has its content in the body. */
export interface Waiting {
  readonly packet: Packet
  readonly command: number
  readonly circuitId: number
}

/** What is to be sent on a link once it is up. */
export class SendBacklog {
  readonly #limit: number
  #waiting: Waiting[] = []

  constructor(limit: number) {
    this.#limit = limit
  }

  /** Copies a packet; false when there is no room. @param bytes of a cell all 1440, of a message its content. */
  add(command: number, circuitId: number, bytes: Uint8Array): boolean {
    if (this.#waiting.length >= this.#limit) return false
    const packet = new Packet()
    if (command === LinkCommand.relay) packet.bytes.set(bytes)
    else packet.body.set(bytes)
    this.#waiting.push({ packet, command, circuitId })
    return true
  }

  /** Gives out all, in the order they came, and keeps none. */
  take(): readonly Waiting[] {
    const waiting = this.#waiting
    this.#waiting = []
    return waiting
  }
}
