import { type CongestionController } from './congestion-controller.ts'
import { HyStart } from './hystart.ts'
import { INITIAL_CWND, MAX_CWND, MIN_CWND } from './tuning.ts'

/** RFC 9438: multiplicative decrease (section 4.6) and the scale of the cubic (section 5.1). */
const BETA = 0.7
const C = 0.4
/** Additive increase that is as fair as Reno with this BETA (section 4.3). */
const ALPHA = (3 * (1 - BETA)) / (1 + BETA)

/** CUBIC (RFC 9438) with the start of RFC 9406. */
export class Cubic implements CongestionController {
  #window = INITIAL_CWND
  #threshold = Infinity
  readonly #hystart = new HyStart()
  /** W_max and K of section 4.2; ms at which the epoch began, NaN before the first ACK of it. */
  #wMax = 0
  #k = 0
  #epoch = Number.NaN
  #lastAck = 0
  #wEst = 0
  #priorWindow = 0
  #before = { window: 0, threshold: 0, wMax: 0, k: 0, epoch: 0, wEst: 0, priorWindow: 0 }

  get window(): number {
    return this.#window
  }

  get isSlowStart(): boolean {
    return this.#window < this.#threshold
  }

  onRtt(sample: number): void {
    if (this.#threshold === Infinity) this.#hystart.onRtt(sample)
  }

  onRound(): void {
    if (this.#threshold === Infinity) this.#hystart.onRound()
  }

  onAcked(packets: number, now: number, smoothedRtt: number, limited: boolean): void {
    const since = now - this.#lastAck
    this.#lastAck = now
    if (!limited) {
      // Time in which the application sent too little does not count as growth (section 5.8).
      this.#epoch += since
      return
    }
    if (this.isSlowStart) {
      this.#window = Math.min(this.#window + packets / this.#hystart.divisor, this.#threshold, MAX_CWND)
      if (this.#threshold === Infinity && this.#hystart.done) this.#threshold = this.#window
      return
    }
    this.#avoid(packets, now, smoothedRtt)
  }

  #avoid(packets: number, now: number, smoothedRtt: number): void {
    if (Number.isNaN(this.#epoch)) {
      this.#epoch = now
      this.#wMax = Math.max(this.#wMax, this.#window)
      this.#k = Math.cbrt((this.#wMax - this.#window) / C)
      this.#wEst = this.#window
      this.#priorWindow = this.#wMax
    }
    const seconds = (now - this.#epoch) / 1000
    const cubic = C * (seconds - this.#k) ** 3 + this.#wMax
    this.#wEst += ((this.#wEst < this.#priorWindow ? ALPHA : 1) * packets) / this.#window
    let next = this.#window
    if (cubic < this.#wEst) next = Math.max(next, this.#wEst)
    else {
      const ahead = C * (seconds + smoothedRtt / 1000 - this.#k) ** 3 + this.#wMax
      const target = Math.min(Math.max(ahead, this.#window), 1.5 * this.#window)
      next += ((target - this.#window) / this.#window) * packets
    }
    this.#window = Math.min(next, MAX_CWND)
  }

  onCongestion(now: number, floor: number): void {
    this.#before = {
      window: this.#window,
      threshold: this.#threshold,
      wMax: this.#wMax,
      k: this.#k,
      epoch: this.#epoch,
      wEst: this.#wEst,
      priorWindow: this.#priorWindow,
    }
    // Fast convergence (section 4.7): a window that shrinks leaves room for newcomers.
    this.#wMax = this.#window < this.#wMax ? (this.#window * (1 + BETA)) / 2 : this.#window
    this.#priorWindow = this.#window
    this.#window = Math.max(this.#window * BETA, Math.min(floor, this.#window), MIN_CWND)
    this.#threshold = this.#window
    this.#k = Math.cbrt(Math.max(0, this.#wMax - this.#window) / C)
    this.#wEst = this.#window
    this.#epoch = now
    this.#lastAck = now
  }

  /** Section 4.9: what the window was before a congestion that was none. */
  onSpuriousCongestion(now: number): void {
    const before = this.#before
    if (before.window <= this.#window) return
    this.#window = before.window
    this.#threshold = before.threshold
    this.#wMax = before.wMax
    this.#k = before.k
    this.#wEst = before.wEst
    this.#priorWindow = before.priorWindow
    this.#epoch = before.epoch
    this.#lastAck = now
  }

  onPersistentCongestion(): void {
    this.#window = MIN_CWND
    this.#epoch = Number.NaN
  }
}
