import { WeftError } from '@weft/core'

/** A command that was given wrongly: exit code 2. */
export function usageError(cause: string, fix: string): WeftError {
  return new WeftError({ code: 'E_USAGE', cause, fix })
}
