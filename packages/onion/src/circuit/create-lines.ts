import type { CircuitLink } from './circuit-link.ts'
import type { WaitingCreate } from './waiting-create.ts'

/** Creates that wait, a line for each key, over all links with it. Keys have their turn one after the other. */
export class CreateLines {
  /** By name; the key that is next comes first. No line is empty. */
  readonly #lines = new Map<string, WaitingCreate[]>()
  #size = 0

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

  /** Adds one at the end of its key's line. */
  add(create: WaitingCreate): void {
    const { peerName } = create.link
    const line = this.#lines.get(peerName)
    if (line === undefined) this.#lines.set(peerName, [create])
    else line.push(create)
    this.#size++
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

  /** Takes the last of the longest line. */
  takeLast(): WaitingCreate | undefined {
    let longest: WaitingCreate[] = []
    for (const line of this.#lines.values()) if (line.length > longest.length) longest = line
    const last = longest.at(-1)
    if (last !== undefined) this.remove(last.link, last.circuitId)
    return last
  }
}

/** Ids belong to links, not to keys. */
function isOf(create: WaitingCreate, link: CircuitLink, circuitId: number): boolean {
  return create.link === link && create.circuitId === circuitId
}
