/** ms in which what is remembered of the past falls to 1/e. */
const MEMORY_MS = 2_000

interface Demand {
  readonly neighbour: string
  cells: number
  at: number
}

/**
 * How much padding each circuit of a node wants to send, a second of late, whether it went or not; by the neighbour from which it comes, as one
 * who builds many circuits has them over few. Times are monotonic ms.
 */
export class PaddingDemand<C> {
  readonly #circuits = new Map<C, Demand>()

  /** A padding cell of a circuit is due. @param neighbour towards its client */
  add(circuit: C, neighbour: string, now: number): void {
    let demand = this.#circuits.get(circuit)
    if (demand === undefined) {
      demand = { neighbour, cells: 0, at: now }
      this.#circuits.set(circuit, demand)
    }
    demand.cells = faded(demand, now) + 1
    demand.at = now
  }

  /** It wants none any more. */
  delete(circuit: C): void {
    this.#circuits.delete(circuit)
  }

  /** The fewest circuits whose end brings all others to `perSecond` together: each time that which wants most, of the neighbour whose circuits do. */
  beyond(perSecond: number, now: number): C[] {
    const sums = new Map<string, number>()
    const rates = Array.from(this.#circuits, ([circuit, demand]) => {
      const { neighbour } = demand
      const rate = (1_000 * faded(demand, now)) / MEMORY_MS
      sums.set(neighbour, (sums.get(neighbour) ?? 0) + rate)
      return { circuit, neighbour, rate }
    }).toSorted((a, b) => b.rate - a.rate)
    let all = rates.reduce((sum, { rate }) => sum + rate, 0)
    const gone: C[] = []
    while (all > perSecond && rates.length > 0) {
      const [heaviest] = [...sums].reduce((most, next) => (next[1] > most[1] ? next : most))
      const at = rates.findIndex(({ neighbour }) => neighbour === heaviest)
      const [most] = at < 0 ? [] : rates.splice(at, 1)
      if (most === undefined) break
      all -= most.rate
      sums.set(heaviest, (sums.get(heaviest) as number) - most.rate)
      gone.push(most.circuit)
    }
    return gone
  }
}

function faded({ cells, at }: Demand, now: number): number {
  return cells * Math.exp(-Math.max(0, now - at) / MEMORY_MS)
}
