import type { Clock } from '@weft/core'
import type { Packet } from '../packet/packet.ts'
import type { CellQueue } from '../queue/cell-queue.ts'
import { CircuitShaper, type ShapingPlan } from '../shaping/circuit-shaper.ts'
import { type ShapingParts, newShapingParts } from '../shaping/shaping-parts.ts'
import { tierPlans } from '../shaping/tier-plans.ts'
import { type Tier, lowerTier } from '../shaping/tier.ts'
import { TokenBucket } from '../token-bucket.ts'
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

/** What a node does for the tiers of circuits: as their clients ask, within what is the same for every node and what its operator allows. */
export class RelayTiers {
  readonly #init: RelayTiersInit
  readonly #costs: PaddingCosts
  readonly #parts: ShapingParts
  readonly #bucket: TokenBucket
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
    if (!this.#bucket.has(this.#init.clock.monotonic()) || !this.#init.queue.mayPass()) return
    this.#bucket.take(this.#init.clock.monotonic())
    this.#padding++
    circuit.sendPadding()
  }
}

/** What a hop is to do follows from its place: the client names the tier only. */
function planAt({ depth, isOwn }: RelayCircuit, tier: Tier): ShapingPlan | undefined {
  const plan = tierPlans[tier]
  if (plan === undefined) return undefined
  if (depth === MIDDLE) return plan.middle
  return isOwn ? plan.last : undefined
}
