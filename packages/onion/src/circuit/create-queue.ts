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
 * Creates that wait for their handshake, a line for each key, over all links with it. Keys have their turn one after the other, so that
 * who sends many waits for himself. When there is no room, the key with the longest line gives up its last.
 */
export class CreateQueue {
  readonly #capacity: number
  /** By name; the key that is next comes first. No line is empty. */
  readonly #lines = new Map<string, WaitingCreate[]>()
  #size = 0

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get size(): number {
    return this.#size
  }

  /** How many of a key wait. @param peer its name */
  of(peer: string): number {
    return this.#lines.get(peer)?.length ?? 0
  }

  get(link: CircuitLink, circuitId: number): WaitingCreate | undefined {
    return this.#lines.get(link.peerName)?.find((create) => isOf(create, link, circuitId))
  }

  /** Adds one at the end of its key's line. Returns the one that had to go for it, if there was no room: perhaps itself. */
  add(create: WaitingCreate): WaitingCreate | undefined {
    const { peerName } = create.link
    const line = this.#lines.get(peerName)
    if (line === undefined) this.#lines.set(peerName, [create])
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
    const [peer, line] = first
    const create = line.shift()
    this.#size--
    this.#lines.delete(peer)
    if (line.length > 0) this.#lines.set(peer, line)
    return create
  }

  /** False when there was none. */
  remove(link: CircuitLink, circuitId: number): boolean {
    const line = this.#lines.get(link.peerName)
    const at = line?.findIndex((create) => isOf(create, link, circuitId)) ?? -1
    if (line === undefined || at < 0) return false
    line.splice(at, 1)
    this.#size--
    if (line.length === 0) this.#lines.delete(link.peerName)
    return true
  }

  /** Forgets all of a link that is gone. */
  drop(link: CircuitLink): void {
    const line = this.#lines.get(link.peerName) ?? []
    const left = line.filter((create) => create.link !== link)
    this.#size -= line.length - left.length
    if (left.length === 0) this.#lines.delete(link.peerName)
    else this.#lines.set(link.peerName, left)
  }

  #longest(): WaitingCreate[] | undefined {
    let longest: WaitingCreate[] | undefined
    for (const line of this.#lines.values()) if (line.length > (longest?.length ?? 0)) longest = line
    return longest
  }
}

/** Ids belong to links, not to keys. */
function isOf(create: WaitingCreate, link: CircuitLink, circuitId: number): boolean {
  return create.link === link && create.circuitId === circuitId
}
