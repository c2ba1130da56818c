import { CellGate, type GatePlan } from './cell-gate.ts'
import type { HasDue } from './due-heap.ts'
import { PaddingMachine, type PaddingPlan } from './padding-machine.ts'
import type { ShapingParts } from './shaping-parts.ts'

/** What one place of a circuit does against traffic analysis. */
export interface ShapingPlan {
  /** Padding that it sends: a client forward, a hop backward. */
  readonly padding?: PaddingPlan
  /** Delays of cells towards the exit, and towards the client. */
  readonly forward?: GatePlan
  readonly backward?: GatePlan
}

export interface ShapingActions {
  /** Sends on a cell that waited. It stands in the slot of the parts. */
  pass(towardsClient: boolean): void
  /** Sends a padding cell. */
  pad(): void
}

/** More cells than this at once, in either direction, are a crowd: a flow that padding at a low rate does not hide. */
const CROWD = 3

/** The padding machine and the delays of one circuit at one place. */
export class CircuitShaper implements HasDue {
  readonly #parts: ShapingParts
  readonly #machine: PaddingMachine | undefined
  readonly #forward: CellGate | undefined
  readonly #backward: CellGate | undefined
  /** Of the direction in which padding goes. */
  readonly #padded: CellGate | undefined
  readonly #pad: () => void
  /** Real cells that came the other way since the machine's last time. */
  #came = 0
  #isClosed = false

  /** @param padsBack padding goes towards the client */
  constructor(plan: ShapingPlan, padsBack: boolean, parts: ShapingParts, actions: ShapingActions) {
    const gate = (gatePlan: GatePlan | undefined, towardsClient: boolean): CellGate | undefined =>
      gatePlan && new CellGate(gatePlan, parts, () => actions.pass(towardsClient))
    this.#parts = parts
    this.#machine = plan.padding && new PaddingMachine(plan.padding, parts.random, parts.clock.monotonic())
    this.#forward = gate(plan.forward, false)
    this.#backward = gate(plan.backward, true)
    this.#padded = padsBack ? this.#backward : this.#forward
    this.#pad = () => actions.pad()
    parts.due.add(this)
  }

  get dueAt(): number {
    return Math.min(
      this.#machine?.dueAt ?? Infinity,
      this.#forward?.openAt ?? Infinity,
      this.#backward?.openAt ?? Infinity,
    )
  }

  /** Whether cells of that direction wait here. */
  delays(towardsClient: boolean): boolean {
    return (towardsClient ? this.#backward : this.#forward) !== undefined
  }

  /** Keeps a cell until its time; false when it goes on at once. */
  hold(towardsClient: boolean, body: Uint8Array): boolean {
    const gate = towardsClient ? this.#backward : this.#forward
    if (gate === undefined || this.#isClosed) return false
    const wasEmpty = gate.size === 0
    const padAt = gate === this.#padded ? (this.#machine?.padAt ?? Infinity) : Infinity
    const isHeld = gate.hold(body, this.#parts.clock.monotonic(), padAt)
    if (wasEmpty) this.#moved()
    return isHeld
  }

  /** A real cell went the way that padding goes. */
  sent(): void {
    this.#machine?.tell('sent', this.#parts.clock.monotonic())
    this.#moved()
  }

  /** A real cell came the other way. */
  received(): void {
    const now = this.#parts.clock.monotonic()
    this.#machine?.tell('received', now)
    if (++this.#came > CROWD) this.#crowd(now)
    this.#moved()
  }

  paddingReceived(): void {
    this.#machine?.tell('paddingReceived', this.#parts.clock.monotonic())
    this.#moved()
  }

  onDue(now: number): void {
    if (this.#machine !== undefined && this.#machine.dueAt <= now) this.#padNow(this.#machine, now)
    if ((this.#forward?.openAt ?? Infinity) <= now) this.#forward?.open()
    if ((this.#backward?.openAt ?? Infinity) <= now) this.#backward?.open()
  }

  /** Where cells wait they go in place of padding: nobody can tell, and it costs nothing. */
  #padNow(machine: PaddingMachine, now: number): void {
    const isTime = machine.padAt <= now
    this.#came = 0
    if (isTime && this.#padded !== undefined && this.#padded.size > 0) {
      machine.skip(now)
      if (this.#padded.openForPadding() > CROWD) this.#crowd(now)
    } else if (machine.due(now)) this.#pad()
  }

  /** Lets out all that waits, as the circuit ends. */
  flush(): void {
    this.#forward?.open()
    this.#backward?.open()
  }

  /** Forgets what waits; twice does nothing. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#forward?.close()
    this.#backward?.close()
    this.#parts.due.remove(this)
  }

  #crowd(now: number): void {
    this.#came = 0
    this.#machine?.tell('crowd', now)
  }

  #moved(): void {
    this.#parts.due.moved(this)
  }
}
