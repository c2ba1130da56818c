import type { Clock } from '@weft/core'
import { Packet } from '../packet/packet.ts'
import type { CellAllowance } from './cell-bucket.ts'
import { type CellClass, type CellFlow, type PeerShare, newFlow, newShare } from './cell-flow.ts'
import { CoDel } from './codel.ts'
import { FairQueue, type QueueDrops } from './fair-queue.ts'
import { CODEL_TARGET_MS, MAX_WAITING_CELLS, OWN_WAITING_CELLS, SMALL_BATCH, TURN_CELLS } from './queue-limits.ts'

export interface CellQueueOptions<T> {
  readonly clock: Pick<Clock, 'monotonic'>
  /** The operator's limit; none when left out. */
  readonly allowance?: CellAllowance
  /** Passes on a cell that waited. The slot is valid during the call only, and may be changed. */
  readonly pass: (owner: T, packet: Packet) => void
  /** There is room again for one that was asked to wait. */
  readonly onRoom: (owner: T) => void
  /** Something waits: {@link CellQueue.serve} is wanted in the next turn. */
  readonly onWaiting: () => void
  readonly drops: QueueDrops
  /** Cells kept at most; another number only in tests. */
  readonly capacity?: number
}

/**
 * What stands before the cells that a node carries for others (docs/adr/0045-queues.md). They go on at once as long as nothing
 * holds them back: neither the operator's limit, nor a system that takes no more, nor a turn that is long already. What is held back
 * waits in a {@link FairQueue}. Cells wait as they came, before any layer is opened, so that one that is dropped costs no more; an
 * exit's own wait sealed, and few of them, since its sessions can wait themselves.
 */
export class CellQueue<T> {
  readonly #options: CellQueueOptions<T>
  readonly #queue: FairQueue<T>
  readonly #bucket: CellAllowance | undefined
  readonly #target: number
  /** Of those neighbours that have flows, by name. */
  readonly #shares = new Map<string, PeerShare>()
  /** Asked to wait. */
  readonly #refused = new Set<CellFlow<T>>()
  readonly #packet = new Packet()
  /** Cells that may go on at once, and how many were allowed when that was last looked at. */
  #straight = 0
  #allowed = 0
  /** Left of this turn. */
  #turn = TURN_CELLS
  /** Cells that began to wait since the last turn. */
  #entered = 0
  #isHeld = false

  constructor(options: CellQueueOptions<T>) {
    const { allowance, drops, capacity } = options
    this.#options = options
    this.#queue = new FairQueue(capacity ?? MAX_WAITING_CELLS, drops)
    this.#bucket = allowance
    // Where two cells take longer than CoDel's target, waiting for one other is no queue (RFC 8289, section 4.2).
    this.#target = Math.max(CODEL_TARGET_MS, 2 * (this.#bucket?.cellMs ?? 0))
    this.#allow()
  }

  /** Cells that wait. */
  get size(): number {
    return this.#queue.size
  }

  /** Neighbours that have a share of it now. */
  get peers(): number {
    return this.#shares.size
  }

  /** Cells that left after they had waited, by class. */
  get served(): Readonly<Record<CellClass, number>> {
    return this.#queue.served
  }

  /**
   * One direction of a circuit, until {@link remove}. @param peer name of the neighbour that its client is behind @param isOwn whether its
   * cells are made here, by who can wait instead of having them dropped
   */
  flow(owner: T, peer: string, isOwn: boolean): CellFlow<T> {
    let share = this.#shares.get(peer)
    if (share === undefined) {
      share = newShare(peer)
      this.#shares.set(peer, share)
    }
    share.flows++
    return newFlow(owner, share, isOwn ? undefined : new CoDel(this.#target), this.#now())
  }

  /** A batch of so many packets came: the next cells may be of it. */
  begin(count: number): void {
    this.#settle()
    if (count < SMALL_BATCH && this.size === 0) this.#turn = TURN_CELLS
    else this.#options.onWaiting()
    this.#allow()
  }

  /** Whether a cell may go on at once; it counts as gone then. */
  mayPass(): boolean {
    if (this.#straight === 0) return false
    this.#straight--
    return true
  }

  /** Keeps a cell until its turn; false when it was dropped. */
  enqueue(flow: CellFlow<T>, body: Uint8Array): boolean {
    this.#settle()
    this.#straight = 0
    this.#allowed = 0
    this.#entered++
    this.#options.onWaiting()
    return this.#queue.enqueue(flow, body, this.#now())
  }

  /** Whether one more cell of a sender that can wait has a place; if not, `onRoom` tells when it has. */
  hasRoom(flow: CellFlow<T>): boolean {
    const hasRoom = flow.cells.length < OWN_WAITING_CELLS && this.#queue.hasRoom(flow)
    if (!hasRoom) this.#refused.add(flow)
    return hasRoom
  }

  /** Passes on all of a flow out of its turn. */
  drain(flow: CellFlow<T>): void {
    while (this.#queue.take(flow, this.#packet.body)) {
      this.#bucket?.take(1)
      this.#options.pass(flow.owner, this.#packet)
    }
  }

  /** The circuit is gone; twice does nothing. */
  remove(flow: CellFlow<T>): void {
    if (flow.isGone) return
    this.#refused.delete(flow)
    this.#queue.remove(flow)
    const { share } = flow
    share.flows--
    if (share.flows === 0) this.#shares.delete(share.peer)
  }

  /** The system takes no more packets, or does again. */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld
    this.#settle()
    this.#allow()
    if (!isHeld) this.#options.onWaiting()
  }

  /** Begins a turn: passes on what may go, each in its turn. True when another turn would pass on more. */
  serve(): boolean {
    const { pass, onRoom } = this.#options
    const now = this.#now()
    this.#settle()
    this.#turn = TURN_CELLS
    // Half of what comes at least, whatever comes: a turn that only reads would carry nothing.
    let left = Math.min(this.#bucket?.available(now) ?? Infinity, Math.max(TURN_CELLS, this.#entered / 2))
    this.#entered = 0
    while (left >= 1 && !this.#isHeld) {
      const flow = this.#queue.dequeue(this.#packet.body, now)
      if (flow === undefined) break
      left--
      this.#bucket?.take(1)
      pass(flow.owner, this.#packet)
    }
    this.#allow()
    const refused = [...this.#refused]
    this.#refused.clear()
    for (const flow of refused) if (this.hasRoom(flow)) onRoom(flow.owner)
    return this.size > 0 && !this.#isHeld && (this.#bucket?.available(now) ?? 1) > 0
  }

  /** When {@link serve} is wanted for the operator's limit, monotonic ms; undefined when nothing waits for that. */
  nextTimeout(): number | undefined {
    return this.size === 0 || this.#isHeld ? undefined : this.#bucket?.dueAt()
  }

  #now(): number {
    return this.#options.clock.monotonic()
  }

  /** Accounts for the cells that went straight. */
  #settle(): void {
    const gone = this.#allowed - this.#straight
    this.#turn -= gone
    this.#bucket?.take(gone)
    this.#allowed = this.#straight
  }

  #allow(): void {
    const isFree = this.size === 0 && !this.#isHeld
    const most = this.#bucket?.available(this.#now()) ?? Infinity
    this.#straight = isFree ? Math.max(0, Math.min(this.#turn, most)) : 0
    this.#allowed = this.#straight
  }
}
