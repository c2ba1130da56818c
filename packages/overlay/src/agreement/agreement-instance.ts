import { type Clock, type Logger, WeftError, messageOf } from '@weft/core'
import type { AgreementMessage as WireMessage } from '@weft/wire'
import type { AgreementAction } from './agreement-action.ts'
import type { AgreementMessage } from './agreement-message.ts'
import { type AgreementState, decodeState, encodeState } from './agreement-state.ts'
import { Agreement, type AgreementInit } from './agreement.ts'
import type { Equivocation } from './equivocation.ts'
import type { Summary } from './summary.ts'
import { toWire } from './wire-form.ts'

export interface AgreementInstanceInit extends Omit<AgreementInit, 'restored'> {
  readonly clock: Clock
  readonly logger: Logger
  /** What was kept of it before a restart, as `save` was given it. */
  readonly saved?: Uint8Array | undefined
  /** Keeps the state durably before it returns. */
  readonly save: (state: Uint8Array) => void
  /** Sends to all others. */
  readonly send: (message: WireMessage, signal: AbortSignal) => void
  /**
   * Whether there is nothing to agree on now: the wait for a proposal then begins anew when it is over, so that no round is
   * used up. Never by default.
   */
  readonly isIdle?: () => boolean
  /** A fresh value of one's own was proposed. */
  readonly onProposed?: () => void
  readonly onDecision: (certificate: Extract<AgreementAction, { readonly type: 'decide' }>['certificate']) => void
  readonly onEvidence: (evidence: Equivocation) => void
}

/** One agreement with its clock, its disk and the others: performs what the rules ask for, until it is ended. */
export class AgreementInstance {
  readonly agreement: Agreement
  readonly #init: AgreementInstanceInit
  readonly #end = new AbortController()
  /** What was said could not be written down: nothing more is said. */
  #mute = false

  /** @throws WeftError E_AGREEMENT_MALFORMED when what was saved is damaged */
  constructor(init: AgreementInstanceInit) {
    this.#init = init
    this.agreement = new Agreement({ ...init, restored: restoredOf(init.saved) })
  }

  /** Fires when it is over. */
  get ended(): AbortSignal {
    return this.#end.signal
  }

  get isMute(): boolean {
    return this.#mute
  }

  end(): void {
    this.#end.abort()
  }

  start(): void {
    this.#perform(() => this.agreement.start())
  }

  /** To be called when `judge` or `propose` may say more than before. */
  reconsider(): void {
    this.#perform(() => this.agreement.reconsider())
  }

  /** @throws WeftError E_AGREEMENT_MALFORMED, E_SIGNATURE_INVALID */
  receive(message: AgreementMessage): void {
    this.#perform(() => this.agreement.receive(message))
  }

  /** What another lacks; nothing of one that is over without a decision. */
  answer(asked: Summary): WireMessage[] {
    if (this.#mute || (this.#end.signal.aborted && this.agreement.decision === undefined)) return []
    return this.agreement.answer(asked).map((message) => toWire(this.#init.set, message))
  }

  /** Does what the agreement asks, in order. What cannot be written down is not said, nor anything after it. */
  #perform(step: () => AgreementAction[]): void {
    if (this.#mute || this.#end.signal.aborted) return
    for (const action of step()) {
      try {
        this.#do(action)
      } catch (error) {
        const code = error instanceof WeftError ? error.code : undefined
        const { epoch } = this.agreement
        this.#init.logger.error('this epoch is sat out', { epoch, code, cause: messageOf(error) })
        this.#mute = true
        return
      }
    }
  }

  #do(action: AgreementAction): void {
    const { set, save, send, onProposed, onDecision, onEvidence } = this.#init
    const end = this.#end.signal
    switch (action.type) {
      case 'persist':
        save(encodeState(action.state))
        break
      case 'send': {
        const { message } = action
        send(toWire(set, message), end)
        if (message.kind === 'proposal' && message.proposal.lock === undefined) onProposed?.()
        break
      }
      case 'timer':
        this.#setTimer(action)
        break
      case 'decide':
        onDecision(action.certificate)
        break
      case 'evidence':
        onEvidence(action.evidence)
    }
  }

  #setTimer(action: Extract<AgreementAction, { readonly type: 'timer' }>): void {
    const { clock, isIdle } = this.#init
    const { timer, ms } = action
    const end = this.#end.signal
    const cancel = clock.after(ms, () => {
      end.removeEventListener('abort', cancel)
      const isCurrent = this.agreement.decision === undefined && timer.round === this.agreement.round
      if (isCurrent && timer.step === 'propose' && isIdle?.() === true) this.#setTimer(action)
      else this.#perform(() => this.agreement.onTimer(timer))
    })
    end.addEventListener('abort', cancel, { once: true })
  }
}

function restoredOf(saved: Uint8Array | undefined): AgreementState | undefined {
  return saved === undefined ? undefined : decodeState(saved)
}
