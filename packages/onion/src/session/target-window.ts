import { type KnownTarget } from './channel-target.ts'
import { CHANNEL_TARGETS } from './protocol.ts'

/**
 * The targets of a channel that have a number: the newest CHANNEL_TARGETS of them. Both sides forget by the same rule, so a number
 * never stands for another target than its sender meant, however late its datagram comes.
 */
export class TargetWindow {
  readonly #slots: (KnownTarget | undefined)[] = []
  #highest = -1

  get highest(): number {
    return this.#highest
  }

  /** The target that `number` stands for; undefined when it was never named or is forgotten. */
  find(number: number): KnownTarget | undefined {
    const target = this.#slots[number % CHANNEL_TARGETS]
    return target?.number === number && this.isLive(number) ? target : undefined
  }

  isLive(number: number): boolean {
    return number > this.#highest - CHANNEL_TARGETS
  }

  /** Keeps a live target; returns the one whose place it takes. */
  add(target: KnownTarget): KnownTarget | undefined {
    const at = target.number % CHANNEL_TARGETS
    const before = this.#slots[at]
    this.#slots[at] = target
    this.#highest = Math.max(this.#highest, target.number)
    return before
  }

  /** Forgets all; returns how many places were taken. */
  clear(): number {
    let count = 0
    for (const target of this.#slots) if (target !== undefined) count++
    this.#slots.length = 0
    return count
  }
}
