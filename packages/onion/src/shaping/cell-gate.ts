import { type CellChain, newChain } from '../queue/cell-store.ts'
import { type Distribution, draw } from './distribution.ts'
import type { ShapingParts } from './shaping-parts.ts'

/** Delays of one direction of a circuit at one place. */
export interface GatePlan {
  /** ms that the first cell waits which finds none waiting: bounded, and so is what those behind it wait. */
  readonly delay: Distribution
  /** At the times of a padding machine half of what waits leaves, one at least, the others at the delay's most if not before: bursts are spread. */
  readonly spreads?: true
}

/**
 * A random delay for one direction of a circuit: the first cell that comes while none waits draws the time when the gate opens; it waits until then, and
 * all that come behind it meanwhile leave with it, in their order. So a delay shifts a flow in time and never holds its rate, and costs one random number and one time for all of
 * them. Where a padding cell is due soon in the same direction, its time takes the place of one that is drawn: what leaves then looks the same either way.
 */
export class CellGate {
  readonly #plan: GatePlan
  readonly #parts: ShapingParts
  readonly #chain: CellChain = newChain()
  readonly #pass: () => void
  #openAt = Infinity

  /** @param pass takes a cell that waited, in the slot of `parts` */
  constructor(plan: GatePlan, parts: ShapingParts, pass: () => void) {
    this.#plan = plan
    this.#parts = parts
    this.#pass = pass
  }

  /** When {@link open} is wanted, monotonic ms; Infinity while nothing waits. */
  get openAt(): number {
    return this.#openAt
  }

  /** Cells that wait. */
  get size(): number {
    return this.#chain.length
  }

  /**
   * Keeps a cell; false where there is no room: what waited has left then, and the cell may follow at once.
   * @param padAt when a padding cell is due in this direction
   */
  hold(body: Uint8Array, now: number, padAt: number): boolean {
    const { held, random } = this.#parts
    const { delay } = this.#plan
    const isFirst = this.size === 0
    if (!held.keep(this.#chain, body, now)) {
      this.open()
      return false
    }
    if (isFirst) this.#openAt = padAt <= now + delay.most ? padAt : now + draw(delay, random.fraction())
    return true
  }

  /** Lets out all that wait. @returns how many these were */
  open(): number {
    return this.#release(this.size)
  }

  /** The time of a padding cell came. @returns how many left in its place */
  openForPadding(): number {
    const { held } = this.#parts
    const { spreads, delay } = this.#plan
    if (spreads === undefined) return this.open()
    const left = this.#release(Math.max(1, this.size >> 1))
    if (this.size > 0) this.#openAt = held.since(this.#chain) + delay.most
    return left
  }

  /** Forgets all that wait. */
  close(): void {
    this.#openAt = Infinity
    this.#parts.held.drop(this.#chain)
  }

  /** What leaves may bring others here: these are for the next time. */
  #release(count: number): number {
    const { held, slot } = this.#parts
    this.#openAt = Infinity
    let left = 0
    while (left < count && held.take(this.#chain, slot)) {
      left++
      this.#pass()
    }
    return left
  }
}
