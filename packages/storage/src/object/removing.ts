import {
  type Fault,
  WeftError,
  fromBase64Url,
  isWeftError,
  throwIfAborted,
  toBase64Url,
  toWeftError,
  withTimeout,
} from '@weft/core'
import { type DidKey, SigningKey, wipe } from '@weft/crypto'
import { MAX_STRANGER_LIFETIME_MS } from '@weft/overlay'
import type { DeletionStatement } from '../holder/deletion-statement.ts'
import { authorizeRemove } from '../holder/shard-authorization.ts'
import type { ObjectRemoval } from '../storage.ts'
import { HolderLinks } from './holder-links.ts'
import { inWindow } from './in-window.ts'
import type { ObjectContext } from './object-context.ts'
import { MAX_INLINE, sealedLength, segmentCount } from './object-layout.ts'
import type { KeptStatement, RemovalRecord } from './removal-table.ts'

/** Records withdrawn, and read, at once. */
const RECORDS_AT_ONCE = 8
/** Holders asked at once: all of an object that was never mended. */
const HOLDERS_AT_ONCE = 128
/** Room for clocks that are off, where this node is a stranger to the holders of records. */
const DAY_MS = 24 * 3_600_000

/**
 * A removal under way. What is known of it only since this node was started is here, the rest is in its record: the
 * record alone says what is left to do, so that a node that was killed in any step goes on with that step.
 */
export class Removing {
  #record: RemovalRecord
  readonly #faults = new Map<DidKey, Fault>()
  #fault: Fault | undefined
  /** Statements that are not written down yet. */
  #heard: KeptStatement[] = []
  readonly #write: (record: RemovalRecord) => void

  /** @param write makes a record durable. */
  constructor(record: RemovalRecord, write: (record: RemovalRecord) => void) {
    this.#record = record
    this.#write = write
  }

  get record(): RemovalRecord {
    return this.#record
  }

