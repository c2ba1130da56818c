import { type Clock, type Logger, type Scope, WeftError, isWeftError, toHex } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import { type Answers, askHolders, describeFailures, failuresOf } from './ask-holders.ts'
import { type HolderFinder, foundPlan } from './holder-finder.ts'
import { LateHolders } from './late-holders.ts'
import { ReadPause } from './read-pause.ts'
import { ReadRepair } from './read-repair.ts'
import { readWaves } from './read-waves.ts'
import { mutableKey } from './record-key.ts'
import type { HolderAnswer, RecordPeers } from './record-peers.ts'
import type { HolderGroup, RecordPlacement, RecordPlan } from './record-placement.ts'
import { isEnough, readAnswers, throwUnavailable } from './record-reading.ts'
import { type VerifiedRecord, checkExpiry, makeImmutable, makeMutable } from './record.ts'
import type { GetResult, MutableRecordInit, PutResult, RecordKey, RecordOptions, RecordStore } from './record-store.ts'
import type { SequenceMemory } from './sequence-memory.ts'

const DEFAULT_TIMEOUT = 5_000

export interface RecordClientParts {
  readonly peers: RecordPeers
  readonly placement: RecordPlacement
  readonly seen: SequenceMemory
  /** True for a member that several observers hold to be down. */
  readonly isSuspect: (id: DidKey) => boolean
  readonly finder: HolderFinder | undefined
  /** ms that a holder has where the caller says nothing. */
  readonly timeoutMs?: number
  readonly clock: Clock
  readonly logger: Logger
  readonly scope: Scope
}

/** Writes to and reads from quorums of holders: the client's half of the record protocol. */
export class RecordClient implements RecordStore {
  readonly #parts: RecordClientParts
  readonly #repair: ReadRepair
  readonly #late: LateHolders
  readonly #pause = new ReadPause()
  #reads = 0

  constructor(parts: RecordClientParts) {
    this.#parts = parts
    this.#repair = new ReadRepair(parts.peers, parts.scope, () => parts.clock.now())
    this.#late = new LateHolders(parts.clock)
  }

  async putImmutable(value: Uint8Array, expiresAt: number, options: RecordOptions = {}): Promise<PutResult> {
    checkExpiry(expiresAt, this.#parts.clock.now())
    return this.#write(makeImmutable(value, expiresAt), options)
  }

  async putMutable(init: MutableRecordInit, options: RecordOptions = {}): Promise<PutResult> {
    checkExpiry(init.expiresAt, this.#parts.clock.now())
    const record = makeMutable(init)
    const result = await this.#write(record, options)
    this.#parts.seen.note(record.key, record.sequence)
    return result
  }

  async get(key: RecordKey, options: RecordOptions = {}): Promise<GetResult> {
    return this.#read(key, true, options)
  }

  async getMutable(owner: Uint8Array, salt: Uint8Array, options: RecordOptions = {}): Promise<GetResult> {
    return this.#read(mutableKey(owner, salt), false, options)
  }

  #read(key: RecordKey, immutable: boolean, options: RecordOptions): Promise<GetResult> {
    return this.#withHolders(key, 'E_RECORD_UNAVAILABLE', options, (plan) => this.#get(plan, key, immutable, options))
  }

  #write(record: VerifiedRecord, options: RecordOptions): Promise<PutResult> {
    return this.#withHolders(record.key, 'E_RECORD_QUORUM', options, (plan) => this.#put(plan, record, options))
  }

