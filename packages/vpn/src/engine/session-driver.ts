import type { Clock } from '@weft/core'
import type { Session } from '@weft/onion'
import { Alarm } from './alarm.ts'
import type { FlushQueue, Flushable } from './flush-queue.ts'

/** Packets that a session sends before others have their turn. */
const SHARE = 64

export interface SealedSender {
  /** Takes a packet, lets `fill` write its payload and tell its number, seals and sends it; false when it cannot. */
  seal(fill: (payload: Uint8Array) => number): boolean
}

/** Moves a session: hands its packets to its circuit, and wakes it when it wants to be. */
export class SessionDriver implements Flushable {
  readonly session: Session
  readonly #circuit: SealedSender
  readonly #queue: FlushQueue
  readonly #alarm: Alarm
  readonly #fill: (payload: Uint8Array) => number
  #closed = false

  constructor(session: Session, circuit: SealedSender, queue: FlushQueue, clock: Clock) {
    this.session = session
    this.#circuit = circuit
    this.#queue = queue
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
    while (left > 0 && this.session.wantsToSend()) {
      if (!this.#circuit.seal(this.#fill)) break
      left--
    }
    this.#alarm.set(this.session.nextTimeout())
    return left === 0
  }

  close(): void {
    this.#closed = true
    this.#alarm.clear()
    this.#queue.remove(this)
  }
}
