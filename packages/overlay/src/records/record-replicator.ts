import {
  type Clock,
  type Logger,
  type Scope,
  Semaphore,
  isWeftError,
  messageOf,
  throwIfAborted,
  wait,
} from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { Membership } from '../member.ts'
import { recordQuorum } from './quorum.ts'
import type { HeldRecord, RecordHolder } from './record-holder.ts'
import type { RecordPeers } from './record-peers.ts'
import { type RecordPlacement, isSamePlacement } from './record-placement.ts'
import { verifyRecord } from './record.ts'

/** Records read from the database at a time. */
const PAGE = 64
/** Copies under way at once. By eight, nodes with a thousand records each had not placed them anew 30 s after the map without half of them. */
const PARALLEL = 32
/** ms for one holder to take a record. */
const TIMEOUT = 5_000
/** ms between complete passes without any change: they mend what was lost meanwhile. */
const FULL_PASS = 6 * 60 * 60 * 1000
/** ms between removals of what has expired. */
const SWEEP = 60_000

export interface ReplicatorParts {
  readonly self: DidKey
  readonly membership: Membership
  readonly holder: RecordHolder
  readonly peers: RecordPeers
  readonly placement: RecordPlacement
  readonly clock: Clock
  readonly logger: Logger
}

/** How far a node that leaves has come with its records. */
export interface HandOver {
  /** Looked at. */
  readonly records: number
  /** Of them those that a write quorum of the other holders has. */
  readonly safe: number
}

/**
 * Keeps records where they belong: after a change of members it copies what it holds to the holders that are new, every
 * six hours to all holders, and it removes what has expired. Of the holders of a record only the first f + 1 copy it, so
 * that one honest one does without all of them sending the same.
 */
export class RecordReplicator {
  readonly #parts: ReplicatorParts
  readonly #slots = new Semaphore(PARALLEL)

  constructor(parts: ReplicatorParts) {
    this.#parts = parts
  }

  /** Works until the scope closes. */
  start(scope: Scope): void {
    scope.spawn('record sweep', (signal) => this.#sweepLoop(signal))
    scope.spawn('record replication', (signal) => this.#copyLoop(signal, scope))
  }

  /** One pass over all records. @param all to every holder, in place of those that are new. */
  async pass(all: boolean, signal: AbortSignal): Promise<void> {
    let after = 0
    for (;;) {
      const page = this.#parts.holder.page(after, PAGE)
      const last = page.at(-1)
      if (last === undefined) return
      after = last.rowid
      await Promise.all(page.map((record) => this.#copy(record, all, signal)))
    }
  }

  /**
   * Brings everything that is held to those who hold it from now on, for a node that leaves and is in the map no more.
   * @param onProgress told of each record
   * @throws WeftError E_ABORTED
   */
  async handOver(signal: AbortSignal, onProgress: (done: HandOver) => void): Promise<HandOver> {
    let done: HandOver = { records: 0, safe: 0 }
    let after = 0
    for (;;) {
      throwIfAborted(signal)
      const page = this.#parts.holder.page(after, PAGE)
      const last = page.at(-1)
      if (last === undefined) return done
      after = last.rowid
      for (const isSafe of await Promise.all(page.map((record) => this.#bring(record, signal)))) {
        done = { records: done.records + 1, safe: done.safe + (isSafe ? 1 : 0) }
        onProgress(done)
      }
    }
  }

  /** True when a write quorum of its holders has the record, or a newer one. */
  async #bring({ key, message }: HeldRecord, signal: AbortSignal): Promise<boolean> {
    const { self, placement, peers } = this.#parts
    const { holders, groups } = placement.plan(key)
    const record = verifyRecord(message)
    const taken = await Promise.all(
      holders
        .filter((id) => id !== self)
        .map((id) =>
          this.#slots
            .use(() => peers.put(id, record, { signal, timeoutMs: TIMEOUT }), signal)
            .then(
              () => true,
              (error: unknown) => isWeftError(error, 'E_RECORD_CONFLICT'),
            ),
        ),
    )
    return taken.filter(Boolean).length >= groups[0].required
  }

  async #copy({ key, message }: HeldRecord, all: boolean, signal: AbortSignal): Promise<void> {
    const { self, placement, peers } = this.#parts
    const { holders } = placement.plan(key)
    const before = placement.before(key)
    const present = new Set(holders)
    const copiers = before.filter((id) => present.has(id)).slice(0, recordQuorum(before.length).faults + 1)
    // A holder that is leaving the set is the only one left when all others left, too.
    if (!copiers.includes(self) && copiers.length > 0) return
    const known = new Set(all ? [] : before)
    const targets = holders.filter((id) => id !== self && !known.has(id))
    if (targets.length === 0) return
    const record = verifyRecord(message)
    await Promise.all(
      targets.map((id) =>
        this.#slots
          .use(() => peers.put(id, record, { signal, timeoutMs: TIMEOUT }), signal)
          .catch((error: unknown) => {
            // A conflict means that the holder has a newer version: better than what was brought.
            if (signal.aborted || isWeftError(error, 'E_RECORD_CONFLICT')) return
            this.#parts.logger.debug('a record could not be copied to a new holder', {
              holder: id,
              error: messageOf(error),
            })
          }),
      ),
    )
  }

  async #sweepLoop(signal: AbortSignal): Promise<void> {
    for (;;) {
      await wait(this.#parts.clock, SWEEP, signal)
      try {
        await this.#parts.holder.sweep()
      } catch (error) {
        this.#parts.logger.warn('expired records could not be removed', { error: messageOf(error) })
      }
    }
  }

  async #copyLoop(signal: AbortSignal, scope: Scope): Promise<void> {
    const { membership, clock } = this.#parts
    let changed = Promise.withResolvers<'change'>()
    const newest = (): Parameters<typeof isSamePlacement>[0] => ({
      members: membership.members(),
      placing: membership.placing ?? 'key',
    })
    let map = newest()
    scope.defer(
      'map listener',
      membership.onChange(() => changed.resolve('change')),
    )
    let fullPassAt = clock.monotonic() + FULL_PASS
    while (!signal.aborted) {
      const rest = new AbortController()
      const due = wait(clock, Math.max(0, fullPassAt - clock.monotonic()), AbortSignal.any([signal, rest.signal])).then(
        () => 'due' as const,
      )
      due.catch(() => {})
      const event = await Promise.race([changed.promise, due])
      rest.abort()
      if (event === 'change') {
        changed = Promise.withResolvers()
        const now = newest()
        const same = isSamePlacement(now, map)
        map = now
        if (same) continue
      } else {
        fullPassAt = clock.monotonic() + FULL_PASS
      }
      await this.pass(event === 'due', signal)
    }
  }
}
