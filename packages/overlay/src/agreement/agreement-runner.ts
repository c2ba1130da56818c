import { type Clock, type Logger, WeftError, messageOf, throwIfAborted, wait } from '@weft/core'
import { type DidKey, type SigningKey, shortId } from '@weft/crypto'
import {
  AgreementEvidenceSchema,
  type AgreementMessage as WireMessage,
  type AgreementPullRequest,
  encodeMessage,
} from '@weft/wire'
import { epochAt, epochStart } from '../network/epoch.ts'
import type { Network } from '../network/network.ts'
import type { Rpc } from '../rpc.ts'
import { AgreementInstance } from './agreement-instance.ts'
import { epochOf } from './agreement-message.ts'
import type { AgreementStore } from './agreement-store.ts'
import { encodeEquivocation } from './equivocation.ts'
import { summaryOf, summaryToWire } from './summary.ts'
import { timeoutsOf } from './timeouts.ts'
import { ValidatorCalls } from './validator-calls.ts'
import type { Term } from '../terms/term.ts'
import { ValidatorSet } from './validator-set.ts'
import { fromWire } from './wire-form.ts'

export interface AgreementRunnerInit {
  readonly network: Network
  /** Whose validators agree, from its first epoch on. */
  readonly term: Term
  readonly key: SigningKey
  readonly rpc: Rpc
  readonly store: AgreementStore
  readonly clock: Clock
  readonly logger: Logger
  /** Whether there is something to propose. */
  readonly isReady: (epoch: number) => boolean
  /** A value of one's own for the epoch; undefined while there is none. */
  readonly propose: (epoch: number) => Uint8Array | undefined
  readonly judge: (epoch: number, value: Uint8Array) => boolean | undefined
  /** Own fresh value was proposed: what others need to judge it has to reach them. */
  readonly onProposed: (epoch: number) => void
  readonly onDecision: (epoch: number, value: Uint8Array) => void
}

interface Entry {
  readonly epoch: number
  readonly instance: AgreementInstance
  /** Another validator is at it. */
  heard: boolean
}

/** The clocks of validators may differ by this part of an epoch at most. */
const EARLIEST = 1 / 4

/**
 * Runs one agreement after the other, each while its epoch lasts. An epoch begins by the clock, for a validator that has
 * something to propose or hears another; what comes a little early for the next epoch waits for it.
 */
export class AgreementRunner {
  readonly #init: AgreementRunnerInit
  readonly #set: ValidatorSet
  readonly #timeouts: ReturnType<typeof timeoutsOf>
  readonly #calls: ValidatorCalls
  /** Of this epoch, the one before, and once somebody is early the next. */
  readonly #entries = new Map<number, Entry>()
  #epoch = -1

