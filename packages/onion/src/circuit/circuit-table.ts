import { type CircuitLink } from './circuit-link.ts'

/** What belongs to a circuit id of a link. Counts the circuits of each link on the link itself, for its timers, and those of each key, for limits. */
export class CircuitTable<T> {
  readonly #byLink = new Map<CircuitLink, Map<number, T>>()
  /** Circuits of a key over all links with it; of none that has none. */
  readonly #ofPeers = new Map<string, number>()

  get(link: CircuitLink, circuitId: number): T | undefined {
    return this.#byLink.get(link)?.get(circuitId)
  }

  /** Adds an entry under an id that is free. */
  add(link: CircuitLink, circuitId: number, entry: T): void {
    let entries = this.#byLink.get(link)
    if (entries === undefined) {
      entries = new Map()
      this.#byLink.set(link, entries)
    }
    entries.set(circuitId, entry)
    this.#ofPeers.set(link.peerName, this.ofPeer(link.peerName) + 1)
    link.circuits = entries.size
  }

  /** Adds an entry under a new id of this side's choice, and returns the id. */
  addNew(link: CircuitLink, entry: T): number {
    let circuitId = link.newCircuitId()
    while (circuitId === 0 || this.get(link, circuitId) !== undefined) circuitId = link.newCircuitId()
    this.add(link, circuitId, entry)
    return circuitId
  }

  remove(link: CircuitLink, circuitId: number): void {
    const entries = this.#byLink.get(link)
    if (entries === undefined || !entries.delete(circuitId)) return
    const left = this.ofPeer(link.peerName) - 1
    if (left === 0) this.#ofPeers.delete(link.peerName)
    else this.#ofPeers.set(link.peerName, left)
    link.circuits = entries.size
    if (entries.size === 0) this.#byLink.delete(link)
  }

  /** Circuits over all links with a key. @param name of it, in hex */
  ofPeer(name: string): number {
    return this.#ofPeers.get(name) ?? 0
  }

  /** Keys that have circuits now. */
  get peers(): number {
    return this.#ofPeers.size
  }

  /** A copy: the caller may remove entries while it walks. */
  of(link: CircuitLink): T[] {
    return [...(this.#byLink.get(link)?.values() ?? [])]
  }
}
