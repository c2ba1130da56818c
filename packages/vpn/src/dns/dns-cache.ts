import type { DnsAnswer } from './dns-answer.ts'

interface Kept {
  readonly answer: DnsAnswer
  /** Monotonic ms. */
  readonly since: number
  readonly until: number
}

const MAX_ENTRIES = 4_096
const MAX_BYTES = 4 * 1024 * 1024
/** Bytes that an entry takes beside its message, as records and keys of the heap. */
const ENTRY_BYTES = 512
const RECORD_BYTES = 96
/** Seconds for which an answer is kept at most, whatever it says. */
const MAX_SECONDS = 3_600

/** Answers by question, until they are too old or others need the room: the one used longest ago goes first. */
export class DnsCache {
  readonly #kept = new Map<string, Kept>()
  #bytes = 0

  get size(): number {
    return this.#kept.size
  }

  /** @param now monotonic ms. The answer and how old it is, whole seconds. */
  find(key: string, now: number): { readonly answer: DnsAnswer; readonly ageSeconds: number } | undefined {
    const kept = this.#kept.get(key)
    if (kept === undefined) return undefined
    this.#remove(key, kept)
    if (now >= kept.until) return undefined
    this.#add(key, kept)
    return { answer: kept.answer, ageSeconds: Math.floor((now - kept.since) / 1_000) }
  }

  /** @param seconds 0 for not at all */
  keep(key: string, answer: DnsAnswer, seconds: number, now: number): void {
    const old = this.#kept.get(key)
    if (old !== undefined) this.#remove(key, old)
    const lifetime = Math.min(seconds, MAX_SECONDS)
    if (lifetime <= 0 || costOf(answer) > MAX_BYTES / 16) return
    this.#add(key, { answer, since: now, until: now + lifetime * 1_000 })
    for (const [oldest, kept] of this.#kept) {
      if (this.#kept.size <= MAX_ENTRIES && this.#bytes <= MAX_BYTES) break
      this.#remove(oldest, kept)
    }
  }

  #add(key: string, kept: Kept): void {
    this.#kept.set(key, kept)
    this.#bytes += costOf(kept.answer)
  }

  #remove(key: string, kept: Kept): void {
    this.#kept.delete(key)
    this.#bytes -= costOf(kept.answer)
  }
}

function costOf({ bytes, records }: DnsAnswer): number {
  return ENTRY_BYTES + bytes.length + records.length * RECORD_BYTES
}
