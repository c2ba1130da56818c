import type { AgreementMessage, Certificate } from './agreement-message.ts'
import type { AgreementState } from './agreement-state.ts'
import type { Equivocation } from './equivocation.ts'

/** The steps of a round; each has its timeout. */
export type Step = 'propose' | 'prevote' | 'precommit'

export interface AgreementTimer {
  readonly step: Step
  readonly round: number
}

/** What the agreement asks of whoever runs it, to be done in order. */
export type AgreementAction =
  /** Must be safe on disk before any action behind it is done. */
  | { readonly type: 'persist'; readonly state: AgreementState }
  /** To all other validators, once; what is lost is asked for by them. */
  | { readonly type: 'send'; readonly message: AgreementMessage }
  /** `onTimer` after so many ms. */
  | { readonly type: 'timer'; readonly timer: AgreementTimer; readonly ms: number }
  /** Once, and nothing behind it. */
  | { readonly type: 'decide'; readonly certificate: Certificate }
  | { readonly type: 'evidence'; readonly evidence: Equivocation }
