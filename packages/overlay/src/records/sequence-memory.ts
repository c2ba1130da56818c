import type { RecordKey } from './record-store.ts'

/**
 * The highest sequence that a node has read or written for each mutable record: what is older is never shown to it
 * again, even if every holder forgot.
 */
export interface SequenceMemory {
  /** The highest sequence seen; undefined for a key that was never seen. */
  highest(key: RecordKey): number | undefined
  /** Remembers a sequence; a lower one than the highest changes nothing. */
  note(key: RecordKey, sequence: number): void
}