  get status(): ObjectRemoval {
    const statements = [...this.#record.statements, ...this.#heard]
    return describeRemoval({ ...this.#record, statements }, this.#fault, this.#faults)
  }

  /** Nothing is left to do: the seed of the object goes, the statements stay. */
  close(): void {
    this.#change({ seed: undefined })
  }

  get isOver(): boolean {
    const { withdrawn, holders, statements } = this.#record
    return withdrawn && holders !== undefined && holders.length === statements.length
  }

  /** Notes why nothing could be done. */
  failed(error: unknown): void {
    this.#fault = faultOf(error)
  }

  /**
   * Does what is left once: who holds shards is read where that is not known, the records are withdrawn, the head first,
   * and all who did not answer yet are asked. What fails is noted and left for another time.
   * @throws WeftError E_ABORTED
   */
  async pass(context: ObjectContext): Promise<void> {
    const seed = fromBase64Url(this.#record.seed ?? '')
    const key = new SigningKey(seed)
    wipe(seed)
    const { signal } = context
    try {
      await this.#findHolders(context, key)
      this.#fault = undefined
    } catch (error) {
      throwIfAborted(signal)
      this.failed(error)
      return
    }
    const until = recordExpiry(context, this.#record)
    const hidden = await this.#try(signal, async () => {
      if (!this.#record.withdrawn) await context.records.writeRemoved(key, this.#record.removedAt, until, signal)
    })
    await Promise.all([
      hidden ? this.#try(signal, () => this.#withdrawSegments(context, key, until)) : undefined,
      this.#askHolders(context, key),
    ])
  }

  async #findHolders(context: ObjectContext, key: SigningKey): Promise<void> {
    if (this.#record.holders !== undefined) return
    const { records, signal } = context
    const nodes = new Set<DidKey>()
    try {
      const head = await records.readHead(key.publicKey, signal)
      const indices = Array.from({ length: head.segments }, (_, index) => index)
      await inWindow(indices, RECORDS_AT_ONCE, signal, async (index, limited) => {
        const { shards } = await records.readSegment(key.publicKey, head, index, limited)
        for (const { node } of shards) nodes.add(node)
      })
    } catch (error) {
      // Without records nobody knows who has shards of it, and nobody can read it.
      const isGone = ['E_OBJECT_NOT_FOUND', 'E_OBJECT_REMOVED', 'E_OBJECT_RECORD'].some((code) =>
        isWeftError(error, code),
      )
      if (!isGone) throw error
    }
    this.#change({ holders: [...nodes] })
  }

  async #withdrawSegments({ records, signal }: ObjectContext, key: SigningKey, until: number): Promise<void> {
    const { withdrawn, size } = this.#record
    if (withdrawn) return
    const segments = size <= MAX_INLINE ? 0 : segmentCount(sealedLength(size))
    const indices = Array.from({ length: segments }, (_, index) => index)
    await inWindow(indices, RECORDS_AT_ONCE, signal, (index, limited) => records.withdraw(key, index, limited, until))
    this.#change({ withdrawn: true })
  }

  async #askHolders(context: ObjectContext, key: SigningKey): Promise<void> {
    const { streams, openMs, clock, signal } = context
    const { holders = [], statements, expiresAt } = this.#record
    const left = holders.filter((node) => statements.every((statement) => statement.node !== node))
    if (left.length === 0) return
    const authorization = authorizeRemove(key, expiresAt)
    await using links = new HolderLinks({ streams, openMs, clock, signal })
    try {
      await inWindow(left, HOLDERS_AT_ONCE, signal, async (node, limit) => {
        try {
          const ask = async (limited: AbortSignal): Promise<DeletionStatement> => {
            const client = await links.client(node)
            try {
              return await client.remove(authorization, limited)
            } catch (error) {
              // Nothing more is asked of it now: a stream that does not answer is not waited for at the end either.
              client.abort(toWeftError(error, NO_ANSWER))
              throw error
            }
          }
          this.#heard.push(kept(await withTimeout(clock, openMs, limit, () => silent(openMs), ask)))
          this.#faults.delete(node)
        } catch (error) {
          throwIfAborted(limit)
          this.#faults.set(node, faultOf(error))
        }
      })
    } finally {
      // All at once: each write waits for the disk. A node that is killed before it asks again, and is told the same.
      if (this.#heard.length > 0) this.#change({ statements: [...this.#record.statements, ...this.#heard] })
      this.#heard = []
    }
  }

  /** Whether it went well. @throws WeftError E_ABORTED */
  async #try(signal: AbortSignal, task: () => Promise<void>): Promise<boolean> {
    try {
      await task()
      return true
    } catch (error) {
      throwIfAborted(signal)
      this.failed(error)
      return false
    }
  }

  #change(change: Partial<RemovalRecord>): void {
    const record = { ...this.#record, ...change }
    this.#write(record)
    this.#record = record
  }
}

export function describeRemoval(
  record: RemovalRecord,
  fault: Fault | undefined,
  faults: ReadonlyMap<DidKey, Fault>,
): ObjectRemoval {
  const { object, name, size, private: isPrivate, removedAt, expiresAt, seed, withdrawn, statements } = record
  const isOpen = seed !== undefined
  const holders = (record.holders ?? []).map((node) => {
    const statement = statements.find((one) => one.node === node)
    if (statement === undefined) {
      const state: 'waiting' | 'silent' = isOpen ? 'waiting' : 'silent'
      return { node, state, receipt: undefined, fault: faults.get(node) }
    }
    const { node: _, ...receipt } = statement
    return { node, state: 'deleted' as const, receipt, fault: undefined }
  })
  const isDone = withdrawn && holders.every(({ state }) => state === 'deleted')
  return {
    object,
    name,
    size,
    private: isPrivate,
    removedAt,
    expiresAt,
    state: isOpen ? 'open' : isDone ? 'done' : 'expired',
    withdrawn,
    fault,
    holders,
  }
}

/**
 * How long a withdrawn record lasts: as long as the one before it, or, where this node is a stranger to those who hold it,
 * as long as they let it; they keep it as a guard until the one before is over (docs/specs/records.md).
 */
function recordExpiry({ clock, overlay, isPrivate }: ObjectContext, { expiresAt }: RemovalRecord): number {
  const isMember = !isPrivate && overlay.membership.isMember(overlay.self)
  return isMember ? expiresAt : Math.min(expiresAt, clock.now() + MAX_STRANGER_LIFETIME_MS - DAY_MS)
}

function kept({ holder, shards, bytes, at, until, signature }: DeletionStatement): KeptStatement {
  return { node: holder, shards, bytes, at, until, signature: toBase64Url(signature) }
}

function faultOf(error: unknown): Fault {
  const { code, cause, fix } = toWeftError(error, NO_ANSWER)
  return { code, cause, fix }
}

const NO_ANSWER: Fault = {
  code: 'E_INTERNAL',
  cause: 'A part of a removal failed without a reason.',
  fix: 'It is tried again by itself; see the log.',
}

function silent(ms: number): WeftError {
  return new WeftError({
    code: 'E_CALL_TIMEOUT',
    cause: `The holder did not answer within ${ms} ms.`,
    fix: 'It is asked again by itself.',
    retryable: true,
  })
}
