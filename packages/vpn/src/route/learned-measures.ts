import type { Clock } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { HopStatus } from '../vpn.ts'
import type { RouteMeasures } from './route-measures.ts'

type Colour = Exclude<HopStatus['health'], 'unknown'>
export type MeasuredHop = Pick<HopStatus, 'node' | 'latencyMs' | 'health'>

/**
 * ms for which a colour counts that no leg confirms. Whoever is red is left out of draws, and so not measured again: without an end, each node that a hostile neighbour
 * drops cells to would be out for good.
 */
export const HEALTH_KNOWN_MS = 5 * 60_000
/** The same of times: ways change more slowly, and nobody is left out for one. */
const LATENCY_KNOWN_MS = 30 * 60_000
/** Values of each kind that are kept; the oldest go first. A client's legs measure a few dozen in those minutes. */
const MOST_VALUES = 4_096

const RANK: Readonly<Record<Colour, number>> = { green: 0, yellow: 1, red: 2 }

interface Known<T> {
  readonly value: T
  /** Monotonic ms. */
  readonly at: number
}

interface PairTime {
  readonly before: DidKey
  readonly node: DidKey
  readonly ms: number
}

/** What the legs of one client measured of nodes, for as long as it is worth something. */
export class LearnedMeasures {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #isMember: (id: DidKey) => boolean
  /** Each in the order in which values were learned last. There and back: to entries, and between two that stood next to each other. */
  readonly #health = new Map<DidKey, Known<Colour>>()
  readonly #latency = new Map<DidKey, Known<number>>()
  readonly #pairs = new Map<string, Known<PairTime>>()

  /** @param isMember of whom it is worth something */
  constructor(clock: Pick<Clock, 'monotonic'>, isMember: (id: DidKey) => boolean) {
    this.#clock = clock
    this.#isMember = isMember
  }

  /** What a leg measured of its hops, from the entry on. */
  learn(hops: readonly MeasuredHop[]): void {
    const at = this.#clock.monotonic()
    for (const [index, { node, latencyMs }] of hops.entries()) {
      if (!this.#isMember(node)) continue
      const colour = colourAt(hops, index)
      if (colour !== undefined) keep(this.#health, node, { value: colour, at })
      if (latencyMs === undefined) continue
      const before = hops[index - 1]?.node
      if (before === undefined) keep(this.#latency, node, { value: latencyMs, at })
      else keep(this.#pairs, `${before} ${node}`, { value: { before, node, ms: latencyMs }, at })
    }
  }

  /** @returns whether there was something that is too old */
  forgetOld(): boolean {
    const now = this.#clock.monotonic()
    const gone = [
      dropOlder(this.#health, now - HEALTH_KNOWN_MS),
      dropOlder(this.#latency, now - LATENCY_KNOWN_MS),
      dropOlder(this.#pairs, now - LATENCY_KNOWN_MS),
    ]
    return gone.includes(true)
  }

  /** Forgets whoever is no member any more. */
  forgetOthers(): void {
    for (const values of [this.#health, this.#latency])
      for (const id of values.keys()) if (!this.#isMember(id)) values.delete(id)
    for (const [key, { value }] of this.#pairs)
      if (!this.#isMember(value.before) || !this.#isMember(value.node)) this.#pairs.delete(key)
  }

  get measures(): Required<Pick<RouteMeasures, 'health' | 'latencyMs' | 'pairMs'>> {
    const pairMs = new Map<DidKey, Map<DidKey, number>>()
    for (const { value } of this.#pairs.values())
      pairMs.set(value.before, (pairMs.get(value.before) ?? new Map<DidKey, number>()).set(value.node, value.ms))
    return { health: valuesOf(this.#health), latencyMs: valuesOf(this.#latency), pairMs }
  }
}

/**
 * A link that is not well is told of the hop behind it, and either end may be at fault: both have its colour, so that nobody is rid of a
 * neighbour at no cost. An entry has its own alone: whoever is behind it is not to drive a client from its guards.
 */
function colourAt(hops: readonly MeasuredHop[], index: number): Colour | undefined {
  const own = known(hops[index])
  const next = index === 0 ? undefined : known(hops[index + 1])
  return own !== undefined && next !== undefined && RANK[next] > RANK[own] ? next : (own ?? next)
}

function known(hop: MeasuredHop | undefined): Colour | undefined {
  return hop === undefined || hop.health === 'unknown' ? undefined : hop.health
}

function keep<K, T>(values: Map<K, Known<T>>, key: K, value: Known<T>): void {
  values.delete(key)
  const [oldest] = values.keys()
  if (values.size >= MOST_VALUES && oldest !== undefined) values.delete(oldest)
  values.set(key, value)
}

function dropOlder<K, T>(values: Map<K, Known<T>>, than: number): boolean {
  const before = values.size
  for (const [key, { at }] of values) {
    if (at > than) break
    values.delete(key)
  }
  return values.size < before
}

function valuesOf<K, T>(values: ReadonlyMap<K, Known<T>>): Map<K, T> {
  return new Map(Array.from(values, ([key, { value }]) => [key, value]))
}
