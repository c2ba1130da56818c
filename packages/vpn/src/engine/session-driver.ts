import type { Clock } from '@weft/core'
import type { Session, SessionLeg } from '@weft/onion'
import { Alarm } from './alarm.ts'
import type { FlushQueue, Flushable } from './flush-queue.ts'

/** Packets that a session sends before others have their turn. */
const SHARE = 64
/** ms after which a leg whose circuit takes nothing is tried again; it is woken when the circuit does. */
const HELD_MS = 25

export interface SealedSender {
  /** Takes a packet, lets `fill` write its payload and tell its number, seals and sends it; false when it cannot. */
  seal(fill: (payload: Uint8Array) => number): boolean
}

/** Moves a session: hands its packets to its circuits, and wakes it when it wants to be. */
export class SessionDriver implements Flushable {
  readonly session: Session
  readonly #senders = new Map<SessionLeg, SealedSender>()
  readonly #queue: FlushQueue
  readonly #clock: Clock
  readonly #alarm: Alarm
  readonly #fill: (payload: Uint8Array) => number
  /** The one that a packet is filled for. */
  #leg: SessionLeg
  #closed = false

  constructor(session: Session, queue: FlushQueue, clock: Clock) {
    this.session = session
    this.#queue = queue
    this.#clock = clock
    this.#leg = session.first
    this.#fill = (payload) => session.fill(payload, this.#leg)
    this.#alarm = new Alarm(clock, () => {
      session.onTimeout()
      this.wake()
    })
  }

  /** What goes over a leg goes by this circuit. */
  carry(leg: SessionLeg, circuit: SealedSender): void {
    this.#senders.set(leg, circuit)
  }

  drop(leg: SessionLeg): void {
    this.#senders.delete(leg)
  }

  /** To be called whenever the session may have something to send or another time to wait for. */
  wake(): void {
    if (!this.#closed) this.#queue.mark(this)
  }

  flush(): boolean {
    if (this.#closed) return false
    this.session.endBatch()
    for (const leg of this.#senders.keys()) leg.isHeld = false
    let left = SHARE
    let isHeld = false
    for (let leg = this.session.next(); left > 0 && leg !== undefined; leg = this.session.next()) {
      this.#leg = leg
      if (this.#senders.get(leg)?.seal(this.#fill) === true) left--
      else {
        leg.isHeld = true
        isHeld = true
      }
    }
    const due = this.session.nextTimeout()
    const tryAgainAt = isHeld ? this.#clock.monotonic() + HELD_MS : undefined
    this.#alarm.set(due === undefined || tryAgainAt === undefined ? (due ?? tryAgainAt) : Math.min(due, tryAgainAt))
    return left === 0
  }

  close(): void {
    this.#closed = true
    this.#alarm.clear()
    this.#queue.remove(this)
  }
}
