import { toHex } from '@weft/core'
import type { RecordKey } from './record-store.ts'
import type { SequenceMemory } from './sequence-memory.ts'

/** Keys that are remembered; the ones that were not used for longest go first. About 200 bytes each. */
const MAX_KEYS = 50_000

/** Seen sequences in memory: for nodes that have no disk, as those of a simulation. */
export class MemorySequences implements SequenceMemory {
  /** By key, hex; in the order of their last use. */
  readonly #seen = new Map<string, number>()

  highest(key: RecordKey): number | undefined {
    return this.#seen.get(toHex(key))
  }

  note(key: RecordKey, sequence: number): void {
    const hex = toHex(key)
    const before = this.#seen.get(hex)
    if (before !== undefined && before >= sequence) return
    this.#seen.delete(hex)
    this.#seen.set(hex, sequence)
    const [first] = this.#seen.keys()
    if (this.#seen.size > MAX_KEYS && first !== undefined) this.#seen.delete(first)
  }
}
