import type { CircuitLink } from './circuit-link.ts'

/** A `create` whose handshake is still to be answered. */
export interface WaitingCreate {
  readonly link: CircuitLink
  readonly circuitId: number
  readonly depth: number
  /** The handshake's first message; a copy. */
  readonly message: Uint8Array
  /** By which the same `create` is known again. */
  readonly hash: Uint8Array
}

/**
 * Creates that wait for their handshake, a line for each link. Links have their turn one after the other, so that who sends many
 * waits for himself. When there is no room, the link with the longest line gives up its last.
 */
export class CreateQueue {
  readonly #capacity: number
  /** The link that is next comes first. No line is empty. */
  readonly #lines = new Map<CircuitLink, WaitingCreate[]>()
  #size = 0

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get size(): number {
    return this.#size
  }

  /** How many of a link wait. */
  of(link: CircuitLink): number {
    return this.#lines.get(link)?.length ?? 0
  }

  get(link: CircuitLink, circuitId: number): WaitingCreate | undefined {
    return this.#lines.get(link)?.find((create) => create.circuitId === circuitId)
  }

  /** Adds one at the end of its link's line. Returns the one that had to go for it, if there was no room: perhaps itself. */
  add(create: WaitingCreate): WaitingCreate | undefined {
    const line = this.#lines.get(create.link)
    if (line === undefined) this.#lines.set(create.link, [create])
    else line.push(create)
    this.#size++
    if (this.#size <= this.#capacity) return undefined
    const last = this.#longest()?.at(-1)
    if (last !== undefined) this.remove(last.link, last.circuitId)
    return last
  }

  /** The next in turn. */
  take(): WaitingCreate | undefined {
    const [first] = this.#lines
    if (first === undefined) return undefined
    const [link, line] = first
    const create = line.shift()
    this.#size--
    this.#lines.delete(link)
    if (line.length > 0) this.#lines.set(link, line)
    return create
  }

  /** False when there was none. */
  remove(link: CircuitLink, circuitId: number): boolean {
    const line = this.#lines.get(link)
    const at = line?.findIndex((create) => create.circuitId === circuitId) ?? -1
    if (line === undefined || at < 0) return false
    line.splice(at, 1)
    this.#size--
    if (line.length === 0) this.#lines.delete(link)
    return true
  }

  /** Forgets all of a link that is gone. */
  drop(link: CircuitLink): void {
    this.#size -= this.of(link)
    this.#lines.delete(link)
  }

  #longest(): WaitingCreate[] | undefined {
    let longest: WaitingCreate[] | undefined
    for (const line of this.#lines.values()) if (line.length > (longest?.length ?? 0)) longest = line
    return longest
  }
}
