import { type Endpoint, limitNetwork, limitPrefix } from './endpoint.ts'
import type { LinkLimits } from './link-limits.ts'

/** Whether there is room for a link that another side begins: by how many there are, how many of its prefix and its network, and how many of strangers. */
export class LinkRoom<L> {
  readonly #limits: LinkLimits
  /** Links that others than members made. */
  readonly #strangers = new Set<L>()
  /** Links that others made, of each prefix and of each network. */
  readonly #counts = new Map<string, number>()

  constructor(limits: LinkLimits) {
    this.#limits = limits
  }

  /** @param links of all kinds that there are */
  isFree(from: Endpoint, stranger: boolean, links: number): boolean {
    const { links: most, linksPerPrefix, linksPerNetwork, strangersShare } = this.#limits
    if (links >= most) return false
    if (!stranger) return true
    if (this.#strangers.size >= most * strangersShare) return false
    const prefix = limitPrefix(from.address)
    return this.#of(prefix) < linksPerPrefix && this.#of(limitNetwork(prefix)) < linksPerNetwork
  }

  /** Whether somebody of the prefix has a link. */
  knows(prefix: string): boolean {
    return this.#counts.has(prefix)
  }

  add(link: L, from: Endpoint, stranger: boolean): void {
    this.#count(from, 1)
    if (stranger) this.#strangers.add(link)
  }

  remove(link: L, from: Endpoint): void {
    this.#count(from, -1)
    this.#strangers.delete(link)
  }

  move(from: Endpoint, to: Endpoint): void {
    this.#count(from, -1)
    this.#count(to, 1)
  }

  #count(endpoint: Endpoint, change: 1 | -1): void {
    const prefix = limitPrefix(endpoint.address)
    for (const key of [prefix, limitNetwork(prefix)]) {
      const count = this.#of(key) + change
      if (count === 0) this.#counts.delete(key)
      else this.#counts.set(key, count)
    }
  }

  #of(key: string): number {
    return this.#counts.get(key) ?? 0
  }
}
