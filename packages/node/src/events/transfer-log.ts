import type { StorageEvents } from '@weft/storage'

export type Transfer = StorageEvents['transfer'] & {
  /** ms since the epoch. */
  readonly startedAt: number
  /** ms since the epoch of the newest news. */
  readonly updatedAt: number
}

/** Ended transfers that are remembered, so that whoever lost an answer can read how it ended. */
const MAX_ENDED = 100

/** Transfers under way and the last hundred that ended, newest first. Counts what went through. */
export class TransferLog {
  readonly #running = new Map<string, Transfer>()
  readonly #ended: Transfer[] = []
  /** Holders that fell out of puts. */
  holdersLost = 0
  readonly totals = { put: { done: 0, failed: 0, bytes: 0 }, get: { done: 0, failed: 0, bytes: 0 } }

  /** @param now ms since the epoch */
  record(news: StorageEvents['transfer'], now: number): Transfer {
    const before = this.#running.get(news.id)
    const transfer = { ...news, startedAt: before?.startedAt ?? now, updatedAt: now }
    const total = this.totals[news.kind]
    total.bytes += Math.max(0, news.bytes - (before?.bytes ?? 0))
    if (news.state === 'running') {
      this.#running.set(news.id, transfer)
    } else {
      total[news.state]++
      this.#running.delete(news.id)
      this.#ended.unshift(transfer)
      if (this.#ended.length > MAX_ENDED) this.#ended.pop()
    }
    return transfer
  }

  get running(): number {
    return this.#running.size
  }

  list(): readonly Transfer[] {
    return [...[...this.#running.values()].toReversed(), ...this.#ended]
  }
}
