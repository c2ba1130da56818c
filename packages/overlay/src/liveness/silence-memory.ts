import type { DidKey, SignedEnvelope } from '@weft/crypto'
import { LOOK_AGAIN_MS, MAX_SILENCES } from './liveness-limits.ts'

interface Silence {
  readonly suspicion: SignedEnvelope
  readonly incarnation: bigint
  readonly until: number
}

/**
 * What a helper saw when it last looked at a node that was silent, for a short while: when a node fails, all its
 * neighbours ask at once. Times are ms of the monotonic clock.
 */
export class SilenceMemory {
  /** The oldest first. */
  readonly #silences = new Map<DidKey, Silence>()

  /** @param incarnation that the suspicion is of, at least */
  put(target: DidKey, incarnation: bigint, suspicion: SignedEnvelope, now: number): void {
    this.#silences.delete(target)
    this.#silences.set(target, { suspicion, incarnation, until: now + LOOK_AGAIN_MS })
    const [oldest] = this.#silences.keys()
    if (this.#silences.size > MAX_SILENCES && oldest !== undefined) this.#silences.delete(oldest)
  }

  /** A suspicion of this incarnation or a later one; undefined when a look is due. */
  get(target: DidKey, incarnation: bigint, now: number): SignedEnvelope | undefined {
    const silence = this.#silences.get(target)
    return silence !== undefined && now < silence.until && incarnation <= silence.incarnation
      ? silence.suspicion
      : undefined
  }

  /** The node was heard. */
  forget(target: DidKey): void {
    this.#silences.delete(target)
  }
}
