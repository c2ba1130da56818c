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
import type { AgreementAction } from './agreement-action.ts'
import { type AgreementMessage, epochOf } from './agreement-message.ts'
import { type AgreementState, decodeState, encodeState } from './agreement-state.ts'
import type { AgreementStore } from './agreement-store.ts'
import { Agreement } from './agreement.ts'
import { encodeEquivocation } from './equivocation.ts'
import { summaryOf, summaryToWire } from './summary.ts'
import { timeoutsOf } from './timeouts.ts'
import { ValidatorCalls } from './validator-calls.ts'
import { ValidatorSet } from './validator-set.ts'
import { fromWire, toWire } from './wire-form.ts'

export interface AgreementRunnerInit {
  readonly network: Network
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

interface Instance {
  readonly epoch: number
  readonly agreement: Agreement
  /** Fires when the epoch is over. */
  readonly end: AbortController
  /** Another validator is at it. */
  heard: boolean
  /** What was said could not be written down: nothing more is said in this epoch. */
  mute: boolean
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
  readonly #instances = new Map<number, Instance>()
  #epoch = -1

  /** Registers its methods at once. */
  constructor(init: AgreementRunnerInit) {
    const { network, key, rpc, clock, logger } = init
    this.#init = init
    this.#set = new ValidatorSet(network)
    this.#timeouts = timeoutsOf(network.file.mapEpochMs)
    const others = network.validators.map(({ id }) => id).filter((id) => id !== key.id)
    this.#calls = new ValidatorCalls({ rpc, clock, logger, others, pauseMs: this.#timeouts.pull })
    rpc.handle('agreement.send', async ({ message }) => {
      if (message !== undefined) this.#take(message)
      return {}
    })
    rpc.handle('agreement.pull', async (request) => ({ messages: this.#answer(request) }))
  }

  /** Goes on until the signal fires. @throws WeftError E_ABORTED */
  async run(signal: AbortSignal): Promise<never> {
    const { network, clock } = this.#init
    try {
      for (;;) {
        throwIfAborted(signal)
        const epoch = epochAt(network.file, clock.now())
        if (epoch >= 0) this.#tick(epoch)
        const left = epochStart(network.file, epoch + 1) - clock.now()
        await wait(clock, Math.max(1, Math.min(this.#timeouts.pull, left)), signal)
      }
    } finally {
      for (const { end } of this.#instances.values()) end.abort()
    }
  }

  /** Rounds of an epoch whose proposers are heard now: the one that goes on and the next. */
  rounds(epoch: number): readonly number[] {
    const round = this.#instances.get(epoch)?.agreement.round ?? 0
    return [round, round + 1]
  }

  /** Fires when the epoch is over. */
  endOf(epoch: number): AbortSignal {
    return this.#instances.get(epoch)?.end.signal ?? AbortSignal.abort()
  }

  /** Whether there is nothing to be said any more in the epoch. */
  isSettled(epoch: number): boolean {
    const instance = this.#instances.get(epoch)
    return instance === undefined || instance.end.signal.aborted || instance.agreement.decision !== undefined
  }

  /** To be called when `judge` or `propose` may say more than before. */
  reconsider(): void {
    for (const instance of this.#instances.values()) this.#perform(instance, () => instance.agreement.reconsider())
  }

  #tick(epoch: number): void {
    if (epoch !== this.#epoch) this.#enter(epoch)
    const instance = this.#instances.get(epoch)
    if (instance === undefined || this.isSettled(epoch)) return
    if (instance.agreement.round === undefined) {
      this.#begin(instance)
      return
    }
    this.#perform(instance, () => instance.agreement.reconsider())
    this.#calls.toAll(
      'agreement.pull',
      summaryToWire(instance.agreement.summary()),
      instance.end.signal,
      ({ messages }, from) => this.#takeAll(instance, messages, from),
      1,
    )
  }

  #begin(instance: Instance): void {
    if (!instance.heard && !this.#init.isReady(instance.epoch)) return
    this.#perform(instance, () => instance.agreement.start())
  }

  #enter(epoch: number): void {
    this.#epoch = epoch
    for (const [other, { agreement, end }] of this.#instances) {
      // One that was opened early goes on; one that is over, as the clock went back, is taken up from the disk.
      if (other === epoch && !end.signal.aborted) continue
      if (other === epoch - 1 && agreement.round !== undefined && agreement.decision === undefined) {
        this.#init.logger.warn('the validators did not agree in this epoch', { epoch: other, round: agreement.round })
      }
      end.abort()
      if (other !== epoch - 1) this.#instances.delete(other)
    }
    this.#open(epoch)
  }

  /** Undefined for an epoch in which nothing may be said any more. */
  #open(epoch: number): Instance | undefined {
    const known = this.#instances.get(epoch)
    if (known !== undefined) return known
    const restored = this.#restored(epoch)
    if (restored === 'spent') return undefined
    const { key, propose, judge } = this.#init
    const agreement = new Agreement({
      set: this.#set,
      key,
      epoch,
      timeouts: this.#timeouts,
      propose: () => propose(epoch),
      judge: (value) => judge(epoch, value),
      restored,
    })
    const instance = { epoch, agreement, end: new AbortController(), heard: restored !== undefined, mute: false }
    this.#instances.set(epoch, instance)
    return instance
  }

  /** What was said in the epoch before a restart, or before the clock was set back; `spent` when that cannot be told. */
  #restored(epoch: number): AgreementState | 'spent' | undefined {
    const saved = this.#init.store.agreement(epoch)
    if (saved === undefined || saved === 'spent') return saved
    try {
      return decodeState(saved)
    } catch (error) {
      this.#init.logger.warn('the state of the agreement is damaged; this epoch is sat out', {
        error: messageOf(error),
      })
      return 'spent'
    }
  }

  // --- What comes in -------------------------------------------------------------------------------------------

  /** @throws WeftError E_AGREEMENT_MALFORMED, E_AGREEMENT_EPOCH, E_SIGNATURE_INVALID */
  #take(wire: WireMessage): void {
    const message = fromWire(this.#set, wire)
    const epoch = epochOf(message)
    const instance = this.#isNow(epoch) ? this.#open(epoch) : undefined
    if (instance === undefined || instance.end.signal.aborted) throw wrongEpoch(epoch, this.#epoch)
    this.#receive(instance, message)
    if (instance.heard) return
    instance.heard = true
    if (epoch === this.#epoch) this.#begin(instance)
  }

  #takeAll(instance: Instance, messages: readonly WireMessage[], from: DidKey): void {
    try {
      for (const wire of messages) this.#receive(instance, fromWire(this.#set, wire))
    } catch (error) {
      this.#init.logger.debug('a validator answered nonsense', { validator: shortId(from), error: messageOf(error) })
    }
  }

  #receive(instance: Instance, message: AgreementMessage): void {
    this.#perform(instance, () => instance.agreement.receive(message))
  }

  /** @throws WeftError E_AGREEMENT_MALFORMED */
  #answer(request: AgreementPullRequest): WireMessage[] {
    const asked = summaryOf(request, this.#set.size)
    const instance = this.#instances.get(asked.epoch)
    // Of an epoch that is over the decision is all that counts.
    const isOver = instance?.end.signal.aborted === true && instance.agreement.decision === undefined
    if (instance === undefined || instance.mute || isOver) return []
    return instance.agreement.answer(asked).map((message) => toWire(this.#set, message))
  }

  /** This epoch, or the next as far as a clock may be ahead. */
  #isNow(epoch: number): boolean {
    const { network, clock } = this.#init
    const { clockToleranceMs, mapEpochMs } = network.file
    const ahead = Math.min(clockToleranceMs, mapEpochMs * EARLIEST)
    return epoch >= Math.max(this.#epoch, 0) && epoch <= epochAt(network.file, clock.now() + ahead)
  }

  // --- What goes out -------------------------------------------------------------------------------------------

  /** Does what the agreement asks, in order. What cannot be written down is not said, nor anything after it. */
  #perform(instance: Instance, step: () => AgreementAction[]): void {
    if (instance.mute || instance.end.signal.aborted) return
    for (const action of step()) {
      try {
        this.#do(instance, action)
      } catch (error) {
        const code = error instanceof WeftError ? error.code : undefined
        this.#init.logger.error('this epoch is sat out', { epoch: instance.epoch, code, cause: messageOf(error) })
        instance.mute = true
        return
      }
    }
  }

  #do(instance: Instance, action: AgreementAction): void {
    const { store, clock, logger, onProposed, onDecision } = this.#init
    const { epoch, agreement, end } = instance
    switch (action.type) {
      case 'persist':
        store.saveAgreement(epoch, encodeState(action.state))
        break
      case 'send': {
        const { message } = action
        this.#calls.toAll('agreement.send', { message: toWire(this.#set, message) }, end.signal)
        if (message.kind === 'proposal' && message.proposal.lock === undefined) onProposed(epoch)
        break
      }
      case 'timer': {
        const cancel = clock.after(action.ms, () => {
          end.signal.removeEventListener('abort', cancel)
          this.#perform(instance, () => agreement.onTimer(action.timer))
        })
        end.signal.addEventListener('abort', cancel, { once: true })
        break
      }
      case 'decide':
        onDecision(epoch, action.certificate.value)
        break
      case 'evidence': {
        const validator = this.#set.keyOf(action.evidence.validator)
        store.saveEvidence(
          validator,
          encodeMessage(AgreementEvidenceSchema, encodeEquivocation(this.#set, action.evidence)),
        )
        logger.warn('a validator said two things at once', { validator: action.evidence.validator, epoch })
      }
    }
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