  /** Registers its methods at once. */
  constructor(init: AgreementRunnerInit) {
    const { network, term, key, rpc, clock, logger } = init
    this.#init = init
    this.#set = new ValidatorSet(network.id, term)
    this.#timeouts = timeoutsOf(network.file.mapEpochMs)
    const others = term.validators.map(({ id }) => id).filter((id) => id !== key.id)
    this.#calls = new ValidatorCalls({ rpc, clock, logger, others, pauseMs: this.#timeouts.pull })
    rpc.handle('agreement.send', async ({ message }) => {
      if (message !== undefined) this.#take(message)
      return {}
    })
    rpc.handle('agreement.pull', async (request) => ({ messages: this.#answer(request) }))
  }

  /** Goes on until the signal fires. @throws WeftError E_ABORTED */
  async run(signal: AbortSignal): Promise<never> {
    const { network, term, clock } = this.#init
    try {
      for (;;) {
        throwIfAborted(signal)
        const epoch = epochAt(network.file, clock.now())
        if (epoch >= term.fromEpoch) this.#tick(epoch)
        const left = epochStart(network.file, epoch + 1) - clock.now()
        await wait(clock, Math.max(1, Math.min(this.#timeouts.pull, left)), signal)
      }
    } finally {
      for (const { instance } of this.#entries.values()) instance.end()
    }
  }

  /** Rounds of an epoch whose proposers are heard now: the one that goes on and the next. */
  rounds(epoch: number): readonly number[] {
    const round = this.#entries.get(epoch)?.instance.agreement.round ?? 0
    return [round, round + 1]
  }

  /** Fires when the epoch is over. */
  endOf(epoch: number): AbortSignal {
    return this.#entries.get(epoch)?.instance.ended ?? AbortSignal.abort()
  }

  /** Whether there is nothing to be said any more in the epoch. */
  isSettled(epoch: number): boolean {
    const instance = this.#entries.get(epoch)?.instance
    return instance === undefined || instance.ended.aborted || instance.agreement.decision !== undefined
  }

  /** To be called when `judge` or `propose` may say more than before. */
  reconsider(): void {
    for (const { instance } of this.#entries.values()) instance.reconsider()
  }

  #tick(epoch: number): void {
    if (epoch !== this.#epoch) this.#enter(epoch)
    const entry = this.#entries.get(epoch)
    if (entry === undefined || this.isSettled(epoch)) return
    const { instance } = entry
    if (instance.agreement.round === undefined) {
      this.#begin(entry)
      return
    }
    instance.reconsider()
    this.#calls.toAll(
      'agreement.pull',
      summaryToWire(instance.agreement.summary()),
      instance.ended,
      ({ messages }, from) => this.#takeAll(instance, messages, from),
      1,
    )
  }

  #begin({ epoch, instance, heard }: Entry): void {
    if (heard || this.#init.isReady(epoch)) instance.start()
  }

  #enter(epoch: number): void {
    this.#epoch = epoch
    for (const [other, { instance }] of this.#entries) {
      // One that was opened early goes on; one that is over, as the clock went back, is taken up from the disk.
      if (other === epoch && !instance.ended.aborted) continue
      const { round, decision } = instance.agreement
      if (other === epoch - 1 && round !== undefined && decision === undefined) {
        this.#init.logger.warn('the validators did not agree in this epoch', { epoch: other, round })
      }
      instance.end()
      if (other !== epoch - 1) this.#entries.delete(other)
    }
    this.#open(epoch)
  }

  /** Undefined for an epoch in which nothing may be said any more. */
  #open(epoch: number): Entry | undefined {
    const known = this.#entries.get(epoch)
    if (known !== undefined) return known
    const { store, logger } = this.#init
    // Of an epoch that may have been forgotten, or whose state is damaged, it cannot be told what was said.
    const saved = store.agreement(epoch)
    if (saved === 'spent') return undefined
    try {
      const entry = { epoch, instance: this.#instanceOf(epoch, saved), heard: saved !== undefined }
      this.#entries.set(epoch, entry)
      return entry
    } catch (error) {
      logger.warn('the state of the agreement is damaged; this epoch is sat out', { error: messageOf(error) })
      return undefined
    }
  }

  #instanceOf(epoch: number, saved: Uint8Array | undefined): AgreementInstance {
    const { key, store, clock, logger, propose, judge, onProposed, onDecision } = this.#init
    return new AgreementInstance({
      set: this.#set,
      key,
      epoch,
      timeouts: this.#timeouts,
      propose: () => propose(epoch),
      judge: (value) => judge(epoch, value),
      clock,
      logger,
      saved,
      save: (state) => store.saveAgreement(epoch, state),
      send: (message, signal) => this.#calls.toAll('agreement.send', { message }, signal),
      onProposed: () => onProposed(epoch),
      onDecision: ({ value }) => onDecision(epoch, value),
      onEvidence: (evidence) => {
        const validator = this.#set.keyOf(evidence.validator)
        store.saveEvidence(validator, encodeMessage(AgreementEvidenceSchema, encodeEquivocation(this.#set, evidence)))
        logger.warn('a validator said two things at once', { validator: evidence.validator, epoch })
      },
    })
  }

  // --- What comes in -------------------------------------------------------------------------------------------

  /** @throws WeftError E_AGREEMENT_MALFORMED, E_AGREEMENT_EPOCH, E_SIGNATURE_INVALID */
  #take(wire: WireMessage): void {
    const message = fromWire(this.#set, wire)
    const epoch = epochOf(message)
    const entry = this.#isNow(epoch) ? this.#open(epoch) : undefined
    if (entry === undefined || entry.instance.ended.aborted) throw wrongEpoch(epoch, this.#epoch)
    entry.instance.receive(message)
    if (entry.heard) return
    entry.heard = true
    if (epoch === this.#epoch) this.#begin(entry)
  }

  #takeAll(instance: AgreementInstance, messages: readonly WireMessage[], from: DidKey): void {
    try {
      for (const wire of messages) instance.receive(fromWire(this.#set, wire))
    } catch (error) {
      this.#init.logger.debug('a validator answered nonsense', { validator: shortId(from), error: messageOf(error) })
    }
  }

  /** @throws WeftError E_AGREEMENT_MALFORMED */
  #answer(request: AgreementPullRequest): WireMessage[] {
    const asked = summaryOf(request, this.#set.size)
    return this.#entries.get(asked.epoch)?.instance.answer(asked) ?? []
  }

  /** This epoch, or the next as far as a clock may be ahead. */
  #isNow(epoch: number): boolean {
    const { network, term, clock } = this.#init
    const { clockToleranceMs, mapEpochMs } = network.file
    const ahead = Math.min(clockToleranceMs, mapEpochMs * EARLIEST)
    return epoch >= Math.max(this.#epoch, term.fromEpoch) && epoch <= epochAt(network.file, clock.now() + ahead)
  }
}

function wrongEpoch(epoch: number, now: number): WeftError {
  return new WeftError({
    code: 'E_AGREEMENT_EPOCH',
    cause: `A message of the agreement is of epoch ${epoch}; here it is epoch ${now}.`,
    fix: 'Nothing to do for one that came late; if it goes on, compare the clocks of the validators.',
    retryable: true,
  })
}
