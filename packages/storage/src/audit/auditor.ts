import { type Clock, type Logger, type Random, Semaphore, messageOf, randomInt, throwIfAborted, wait } from '@weft/core'
import { type DidKey, type SigningKey, fromDidKey, shortId } from '@weft/crypto'
import type { Member } from '@weft/overlay'
import type { ObjectRecords } from '../object/object-records.ts'
import type { AuditBeacons, AuditEpochs, AuditOverlay } from './audit-beacons.ts'
import type { AuditBook } from './audit-book.ts'
import { auditorsOf } from './audit-draw.ts'
import { RECHECKS } from './audit-limits.ts'
import { AuditNames } from './audit-names.ts'
import { AuditRecords } from './audit-records.ts'
import { AuditRun } from './audit-run.ts'
import { VERDICTS, type Verdict } from './receipt-view.ts'
import { signReceipt } from './signed-audit.ts'

/** Holders that are audited at once. */
const AT_ONCE = 4
/** Parts of an epoch: audits begin in the first two, and a holder is asked again after each of the next. */
const PARTS = 8

export interface AuditorInit {
  readonly overlay: AuditOverlay
  readonly key: SigningKey
  readonly records: Pick<ObjectRecords, 'readHead' | 'readSegment'>
  readonly beacons: AuditBeacons
  readonly epochs: AuditEpochs
  /** ms of an audit epoch, about. */
  readonly epochMs: number
  readonly book: AuditBook
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** A validator that audits the holders whose turn it is with it, once in each audit epoch (docs/specs/audits.md). */
export class Auditor {
  readonly #init: AuditorInit
  readonly #names: AuditNames
  readonly #slots = new Semaphore(AT_ONCE)
  #stop: AbortController | undefined
  #epoch: number | undefined
  #running: Promise<void> = Promise.resolve()

  constructor(init: AuditorInit) {
    this.#init = init
    this.#names = new AuditNames(init.random)
  }

  /** Begins the audits of an epoch when a map of it has come, and ends those of the one before. */
  follow(signal: AbortSignal): void {
    const { epochs, overlay, logger } = this.#init
    const { current } = epochs
    if (current === undefined || current === this.#epoch || signal.aborted) return
    this.#epoch = current
    this.#stop?.abort()
    this.#stop = new AbortController()
    if (!overlay.membership.isValidator(overlay.self)) return
    const limited = AbortSignal.any([signal, this.#stop.signal])
    const before = this.#running
    this.#running = Promise.all([before, this.#audit(current, limited)])
      .then(() => {})
      .catch((error: unknown) => {
        if (!limited.aborted) logger.error('audit: the audits of an epoch broke off', { error: messageOf(error) })
      })
  }

  /** Resolves when nothing is under way. */
  settled(): Promise<void> {
    return this.#running
  }

  async #audit(epoch: number, signal: AbortSignal): Promise<void> {
    const runs = this.#holders(epoch).map((holder) =>
      this.#auditOne(epoch, holder, signal).catch((error: unknown) => {
        if (signal.aborted) return
        const text = messageOf(error)
        this.#init.logger.warn('audit: a holder could not be audited', { node: shortId(holder), error: text })
      }),
    )
    await Promise.all(runs)
  }

  /** Storage members that this node audits in an epoch, itself left out. */
  #holders(epoch: number): DidKey[] {
    const { overlay } = this.#init
    const validators = overlay.term().validators.map(({ id }) => id)
    const isOurs = ({ id, roles, position }: Member): boolean =>
      id !== overlay.self &&
      roles.includes('storage') &&
      auditorsOf(position ?? fromDidKey(id), epoch, validators).includes(overlay.self)
    return overlay.membership
      .members()
      .filter(isOurs)
      .map(({ id }) => id)
  }

  async #auditOne(epoch: number, holder: DidKey, signal: AbortSignal): Promise<void> {
    const { clock, random, records, epochMs } = this.#init
    const part = Math.floor(epochMs / PARTS)
    const run = new AuditRun({
      ...this.#init,
      holder,
      epoch,
      records: new AuditRecords(records),
      names: this.#names,
      patienceMs: part,
    })
    await wait(clock, randomInt(random, 2 * part + 1), signal)
    for (let recheck = 0; ; recheck++) {
      if (await this.#slots.use(() => run.attempt(signal), signal)) break
      if (recheck === RECHECKS) break
      await wait(clock, part, signal)
    }
    if (run.isJudged) await this.#conclude(run, epoch, holder, signal)
  }

  async #conclude(run: AuditRun, epoch: number, holder: DidKey, signal: AbortSignal): Promise<void> {
    const { overlay, key, book, clock, logger } = this.#init
    throwIfAborted(signal)
    const verdict = verdictOf(run)
    const receipt = signReceipt(key, {
      network: overlay.networkId,
      epoch: BigInt(epoch),
      node: fromDidKey(holder),
      auditor: key.publicKey,
      verdict: VERDICTS.indexOf(verdict),
      shards: run.manifest?.shards ?? 0n,
      leaves: run.manifest?.leaves ?? 0n,
      ...run.counts,
      silent: run.silent,
      at: BigInt(clock.now()),
    })
    book.add(receipt, run.evidence)
    if (verdict !== 'kept') logger.warn('audit: a holder fell through', { node: shortId(holder), epoch, verdict })
    try {
      await overlay.rpc.call(holder, 'audit.receipt', receipt, { signal })
    } catch (error) {
      logger.debug('audit: a holder did not take its receipt', { node: shortId(holder), error: messageOf(error) })
    }
  }
}

function verdictOf(run: AuditRun): Verdict {
  const { wrong, missing } = run.counts
  if (wrong > 0) return 'wrong'
  if (missing > 0) return 'missing'
  return run.isDone ? 'kept' : 'silent'
}
