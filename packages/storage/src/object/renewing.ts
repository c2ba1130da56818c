import { type Fault, WeftError, isWeftError, throwIfAborted, toWeftError, withTimeout } from '@weft/core'
import type { DidKey, SigningKey } from '@weft/crypto'
import { authorizeCommit } from '../holder/shard-authorization.ts'
import type { ObjectRenewal, StorageClass, StoredObject } from '../storage.ts'
import { HolderLinks } from './holder-links.ts'
import { inWindow } from './in-window.ts'
import type { ObjectContext } from './object-context.ts'
import type { ObjectHead, ObjectSegment } from './object-records.ts'
import type { StandIn } from './stand-in-table.ts'

/** Records read and written at once. */
const RECORDS_AT_ONCE = 8
/** Holders asked at once: all of an object. */
const HOLDERS_AT_ONCE = 128

/**
 * A renewal under way. Nothing of it but its end is written down: whoever begins it again asks everyone again, and to be
 * asked twice changes nothing.
 */
export class Renewing {
  readonly #before: StoredObject
  readonly #until: number
  /** Segments whose record has the new end. */
  readonly #segments = new Set<number>()
  #headRenewed = false
  #head: ObjectHead | undefined
  /** Choices of holders, in order of their shards: most segments have one in common. */
  readonly #choices = new Map<string, readonly DidKey[]>()
  /** The choice of each segment. */
  readonly #chosen = new Map<number, readonly DidKey[]>()
  readonly #standInsNow: () => readonly StandIn[]
  /** Who may have shards in the place of these, as it was known when the last pass began. */
  #standIns: readonly StandIn[] = []
  readonly #holders = new Set<DidKey>()
  readonly #renewed = new Set<DidKey>()
  /** Who said that it has nothing of the object: there is nothing to wait for. */
  readonly #empty = new Set<DidKey>()
  readonly #faults = new Map<DidKey, Fault>()
  #fault: Fault | undefined
  #isOver = false

  /**
   * @param before the object as the list has it. @param until its new end, ms since the epoch.
   * @param standIns who may have shards in the place of others now.
   */
  constructor(before: StoredObject, until: number, standIns: () => readonly StandIn[]) {
    this.#before = before
    this.#until = until
    this.#standInsNow = standIns
  }

  get object(): string {
    return this.#before.object
  }

  get until(): number {
    return this.#until
  }

  /** ms since the epoch: when what was not renewed until then is gone. */
  get deadline(): number {
    return this.#before.expiresAt
  }

