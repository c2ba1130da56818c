import { type CircuitLink } from './circuit-link.ts'

/** What belongs to a circuit id of a link. Counts the circuits of each link on the link itself, for its timers. */
export class CircuitTable<T> {
  readonly #byLink = new Map<CircuitLink, Map<number, T>>()

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
    link.circuits = entries.size
    if (entries.size === 0) this.#byLink.delete(link)
  }

  /** A copy: the caller may remove entries while it walks. */
  of(link: CircuitLink): T[] {
    return [...(this.#byLink.get(link)?.values() ?? [])]
  }
}
