import { type Fault, WeftError } from '@weft/core'
import { decodeCanonical, encodeCanonical } from '../../codec/canonical-cbor.ts'
import { type Measured, measuredField, measuredOf } from '../measured-field.ts'
import { FIGURES, inWords, isAsGood } from './claims.ts'

/** Four figures of at most 9 bytes each. */
const MAX_SHORTFALL = 64

/** A validator measured less than the applicant claims. The figures name what does not hold, and only that. */
export class Shortfall extends WeftError {
  readonly figures: Measured

  constructor(claim: Measured, figures: Measured) {
    super(shortfallFault(claim, figures))
    this.figures = figures
  }
}

/** How a validator's figures read beside the claim. */
function shortfallFault(claim: Measured, figures: Measured): Fault {
  const parts = FIGURES.flatMap((figure) => {
    const [claimed, found] = [claim[figure], figures[figure]]
    return claimed === undefined || found === undefined
      ? []
      : [`${inWords(figure, claimed)} is claimed, and ${inWords(figure, found)} was measured`]
  })
  return {
    code: 'E_ADMISSION_MEASURED',
    cause: `The node is not what it claims: ${parts.join('; ')}.`,
    fix: 'Nothing to do: the node claims less and applies again, without the roles for which that is too little.',
  }
}

export function encodeShortfall(figures: Measured): Uint8Array {
  return encodeCanonical(measuredField(figures))
}

/** @throws WeftError E_SHORTFALL_MALFORMED also when it names what is not claimed, or what holds */
export function decodeShortfall(bytes: Uint8Array, claim: Measured | undefined): Measured {
  const figures = measuredOf(decodeCanonical(bytes, MAX_SHORTFALL, malformed), malformed)
  if (figures === undefined) throw malformed('it names no figure')
  const odd = FIGURES.find((figure) => {
    const [claimed, found] = [claim?.[figure], figures[figure]]
    return found !== undefined && (claimed === undefined || isAsGood(figure, found, claimed))
  })
  if (odd !== undefined) throw malformed(`it names ${odd}, in which the claim holds by it`)
  return figures
}

function malformed(why: string): WeftError {
  return new WeftError({
    code: 'E_SHORTFALL_MALFORMED',
    cause: `What a validator says that it measured cannot be used: ${why}.`,
    fix: 'Its operator has to update it (docs/specs/admission.md).',
    retryable: true,
  })
}
