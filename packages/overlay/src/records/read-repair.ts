import { type Scope, Semaphore } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { Answers } from './ask-holders.ts'
import type { RecordPlan } from './record-placement.ts'
import type { HolderAnswer, RecordPeers } from './record-peers.ts'
import { type VerifiedRecord, compareVersions } from './record.ts'

/** Repairs at once, and repairs that may wait; further ones are left to the next reader. */
const PARALLEL = 4
const MAX_WAITING = 64
/** ms for one holder to take a record. */
const TIMEOUT = 5_000

/** Brings holders that answered with less than the newest version up to it, in the background. */
export class ReadRepair {
  readonly #peers: RecordPeers
  readonly #slots = new Semaphore(PARALLEL)
  readonly #scope: Scope
  readonly #now: () => number
  readonly #running = new Set<Promise<void>>()

  constructor(peers: RecordPeers, scope: Scope, now: () => number) {
    this.#peers = peers
    this.#scope = scope
    this.#now = now
    scope.defer('read repair', () => this.idle())
  }

  /** @param settled when the last answers are in. */
  start(plan: RecordPlan, newest: VerifiedRecord, answers: Answers<HolderAnswer>, settled: Promise<void>): void {
    if (this.#slots.waiting >= MAX_WAITING || this.#running.size >= MAX_WAITING + PARALLEL) return
    const running = this.#repair(plan, newest, answers, settled).finally(() => this.#running.delete(running))
    this.#running.add(running)
  }

  /** Resolves when no repair is under way. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  async #repair(
    plan: RecordPlan,
    newest: VerifiedRecord,
    answers: Answers<HolderAnswer>,
    settled: Promise<void>,
  ): Promise<void> {
    await settled
    const { signal } = this.#scope
    if (signal.aborted || newest.expiresAt <= this.#now()) return
    const behind = plan.holders.filter((id) => isBehind(id, newest, answers))
    if (behind.length === 0) return
    try {
      await this.#slots.use(async () => {
        await Promise.allSettled(behind.map((id) => this.#peers.put(id, newest, { signal, timeoutMs: TIMEOUT })))
      }, signal)
    } catch {
      // The node is closing; the next reader repairs.
    }
  }
}

function isBehind(id: DidKey, newest: VerifiedRecord, { given }: Answers<HolderAnswer>): boolean {
  if (!given.has(id)) return false
  const has = given.get(id)
  if (has === undefined) return true
  const relation = compareVersions(newest, has)
  return relation === 'newer' || relation === 'longer'
}
