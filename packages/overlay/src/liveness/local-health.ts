import { MAX_HEALTH } from './liveness-limits.ts'

/**
 * How far this node may trust its own observations (Lifeguard, section IV-A, the local health multiplier): probes that
 * fail though others get answers, helpers that do not reply and suspicions about itself say that it is the slow one,
 * and then it waits longer before it doubts anybody.
 */
export class LocalHealth {
  #score = 0

  get score(): number {
    return this.#score
  }

  worse(by = 1): void {
    this.#score = Math.min(MAX_HEALTH, this.#score + by)
  }

  better(): void {
    this.#score = Math.max(0, this.#score - 1)
  }

  /** A wait in ms as this node should keep it now. */
  scale(ms: number): number {
    return ms * (this.#score + 1)
  }
}
