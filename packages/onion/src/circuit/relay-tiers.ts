import type { Clock } from '@weft/core'
import type { Packet } from '../packet/packet.ts'
import type { CellQueue } from '../queue/cell-queue.ts'
import { CircuitShaper, type ShapingPlan } from '../shaping/circuit-shaper.ts'
import { type ShapingParts, newShapingParts } from '../shaping/shaping-parts.ts'
import { tierPlans } from '../shaping/tier-plans.ts'
import { type Tier, lowerTier } from '../shaping/tier.ts'
import { TokenBucket } from '../token-bucket.ts'
import { PaddingDemand } from './padding-demand.ts'
import type { Padding } from './padding.ts'
import type { CircuitWay, RelayCircuit } from './relay-circuit.ts'

/** What an operator lets tiers cost. */
export interface PaddingCosts {
  /** The highest tier that it takes. */
  readonly most: Tier
  /** Padding cells of all circuits together, a second. */
  readonly perSecond: number
}

/** 4,000 cells a second are 46 Mbit/s. */
const DEFAULT_PADDING_COSTS: PaddingCosts = { most: 'high', perSecond: 4_000 }

/** ms between looks at which circuits want more padding than the operator's limit has, at least. */
const LOOK_MS = 100

/** Hop behind the entry. */
const MIDDLE = 1

export interface RelayTiersInit {
  readonly clock: Pick<Clock, 'monotonic'>
  readonly random: Padding
  readonly queue: Pick<CellQueue<CircuitWay>, 'mayPass'>
  readonly costs: Partial<PaddingCosts> | undefined
  readonly onSooner: (() => void) | undefined
  /** Sends on a cell that waited. */
  readonly pass: (circuit: RelayCircuit, towardsClient: boolean, packet: Packet) => void
}

/**
 * What a node does for the tiers of circuits: as their clients ask, within what is the same for every node and what its operator allows. A
 * client is told what it gets, also when that ends.
 */
export class RelayTiers {
  readonly #init: RelayTiersInit
  readonly #costs: PaddingCosts
  readonly #parts: ShapingParts
  readonly #bucket: TokenBucket
  readonly #demand = new PaddingDemand<RelayCircuit>()
  #lookedAt = -Infinity
  #padding = 0

  constructor(init: RelayTiersInit) {
    this.#init = init
    this.#costs = { ...DEFAULT_PADDING_COSTS, ...init.costs }
    this.#parts = newShapingParts(init.clock, init.random, init.onSooner ?? (() => {}))
    const { perSecond } = this.#costs
    this.#bucket = new TokenBucket(perSecond, Math.max(1, perSecond / 4), init.clock.monotonic())
  }

  /** Padding cells sent. */
  get padding(): number {
    return this.#padding
  }

  /** Cells that wait for their time. */
  get held(): number {
    return this.#parts.held.size
  }

  nextTimeout(): number | undefined {
    return this.#parts.due.next()
  }

  onTimeout(): void {
    this.#parts.due.run(this.#init.clock.monotonic())
  }

  /** A client asks for a tier: the first time counts, every time is answered. */
  take(circuit: RelayCircuit, asked: Tier): void {
    circuit.tier ??= this.#begin(circuit, lowerTier(asked, this.#costs.most))
    circuit.sendControl({ kind: 'tiered', tier: circuit.tier })
  }

  /** A circuit is over. */
  forget(circuit: RelayCircuit): void {
    this.#demand.delete(circuit)
  }

  /** @returns the tier that it has from now on */
  #begin(circuit: RelayCircuit, tier: Tier): Tier {
    const plan = planAt(circuit, tier)
    if (plan === undefined) return 'off'
    circuit.shaper = new CircuitShaper(plan, true, this.#parts, {
      pass: (towardsClient) => this.#init.pass(circuit, towardsClient, this.#parts.slot),
      pad: () => this.#pad(circuit),
    })
    return tier
  }

  /** Cells of circuits go before padding, and the operator's limit before both. */
  #pad(circuit: RelayCircuit): void {
    const now = this.#init.clock.monotonic()
    this.#demand.add(circuit, circuit.previous.peerName, now)
    if (!this.#init.queue.mayPass()) return
    if (!this.#bucket.take(now)) return this.#makeRoom(now)
    this.#padding++
    circuit.sendPadding()
  }

  /**
   * The operator's limit is reached. A circuit whose padding is left out at times has no tier, whatever its client was told: so those that want most lose theirs until the others fit,
   * and their clients are told.
   */
  #makeRoom(now: number): void {
    if (now - this.#lookedAt < LOOK_MS) return
    this.#lookedAt = now
    for (const circuit of this.#demand.beyond(this.#costs.perSecond, now)) this.#finish(circuit)
  }

  #finish(circuit: RelayCircuit): void {
    this.#demand.delete(circuit)
    circuit.tier = 'off'
    circuit.shaper?.flush()
    circuit.shaper?.close()
    circuit.shaper = undefined
    circuit.sendControl({ kind: 'tiered', tier: 'off' })
  }
}

/** What a hop is to do follows from its place: the client names the tier only. */
function planAt({ depth, isOwn }: RelayCircuit, tier: Tier): ShapingPlan | undefined {
  const plan = tierPlans[tier]
  if (plan === undefined) return undefined
  if (depth === MIDDLE) return plan.middle
  return isOwn ? plan.last : undefined
}
