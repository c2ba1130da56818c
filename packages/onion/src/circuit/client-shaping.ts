import { CircuitShaper } from '../shaping/circuit-shaper.ts'
import { type PaddingLimits, mostPadding } from '../shaping/padding-budget.ts'
import { PaddingCheck } from '../shaping/padding-check.ts'
import type { ShapingParts } from '../shaping/shaping-parts.ts'
import { type TierPlan, tierPlans } from '../shaping/tier-plans.ts'
import { type Tier, lowerTier } from '../shaping/tier.ts'

/** A hop that did not answer is told again after so long, ms, and so often at most. */
const TELL_AGAIN_MS = 500
const MOST_TELLS = 6
/** Of the hop behind the entry. */
const MIDDLE = 1

interface ShapingActions {
  /** Sends on a cell that waited, from the slot of the parts. */
  pass(): void
  /** Sends a padding cell to the hop at that depth. */
  pad(depth: number): void
  /** Tells a hop the tier. */
  tell(depth: number, tier: Tier): void
}

/** A hop that was told the tier. */
interface ToldHop {
  readonly depth: number
  readonly limits: PaddingLimits | undefined
  readonly check: PaddingCheck | undefined
  taken: Tier | undefined
}

/** What a client does for the tier of one circuit: its own padding and delay, what its hops are told, and whether they keep to it. */
export class ClientShaping {
  readonly #tier: Tier
  readonly #plan: TierPlan
  readonly #parts: ShapingParts
  readonly #actions: ShapingActions
  readonly #shaper: CircuitShaper
  readonly #told: readonly ToldHop[]
  readonly #hops: number
  readonly #begunAt: number
  #tells = 0
  #tellAt: number | undefined
  #sent = 0
  #received = 0

  private constructor(tier: Tier, plan: TierPlan, hops: number, parts: ShapingParts, actions: ShapingActions) {
    const now = parts.clock.monotonic()
    this.#begunAt = now
    this.#tier = tier
    this.#plan = plan
    this.#parts = parts
    this.#actions = actions
    this.#hops = hops
    const told: ToldHop[] = []
    const plans = hops - 1 > MIDDLE ? ([plan.middle, plan.last] as const) : ([plan.middle] as const)
    for (const [at, { padding, forward, backward }] of plans.entries()) {
      const depth = at === 0 ? MIDDLE : hops - 1
      const check = padding && new PaddingCheck(padding.limits, now)
      if (padding ?? forward ?? backward) told.push({ depth, limits: padding?.limits, check, taken: undefined })
    }
    this.#told = told
    this.#shaper = new CircuitShaper(plan.client, false, parts, { pass: () => actions.pass(), pad: () => this.#pad() })
  }

  /** Undefined for `off`. @param hops of the circuit */
  static of(tier: Tier, hops: number, parts: ShapingParts, actions: ShapingActions): ClientShaping | undefined {
    const plan = tierPlans[tier]
    return plan && new ClientShaping(tier, plan, hops, parts, actions)
  }

  /** Tells the hops. */
  start(): void {
    this.#tell()
  }

  /** The lowest tier of the hops that were told; undefined until all answered. */
  get taken(): Tier | undefined {
    let lowest: Tier = this.#tier
    for (const { taken } of this.#told) {
      if (taken === undefined) return undefined
      lowest = lowerTier(lowest, taken)
    }
    return lowest
  }

  /** Padding cells. */
  get paddingSent(): number {
    return this.#sent
  }

  get paddingReceived(): number {
    return this.#received
  }

  /** Padding cells that a hop may have sent by now, when `real` others went through it towards the client. */
  paddingAtMost(depth: number, now: number, real: number): number {
    const limits = this.#told.find((hop) => hop.depth === depth)?.limits
    return limits === undefined ? 0 : mostPadding(limits, now - this.#begunAt, real)
  }

  /** When {@link onTimeout} is wanted, monotonic ms; undefined when all hops answered. */
  get tellAt(): number | undefined {
    return this.#tellAt
  }

  onTimeout(): void {
    if (this.#tellAt !== undefined && this.#tellAt <= this.#parts.clock.monotonic()) this.#tell()
  }

  /** A hop answered, or does less from now on: what it said before it does not come back to. */
  onTaken(depth: number, tier: Tier): void {
    for (const hop of this.#told) if (hop.depth === depth) hop.taken = lowerTier(tier, hop.taken ?? this.#tier)
    if (this.taken !== undefined) this.#tellAt = undefined
  }

  /** Keeps a cell until its time; false when it is to go at once. */
  hold(body: Uint8Array): boolean {
    return this.#shaper.hold(false, body)
  }

  /** A cell of the session went. */
  sent(): void {
    this.#shaper.sent()
  }

  /** A cell of the session came. */
  received(): void {
    this.other()
    this.#shaper.received()
  }

  /** Any cell but padding came from the last hop. */
  other(): void {
    for (const { check } of this.#told) check?.other()
  }

  /** Padding came from a hop. @returns undefined when it was not asked for any, false when it sends more than it may */
  onPadding(depth: number): boolean | undefined {
    let from: PaddingCheck | undefined
    for (const { depth: at, check } of this.#told) {
      if (at === depth) from = check
      else if (at < depth) check?.other()
    }
    if (from === undefined) return undefined
    this.#received++
    this.#shaper.paddingReceived()
    return from.padding(this.#parts.clock.monotonic())
  }

  flush(): void {
    this.#shaper.flush()
  }

  close(): void {
    this.#tellAt = undefined
    this.#shaper.close()
  }

  #pad(): void {
    this.#sent++
    const goesOn = this.#plan.toLast > 0 && this.#parts.random.fraction() < this.#plan.toLast
    this.#actions.pad(goesOn ? this.#hops - 1 : MIDDLE)
  }

  #tell(): void {
    for (const { depth, taken } of this.#told) if (taken === undefined) this.#actions.tell(depth, this.#tier)
    this.#tells++
    const isOver = this.taken !== undefined || this.#tells >= MOST_TELLS
    this.#tellAt = isOver ? undefined : this.#parts.clock.monotonic() + TELL_AGAIN_MS
  }
}
