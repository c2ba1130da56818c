import { type CellClass, type CellFlow, FlowList } from './cell-flow.ts'
import { CellStore } from './cell-store.ts'
import { BULK_QUANTUM, INTERACTIVE_CELLS, INTERACTIVE_QUANTUM, PEER_FACTOR } from './queue-limits.ts'

/** Cells that a queue dropped, by why. */
export interface QueueDrops {
  /** No room for another one of its circuit or neighbour. */
  queueFull: number
  /** Its circuit's queue stood for too long (CoDel). */
  queueLate: number
}

/**
 * The queue of a node: deficit round robin over the directions of circuits (Shreedhar and Varghese, 1996), those first that ask for less than
 * their share, and CoDel on each, as in FQ-CoDel (RFC 8290, section 4). Every cell is as long as any other, so deficits are counted in cells. Room is shared by dynamic thresholds
 * (Choudhury and Hahne, 1998): who has most waiting finds the queue full first, and some room is always left for others.
 *
 * The class of a circuit follows from what it asks for, and is never said: `realtime`, one that had nothing waiting when its turn was
 * over, goes before all others, for one quantum; `interactive`, one that has taken little lately, has the larger quantum; `bulk` the smaller.
 */
export class FairQueue<T> {
  readonly #store: CellStore
  readonly #drops: QueueDrops
  /** Cells that left after they had waited, by the class that their circuit had then. */
  readonly served: Record<CellClass, number> = { realtime: 0, interactive: 0, bulk: 0 }
  readonly #fresh = new FlowList<T>()
  readonly #rest = new FlowList<T>()

  constructor(capacity: number, drops: QueueDrops) {
    this.#store = new CellStore(capacity)
    this.#drops = drops
  }

  /** Cells that wait. */
  get size(): number {
    return this.#store.size
  }

  /** Whether there is room for one more cell of the flow. */
  hasRoom({ cells, share }: CellFlow<T>): boolean {
    const free = this.#store.capacity - this.#store.size
    return cells.length < free && share.waiting < PEER_FACTOR * free
  }

  /** Copies a cell's body behind the others of its flow; false when it was dropped. */
  enqueue(flow: CellFlow<T>, body: Uint8Array, now: number): boolean {
    if (flow.isGone || !this.hasRoom(flow)) {
      this.#drops.queueFull++
      flow.dropped++
      return false
    }
    this.#store.append(flow.cells, body, now)
    flow.share.waiting++
    if (flow.list !== 'none') return true
    flow.deficit = quantum(flow, now)
    flow.list = 'fresh'
    this.#fresh.push(flow)
    return true
  }

  /** Copies the cell whose turn it is. @returns its flow; undefined when nothing waits. */
  dequeue(into: Uint8Array, now: number): CellFlow<T> | undefined {
    for (;;) {
      const flow = this.#fresh.first ?? this.#rest.first
      if (flow === undefined) return undefined
      if (flow.cells.length === 0) this.#leave(flow)
      else if (flow.deficit <= 0) {
        flow.deficit += quantum(flow, now)
        this.#toRest(flow)
      } else if (this.#isLate(flow, now)) this.#drop(flow)
      else {
        this.served[classOf(flow)]++
        flow.deficit--
        flow.credit--
        this.take(flow, into)
        return flow
      }
    }
  }

  /** Copies the next cell of a flow out of its turn; false when it has none. */
  take(flow: CellFlow<T>, into: Uint8Array): boolean {
    if (flow.cells.length === 0) return false
    flow.share.waiting--
    this.#store.shift(flow.cells, into)
    return true
  }

  /** Drops all of a flow, which takes nothing any more. */
  remove(flow: CellFlow<T>): void {
    flow.isGone = true
    while (flow.cells.length > 0) {
      flow.share.waiting--
      this.#store.shift(flow.cells)
    }
  }

  #isLate({ cells, coDel }: CellFlow<T>, now: number): boolean {
    return coDel?.drops(now - this.#store.since(cells), cells.length - 1, now) ?? false
  }

  #drop(flow: CellFlow<T>): void {
    this.#drops.queueLate++
    flow.dropped++
    flow.share.waiting--
    this.#store.shift(flow.cells)
  }

  /** One that ran empty before its turn was over waits for the others' turn all the same, or two could starve them (RFC 8290, section 4.2). */
  #leave(flow: CellFlow<T>): void {
    if (flow.list === 'fresh' && this.#rest.first !== undefined && !flow.isGone) this.#toRest(flow)
    else {
      this.#listOf(flow).shift()
      flow.list = 'none'
    }
  }

  #toRest(flow: CellFlow<T>): void {
    this.#listOf(flow).shift()
    flow.list = 'rest'
    this.#rest.push(flow)
  }

  #listOf({ list }: CellFlow<T>): FlowList<T> {
    return list === 'fresh' ? this.#fresh : this.#rest
  }
}

function classOf<T>(flow: CellFlow<T>): CellClass {
  if (flow.list === 'fresh') return 'realtime'
  return flow.credit > 0 ? 'interactive' : 'bulk'
}

function quantum<T>(flow: CellFlow<T>, now: number): number {
  const back = ((now - flow.creditAt) / 1_000) * INTERACTIVE_CELLS
  flow.credit = Math.min(INTERACTIVE_CELLS, Math.max(0, flow.credit) + back)
  flow.creditAt = now
  return flow.credit >= INTERACTIVE_QUANTUM ? INTERACTIVE_QUANTUM : BULK_QUANTUM
}