  /** The records and so many shards of each segment have the new end that no repair is due. */
  get isKept(): boolean {
    if (!this.#headRenewed || this.#head === undefined) return false
    const enough = repairThreshold(this.#head.class)
    const moved = new Set(
      this.#standIns.filter(({ node }) => this.#renewed.has(node)).map(({ segment, index }) => `${segment}/${index}`),
    )
    return [...this.#chosen].every(
      ([segment, nodes]) =>
        nodes.filter((node, index) => this.#renewed.has(node) || moved.has(`${segment}/${index}`)).length >= enough,
    )
  }

  /** Everyone answered, and no more is to be had: who has nothing gets its shard by repair, if at all. */
  get isDone(): boolean {
    return this.isKept && [...this.#holders].every((node) => this.#renewed.has(node) || this.#empty.has(node))
  }

  /** Nothing is tried any more. */
  close(): void {
    this.#isOver = true
  }

  /** Notes why nothing could be done. */
  failed(error: unknown): void {
    this.#fault = faultOf(error)
  }

  status(expiresAt: number): ObjectRenewal {
    const { object, name } = this.#before
    const holders = [...this.#holders].map((node) => {
      if (this.#renewed.has(node)) return { node, state: 'renewed' as const, fault: undefined }
      const state: 'lost' | 'waiting' = this.#isOver || this.#empty.has(node) ? 'lost' : 'waiting'
      return { node, state, fault: this.#faults.get(node) }
    })
    return {
      object,
      name,
      expiresAt,
      until: this.#until,
      state: this.#state(holders.every(({ state }) => state === 'renewed')),
      records: {
        renewed: this.#segments.size + (this.#headRenewed ? 1 : 0),
        total: this.#head === undefined ? undefined : this.#head.segments + 1,
      },
      fault: this.#fault,
      holders,
    }
  }

  /**
   * Does what is left once: the records of the segments, then the head, so that a head never outlives what it names; and
   * the holders, whatever became of the records. What fails is noted and left for another time.
   * @throws WeftError E_ABORTED
   */
  async pass(context: ObjectContext, key: SigningKey): Promise<void> {
    this.#fault = undefined
    this.#standIns = this.#standInsNow()
    for (const { node } of this.#standIns) this.#holders.add(node)
    try {
      await this.#renewRecords(context, key)
    } catch (error) {
      throwIfAborted(context.signal)
      this.failed(error)
    }
    await this.#askHolders(context, key)
  }

  async #renewRecords({ records, signal }: ObjectContext, key: SigningKey): Promise<void> {
    if (this.#headRenewed) return
    const head = this.#head ?? (await records.readHead(key.publicKey, signal))
    this.#head = head
    const left = Array.from({ length: head.segments }, (_, index) => index).filter(
      (index) => !this.#segments.has(index),
    )
    await inWindow(left, RECORDS_AT_ONCE, signal, async (index, limited) => {
      this.#enter(await records.renewSegment(key, head, index, this.#until, limited))
      this.#segments.add(index)
    })
    await records.renewHead(key, this.#until, signal)
    this.#headRenewed = true
  }

  #state(byAll: boolean): ObjectRenewal['state'] {
    if (this.isDone) return byAll ? 'done' : 'partial'
    if (!this.#isOver) return 'open'
    return this.isKept ? 'partial' : 'failed'
  }

  #enter({ index, shards }: ObjectSegment): void {
    const nodes = shards.map(({ node }) => node)
    for (const node of nodes) this.#holders.add(node)
    const choice = nodes.join()
    const known = this.#choices.get(choice) ?? nodes
    this.#choices.set(choice, known)
    this.#chosen.set(index, known)
  }

  async #askHolders({ streams, openMs, clock, signal }: ObjectContext, key: SigningKey): Promise<void> {
    const left = [...this.#holders].filter((node) => !this.#renewed.has(node))
    if (left.length === 0) return
    // The word that commits shards lengthens the life of those that are committed (docs/specs/shards.md).
    const authorization = authorizeCommit(key, this.#until)
    await using links = new HolderLinks({ streams, openMs, clock, signal })
    await inWindow(left, HOLDERS_AT_ONCE, signal, async (node, limit) => {
      const ask = async (limited: AbortSignal): Promise<void> => {
        const client = await links.client(node)
        try {
          await client.commit(authorization, limited)
        } catch (error) {
          // Nothing more is asked of it now: a stream that does not answer is not waited for at the end either.
          client.abort(toWeftError(error, NO_ANSWER))
          throw error
        }
      }
      try {
        await withTimeout(clock, openMs, limit, () => silent(openMs), ask)
        this.#renewed.add(node)
        this.#faults.delete(node)
      } catch (error) {
        throwIfAborted(limit)
        if (isWeftError(error, 'E_SHARD_NOT_FOUND')) this.#empty.add(node)
        this.#faults.set(node, faultOf(error))
      }
    })
  }
}

/** With fewer shards than this a segment is to be repaired: half way between all of them and what is needed to read it. */
export function repairThreshold({ k, n }: StorageClass): number {
  return Math.ceil((k + n) / 2)
}

function faultOf(error: unknown): Fault {
  const { code, cause, fix } = toWeftError(error, NO_ANSWER)
  return { code, cause, fix }
}

const NO_ANSWER: Fault = {
  code: 'E_INTERNAL',
  cause: 'A part of a renewal failed without a reason.',
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
