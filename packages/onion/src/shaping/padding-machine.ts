import type { Padding } from '../circuit/padding.ts'
import { type Distribution, draw } from './distribution.ts'
import { PaddingBudget, type PaddingLimits } from './padding-budget.ts'

/**
 * What a machine is told: a real cell of its direction was sent, one of the other direction came; a padding cell went (or would have gone, had
 * the budget let it), one came; that a state has sent all that it is to send, and that
 * many cells left at one time of its own, or came from one to the next.
 */
export type PaddingEvent = 'sent' | 'received' | 'paddingSent' | 'paddingReceived' | 'limit' | 'crowd'

/** A way to the state of that number; of several, one is taken by chance, or none where the chances leave something. */
interface Way {
  readonly to: number
  readonly chance: number
  /** The time that was drawn stands: only the count is drawn anew. */
  readonly keepsTime?: true
}

export interface MachineState {
  /** ms until a padding cell goes; drawn when the state is entered, and after each such cell. Left out: none goes. */
  readonly wait?: Distribution
  /** Padding cells until `limit`, rounded up; drawn when the state is entered, by whichever way. Left out: no end. */
  readonly count?: Distribution
  /** Its times pass without a cell: it only waits for what comes. */
  readonly isSilent?: true
  /** Events that are left out change nothing. */
  readonly on: Readonly<Partial<Record<PaddingEvent, readonly Way[]>>>
}

/** A machine never changes; it begins in its first state. */
export interface PaddingPlan {
  readonly states: readonly MachineState[]
  readonly limits: PaddingLimits
}

/**
 * A probabilistic state machine that says when a padding cell is to go: of the kind of WTF-PAD (Juarez et al., 2016), Tor's circuit padding
 * and Maybenot (Pulls and Witwer, 2023). Whatever it is told, its budget holds. Sans-I/O; times are monotonic ms, and nothing is allocated for an event.
 */
export class PaddingMachine {
  readonly #plan: PaddingPlan
  readonly #random: Padding
  readonly #budget: PaddingBudget
  #state: MachineState
  #left = Infinity
  #dueAt = Infinity

  constructor(plan: PaddingPlan, random: Padding, now: number) {
    this.#plan = plan
    this.#random = random
    this.#budget = new PaddingBudget(plan.limits, now)
    this.#state = stateOf(plan, 0)
    this.#enter(this.#state, now)
  }

  /** When {@link due} is to be called; Infinity for never. */
  get dueAt(): number {
    return this.#dueAt
  }

  /** When a padding cell is due; Infinity for none. */
  get padAt(): number {
    return this.#state.isSilent === undefined ? this.#dueAt : Infinity
  }

  tell(event: PaddingEvent, now: number): void {
    if (event === 'sent') this.#budget.real()
    this.#follow(event, now)
  }

  /** Its time came. @returns whether a padding cell is to go */
  due(now: number): boolean {
    const { isSilent } = this.#state
    this.skip(now)
    return isSilent === undefined && this.#budget.take(now)
  }

  /** Its time came, and real cells go then: as {@link due}, and nothing is spent. */
  skip(now: number): void {
    this.#left--
    if (!this.#follow('paddingSent', now)) {
      if (this.#left > 0) this.#wait(now)
      else {
        this.#dueAt = Infinity
        if (!this.#follow('limit', now)) this.#enter(this.#state, now)
      }
    }
  }

  /** True where it led into a state. */
  #follow(event: PaddingEvent, now: number): boolean {
    const ways = this.#state.on[event]
    if (ways === undefined) return false
    let chance = this.#random.fraction()
    for (const way of ways) {
      chance -= way.chance
      if (chance >= 0) continue
      this.#enter(stateOf(this.#plan, way.to), now, way.keepsTime === true)
      return true
    }
    return false
  }

  #enter(state: MachineState, now: number, keepsTime = false): void {
    this.#state = state
    this.#left = state.count === undefined ? Infinity : Math.ceil(draw(state.count, this.#random.fraction()))
    if (!keepsTime) this.#wait(now)
  }

  #wait(now: number): void {
    const { wait } = this.#state
    this.#dueAt = wait === undefined ? Infinity : now + draw(wait, this.#random.fraction())
  }
}

function stateOf({ states }: PaddingPlan, at: number): MachineState {
  const state = states[at]
  if (state === undefined) throw new RangeError(`a machine of ${states.length} states has none of number ${at}`)
  return state
}