  /**
   * Runs a task with the holders by the own map. Where that is missing or old they are found by asking; and when too few
   * of them answered, which the task says with `tooFew`, once more with those whom a newer map names.
   */
  async #withHolders<T>(
    key: RecordKey,
    tooFew: string,
    options: RecordOptions,
    task: (plan: RecordPlan) => Promise<T>,
  ): Promise<T> {
    const { placement, finder } = this.#parts
    if (finder?.isNeeded() === true) return task((await this.#find(key, options)) ?? placement.plan(key))
    const plan = placement.plan(key)
    try {
      return await task(plan)
    } catch (error) {
      if (!isWeftError(error, tooFew)) throw error
      const found = await this.#find(key, options)
      if (found === undefined || found.holders.every((id) => plan.readers.includes(id))) throw error
      return task(found)
    }
  }

  async #find(key: RecordKey, options: RecordOptions): Promise<RecordPlan | undefined> {
    const { finder, scope } = this.#parts
    const signal = options.signal === undefined ? scope.signal : AbortSignal.any([scope.signal, options.signal])
    const found = await finder?.find(key, this.#timeoutMs(options), signal)
    return found === undefined ? undefined : foundPlan(found)
  }

  async #get(plan: RecordPlan, key: RecordKey, immutable: boolean, options: RecordOptions): Promise<GetResult> {
    const { peers, isSuspect, scope, clock, logger } = this.#parts
    const known: VerifiedRecord[] = []
    const started = clock.monotonic()
    const { answers, settled } = await askHolders<HolderAnswer>(
      {
        waves: readWaves(plan, { late: (id) => isSuspect(id) || this.#late.has(id), turn: this.#reads++, immutable }),
        ask: (holder, signal) => peers.get(holder, key, known, { signal, timeoutMs: this.#timeoutMs(options) }),
        enough: (sofar) => isEnough(plan, sofar, clock.now()),
        pauseMs: this.#pause.ms,
        onLate: (holder) => this.#late.note(holder),
        signal: options.signal,
        lifetime: scope.signal,
      },
      clock,
    )
    this.#pause.note(clock.monotonic() - started)
    const { newest, quorum, answered, copies, forked } = readAnswers(plan, answers, clock.now())
    if (forked)
      logger.warn('a record has two values of one sequence; the acknowledged one is used', { key: toHex(key) })
    if (newest === undefined || newest.expiresAt <= clock.now()) {
      if (!quorum) throwUnavailable(plan, answers)
      throw notFound(key, newest)
    }
    if (newest.kind === 'mutable') this.#refuseRollback(key, newest.sequence)
    this.#repair.start(plan, newest, answers, settled)
    return {
      value: newest.value,
      sequence: newest.sequence,
      expiresAt: newest.expiresAt,
      quorum,
      answered,
      copies,
      required: plan.groups[0].required,
    }
  }

  async #put(plan: RecordPlan, record: VerifiedRecord, options: RecordOptions): Promise<PutResult> {
    const { peers, scope, clock } = this.#parts
    const { holders, groups } = plan
    const [group] = groups
    const { answers } = await askHolders<void>(
      {
        waves: [{ holders }],
        ask: (holder, signal) => peers.put(holder, record, { signal, timeoutMs: this.#timeoutMs(options) }),
        enough: ({ given, failed }) =>
          given.size >= group.required || (failed.size > group.faults && hasConflict(failed.values(), group.faults)),
        signal: options.signal,
        lifetime: scope.signal,
      },
      clock,
    )
    const acknowledged = answers.given.size
    if (group.ids.size === 0 || acknowledged < group.required) throw putError(group, answers)
    return { key: record.key, acknowledged, required: group.required, holders: holders.length }
  }

  #timeoutMs({ timeoutMs = this.#parts.timeoutMs ?? DEFAULT_TIMEOUT }: RecordOptions): number {
    return timeoutMs
  }

  /** @throws WeftError E_RECORD_ROLLBACK */
  #refuseRollback(key: RecordKey, sequence: number): void {
    const highest = this.#parts.seen.highest(key)
    if (highest !== undefined && sequence < highest) {
      throw new WeftError({
        code: 'E_RECORD_ROLLBACK',
        cause: `The holders that answered have sequence ${sequence}; this node has seen ${highest} already.`,
        fix: 'Try again when more members are reachable (`weft members`); if it stays so, holders have lost or withhold the newer value.',
        retryable: true,
        details: { seen: highest, offered: sequence },
      })
    }
    this.#parts.seen.note(key, sequence)
  }
}

/** More refusals for a newer value than there can be faulty holders: the write can never succeed. */
function hasConflict(errors: Iterable<WeftError>, faults: number): boolean {
  let conflicts = 0
  for (const { code } of errors) if (code === 'E_RECORD_CONFLICT') conflicts++
  return conflicts > faults
}

function putError(group: HolderGroup, answers: Answers<void>): WeftError {
  const acknowledged = answers.given.size
  const conflict = [...answers.failed.values()].find(({ code }) => code === 'E_RECORD_CONFLICT')
  if (conflict !== undefined) {
    return new WeftError({
      code: 'E_RECORD_CONFLICT',
      cause: `${acknowledged} of ${group.ids.size} holders took the record, ${group.required} are needed. ${conflict.cause}`,
      fix: conflict.fix,
      details: { ...conflict.details, acknowledged, required: group.required },
    })
  }
  return new WeftError({
    code: 'E_RECORD_QUORUM',
    cause:
      group.ids.size === 0
        ? 'No member that could hold the record is known yet.'
        : `${acknowledged} of ${group.ids.size} holders have the record on disk, ${group.required} are needed. Missing: ${describeFailures(answers)}.`,
    fix: 'Write it again when more members are reachable (`weft members`); look at the network with `weft check`.',
    retryable: true,
    details: { acknowledged, required: group.required, holders: group.ids.size, failed: failuresOf(answers) },
  })
}

function notFound(key: RecordKey, expired: VerifiedRecord | undefined): WeftError {
  return new WeftError({
    code: 'E_RECORD_NOT_FOUND',
    cause:
      expired === undefined
        ? `No holder has a record under the key ${toHex(key.subarray(0, 8))}….`
        : `The record under the key ${toHex(key.subarray(0, 8))}… expired.`,
    fix: 'Check the reference; what has expired has to be put again by its owner.',
  })
}
