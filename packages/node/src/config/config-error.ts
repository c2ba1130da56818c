import { WeftError } from '@weft/core'
import { nearest } from './nearest.ts'

/** A setting, variable or flag that cannot be used as it stands. */
export function configError(cause: string, fix: string, details: Readonly<Record<string, unknown>> = {}): WeftError {
  return new WeftError({ code: 'E_CONFIG_INVALID', cause, fix, details })
}

/** A name that is no setting, with the nearest one that is. */
export function unknownName(kind: string, name: string, valid: readonly string[], where: string): WeftError {
  const meant = nearest(name, valid)
  return new WeftError({
    code: 'E_CONFIG_UNKNOWN',
    cause: `${where} has the ${kind} '${name.slice(0, 64)}', which does not exist.`,
    fix:
      meant === undefined
        ? `Remove it; valid are: ${valid.join(', ')}.`
        : `Did you mean '${meant}'? Otherwise remove it.`,
    details: { name: name.slice(0, 64), ...(meant === undefined ? {} : { nearest: meant }) },
  })
}
