import { type Fault, WeftError } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { AdmissionState, ValidatorFault } from '../overlay.ts'
import type { Term } from '../terms/term.ts'
import { Shortfall } from './measure/shortfall.ts'
import type { Measured } from './measured-field.ts'

/** Why one validator gave no vote. */
export interface Refusal {
  readonly fault: ValidatorFault
  /** For a person to mend; otherwise it may pass by itself: the validator, or the way to it, is not ready. */
  readonly final: boolean
}

/** What came of an application that made no certificate. */
export interface FailedAttempt {
  readonly votes: number
  readonly refusals: readonly Refusal[]
  /** Of each validator that voted (undefined) or measured: what it found where the claim does not hold. */
  readonly found: readonly (Measured | undefined)[]
  /** Whose validators were asked. */
  readonly term: Term
}

/**
 * Refused when so many validators said no for good that the others cannot make a quorum; otherwise the node goes on
 * applying, and shows what keeps each validator from voting.
 */
export function progressAfter(
  attempt: FailedAttempt,
  since: number,
  retryAt: number,
): Exclude<AdmissionState, { readonly state: 'client' | 'certified' }> {
  const { votes, refusals, term } = attempt
  const faults = refusals.map(({ fault }) => fault)
  if (!isRefusal(attempt)) return { state: 'applying', since, votes, quorum: term.quorum, faults }
  const final = refusals.filter((refusal) => refusal.final).map(({ fault }) => fault)
  return { state: 'refused', fault: mostCommon(final, votes, term), faults, retryAt }
}

export function isRefusal({ refusals, term }: FailedAttempt): boolean {
  const { validators, quorum } = term
  return validators.length - refusals.filter(({ final }) => final).length < quorum
}

function mostCommon(faults: readonly Fault[], votes: number, { quorum, validators }: Term): Fault {
  const counts = new Map<string, number>()
  for (const { code } of faults) counts.set(code, (counts.get(code) ?? 0) + 1)
  const [fault] = faults.toSorted((a, b) => (counts.get(b.code) ?? 0) - (counts.get(a.code) ?? 0))
  const cause = `${faults.length} of ${validators.length} validators refused, ${votes} voted and ${quorum} are needed. ${fault?.cause ?? ''}`
  return { code: fault?.code ?? 'E_ADMISSION_REFUSED', cause, fix: fault?.fix ?? 'See what each validator says.' }
}

export function refusalOf(validator: DidKey, error: unknown): Refusal {
  const { code, cause, fix, retryable } =
    error instanceof WeftError
      ? error
      : new WeftError({
          code: 'E_INTERNAL',
          cause: 'The validator could not be asked.',
          fix: 'Nothing to do: the node applies again by itself.',
          retryable: true,
        })
  // What was measured is no last word: less is claimed.
  return { fault: { validator, code, cause, fix }, final: !retryable && !(error instanceof Shortfall) }
}
