import type { Clock } from '@weft/core'
import type { Session } from '@weft/onion'
import { Alarm } from './alarm.ts'
import type { FlushQueue, Flushable } from './flush-queue.ts'

/** Packets that a session sends before others have their turn. */
const SHARE = 64
/** ms after which a session whose circuit takes nothing is looked at for anything but that; it is woken when the circuit does. */
const HELD_MS = 25

export interface SealedSender {
  /** Takes a packet, lets `fill` write its payload and tell its number, seals and sends it; false when it cannot. */
  seal(fill: (payload: Uint8Array) => number): boolean
}

/** Moves a session: hands its packets to its circuit, and wakes it when it wants to be. */
export class SessionDriver implements Flushable {
  readonly session: Session
  readonly #circuit: SealedSender
  readonly #queue: FlushQueue
  readonly #clock: Clock
  readonly #alarm: Alarm
  readonly #fill: (payload: Uint8Array) => number
  #closed = false

  constructor(session: Session, circuit: SealedSender, queue: FlushQueue, clock: Clock) {
    this.session = session
    this.#circuit = circuit
    this.#queue = queue
    this.#clock = clock
    this.#fill = (payload) => session.fill(payload)
    this.#alarm = new Alarm(clock, () => {
      session.onTimeout()
      this.wake()
    })
  }

  /** To be called whenever the session may have something to send or another time to wait for. */
  wake(): void {
    if (!this.#closed) this.#queue.mark(this)
  }

  flush(): boolean {
    if (this.#closed) return false
    this.session.endBatch()
    let left = SHARE
    let isHeld = false
    while (left > 0 && !isHeld && this.session.wantsToSend()) {
      isHeld = !this.#circuit.seal(this.#fill)
      if (!isHeld) left--
    }
    const due = this.session.nextTimeout()
    this.#alarm.set(isHeld && due !== undefined ? Math.max(due, this.#clock.monotonic() + HELD_MS) : due)
    return left === 0
  }

  close(): void {
    this.#closed = true
    this.#alarm.clear()
    this.#queue.remove(this)
  }
}
