import { type Endpoint, limitPrefix } from './endpoint.ts'
import type { LinkLimits } from './link-limits.ts'

/** Whether there is room for a link that another side begins: by how many there are, how many of its prefix, and how many of strangers. */
export class LinkRoom<L> {
  readonly #limits: LinkLimits
  /** Links that others than members made. */
  readonly #strangers = new Set<L>()
  /** Links that others made. */
  readonly #perPrefix = new Map<string, number>()

  constructor(limits: LinkLimits) {
    this.#limits = limits
  }

  /** @param links of all kinds that there are */
  isFree(from: Endpoint, stranger: boolean, links: number): boolean {
    const { links: most, linksPerPrefix, strangersShare } = this.#limits
    if (links >= most) return false
    if (!stranger) return true
    const ofPrefix = this.#perPrefix.get(limitPrefix(from.address)) ?? 0
    return this.#strangers.size < most * strangersShare && ofPrefix < linksPerPrefix
  }

  /** Whether somebody of the prefix has a link. */
  knows(prefix: string): boolean {
    return this.#perPrefix.has(prefix)
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
    const count = (this.#perPrefix.get(prefix) ?? 0) + change
    if (count === 0) this.#perPrefix.delete(prefix)
    else this.#perPrefix.set(prefix, count)
  }
}
