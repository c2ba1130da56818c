import { MAX_HOPS } from '../packet/sizes.ts'
import type { CircuitLink } from './circuit-link.ts'
import { CreateLines } from './create-lines.ts'
import type { WaitingCreate } from './waiting-create.ts'

/** Early units of a build: one for each hop behind this one. */
const EARLY_CELLS = MAX_HOPS - 1

/**
 * Creates that wait for their handshake. Keys have their turn one after the other, so that who sends many waits for himself. Members and
 * clients have every other turn, and half of the room where both want it: a client may have as many keys as it likes, and
 * each of them would have what a member has for all of its clients. When there is no room, the key with the longest line of the side
 * that has more gives up its last.
 */
export class CreateQueue {
  readonly #capacity: number
  readonly #clients = new CreateLines()
  readonly #members = new CreateLines()
  #isMembersTurn = true

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get size(): number {
    return this.#clients.size + this.#members.size
  }

  /** How many of a key wait. @param peer its name */
  of(peer: string): number {
    return this.#clients.of(peer) + this.#members.of(peer)
  }

  get(link: CircuitLink, circuitId: number): WaitingCreate | undefined {
    return this.#clients.get(link, circuitId) ?? this.#members.get(link, circuitId)
  }

  /** Keeps a cell that belongs to a create that waits, while there are few of it. False when there is no such create. */
  keepCell(link: CircuitLink, circuitId: number, body: Uint8Array): boolean {
    const create = this.get(link, circuitId)
    if (create === undefined) return false
    if (create.early.length < EARLY_CELLS) create.early.push(body.slice())
    return true
  }

  /** Adds one at the end of its key's line. Returns the one that had to go for it, if there was no room: perhaps itself. */
  add(create: WaitingCreate): WaitingCreate | undefined {
    const [clients, members] = [this.#clients, this.#members]
    const own = create.isMember ? members : clients
    own.add(create)
    if (this.size <= this.#capacity) return undefined
    return (clients.size === members.size ? own : clients.size > members.size ? clients : members).takeLast()
  }

  /** The next in turn. */
  take(): WaitingCreate | undefined {
    const [first, second] = this.#isMembersTurn ? [this.#members, this.#clients] : [this.#clients, this.#members]
    this.#isMembersTurn = !this.#isMembersTurn
    return first.take() ?? second.take()
  }

  /** False when there was none. */
  remove(link: CircuitLink, circuitId: number): boolean {
    return this.#clients.remove(link, circuitId) || this.#members.remove(link, circuitId)
  }

  /** Forgets all of a link that is gone. */
  drop(link: CircuitLink): void {
    this.#clients.drop(link)
    this.#members.drop(link)
  }
}
