import { type CellChain, newChain } from './cell-store.ts'
import type { CoDel } from './codel.ts'
import { INTERACTIVE_CELLS } from './queue-limits.ts'

/** What the circuits of a neighbour's key have of a queue, over all links with it. */
export interface PeerShare {
  /** Name of the key. */
  readonly peer: string
  /** Cells that wait. */
  waiting: number
  /** Directions of circuits that have it. */
  flows: number
}

export function newShare(peer: string): PeerShare {
  return { peer, waiting: 0, flows: 0 }
}

/** What a hop takes a circuit for, by nothing but what it asked of the queue. */
export type CellClass = 'realtime' | 'interactive' | 'bulk'

/** One direction of a circuit at a queue. */
export interface CellFlow<T> {
  readonly owner: T
  readonly share: PeerShare
  readonly cells: CellChain
  /** Undefined where the sender is asked to wait instead. */
  readonly coDel: CoDel | undefined
  /** Deficit round robin: cells that it may send before others have their turn. */
  deficit: number
  /** In none, among those that came since their last round, or among the others. */
  list: 'none' | 'fresh' | 'rest'
  /** The one behind it in its list. */
  next: CellFlow<T> | undefined
  /** Cells that it may have at the larger quantum, as of `creditAt`, monotonic ms. */
  credit: number
  creditAt: number
  isGone: boolean
  /** Cells of it that were dropped for want of room, or as too late. */
  dropped: number
}

export function newFlow<T>(owner: T, share: PeerShare, coDel: CoDel | undefined, now: number): CellFlow<T> {
  return {
    owner,
    share,
    cells: newChain(),
    coDel,
    deficit: 0,
    list: 'none',
    next: undefined,
    credit: INTERACTIVE_CELLS,
    creditAt: now,
    isGone: false,
    dropped: 0,
  }
}

/** First in, first out. */
export class FlowList<T> {
  #first: CellFlow<T> | undefined
  #last: CellFlow<T> | undefined

  get first(): CellFlow<T> | undefined {
    return this.#first
  }

  push(flow: CellFlow<T>): void {
    if (this.#last === undefined) this.#first = flow
    else this.#last.next = flow
    this.#last = flow
  }

  shift(): void {
    const flow = this.#first
    if (flow === undefined) return
    this.#first = flow.next
    flow.next = undefined
    if (this.#first === undefined) this.#last = undefined
  }
}
