import { WeftError } from '@weft/core'

/** The error of a term that is said to have begun, or is proposed, and cannot be believed. @param why without a full stop */
export function refuseSuccession(why: string): WeftError {
  return new WeftError({
    code: 'E_SUCCESSION',
    cause: `A new term of validators is refused: ${why}.`,
    fix: 'Nothing to do: only a term that the electors of the last map agreed on begins (docs/specs/terms.md).',
  })
}
