import { WeftError } from '@weft/core'

/** The error of a message of the agreement that breaks its form or its limits. */
export function malformed(why: string): WeftError {
  return new WeftError({
    code: 'E_AGREEMENT_MALFORMED',
    cause: `A message of the agreement among validators cannot be used: ${why}.`,
    fix: 'The sender has to follow docs/specs/agreement.md; update the older of the two sides.',
  })
}
