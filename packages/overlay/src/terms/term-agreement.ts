import { type Clock, type Logger, messageOf, throwIfAborted, wait } from '@weft/core'
import { type DidKey, type SigningKey, shortId } from '@weft/crypto'
import type { AgreementMessage as WireMessage, AgreementPullRequest } from '@weft/wire'
import { AgreementInstance } from '../agreement/agreement-instance.ts'
import type { Certificate } from '../agreement/agreement-message.ts'
import type { Agreement, AgreementInit } from '../agreement/agreement.ts'
import { summaryOf, summaryToWire } from '../agreement/summary.ts'
import { ValidatorCalls } from '../agreement/validator-calls.ts'
import { fromWire } from '../agreement/wire-form.ts'
import type { Rpc } from '../rpc.ts'
import { RECOVERY_TIMEOUTS } from './recovery-times.ts'

export interface TermAgreementInit extends Pick<AgreementInit, 'set' | 'epoch' | 'propose' | 'judge'> {
  /** By which calls the messages go. */
  readonly name: 'handover' | 'recovery'
  readonly key: SigningKey
  /** All who agree but this node. */
  readonly others: readonly DidKey[]
  readonly rpc: Pick<Rpc, 'call'>
  readonly clock: Clock
  readonly logger: Logger
  /** What was said in it before a restart. */
  readonly saved: Uint8Array | undefined
  /** Keeps the state durably before it returns. */
  readonly save: (state: Uint8Array) => void
  /** Whether there is nothing to agree on now, so that no round is used up; never by default. */
  readonly isIdle?: () => boolean
  readonly onDecision: (certificate: Certificate) => void
}

/** One agreement on who has the seats, beside those of the maps, with the calls by which it goes. */
export class TermAgreement {
  readonly #init: TermAgreementInit
  readonly #instance: AgreementInstance
  readonly #calls: ValidatorCalls

  /** @throws WeftError E_AGREEMENT_MALFORMED when what was saved is damaged */
  constructor(init: TermAgreementInit) {
    const { name, others, rpc, clock, logger } = init
    this.#init = init
    this.#calls = new ValidatorCalls({ rpc, clock, logger, others, pauseMs: RECOVERY_TIMEOUTS.pull })
    this.#instance = new AgreementInstance({
      ...init,
      timeouts: RECOVERY_TIMEOUTS,
      send: (message, signal) => this.#calls.toAll(`${name}.send`, { message }, signal),
      onEvidence: ({ validator }) => logger.warn('somebody said two things at once', { agreement: name, validator }),
    })
  }

  get state(): Agreement {
    return this.#instance.agreement
  }

  get isDecided(): boolean {
    return this.state.decision !== undefined
  }

  /** Begins, or goes on where it was before a restart. */
  start(): void {
    if (this.state.round === undefined) this.#instance.start()
  }

  /** To be called when `judge` or `propose` may say more than before. */
  reconsider(): void {
    this.#instance.reconsider()
  }

  end(): void {
    this.#instance.end()
  }

  /**
   * Asks all others for what was missed, unless they are being asked.
   * @param onHeard told of each who answers
   */
  ask(onHeard?: (id: DidKey) => void): void {
    const summary = summaryToWire(this.state.summary())
    const onAnswer = ({ messages }: { readonly messages: readonly WireMessage[] }, from: DidKey): void => {
      onHeard?.(from)
      try {
        for (const wire of messages) this.receive(wire)
      } catch (error) {
        const { name, logger } = this.#init
        logger.debug('an answer was nonsense', { agreement: name, node: shortId(from), error: messageOf(error) })
      }
    }
    this.#calls.toAll(`${this.#init.name}.pull`, summary, this.#instance.ended, onAnswer, 1)
  }

  /** @throws WeftError E_AGREEMENT_MALFORMED, E_AGREEMENT_EPOCH, E_SIGNATURE_INVALID */
  receive(wire: WireMessage): void {
    this.#instance.receive(fromWire(this.#init.set, wire))
  }

  /** What another lacks. @throws WeftError E_AGREEMENT_MALFORMED */
  answer(request: AgreementPullRequest): WireMessage[] {
    const asked = summaryOf(request, this.#init.set.size)
    return asked.epoch === this.state.epoch ? this.#instance.answer(asked) : []
  }
}

/** Goes on with it every second or two until the signal fires; a step that fails is noted. @throws WeftError E_ABORTED */
export async function everyPull(
  name: TermAgreementInit['name'],
  step: () => void,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
  signal: AbortSignal,
): Promise<never> {
  for (;;) {
    throwIfAborted(signal)
    try {
      step()
    } catch (error) {
      logger.error(`the ${name} failed`, { cause: messageOf(error) })
    }
    await wait(clock, RECOVERY_TIMEOUTS.pull, signal)
  }
}
