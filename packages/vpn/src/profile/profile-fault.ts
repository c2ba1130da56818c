import { WeftError } from '@weft/core'

/** @param why completes a sentence that begins with what is wrong */
export function profileInvalid(why: string, fix: string, field?: string): WeftError {
  return new WeftError({
    code: 'E_PROFILE_INVALID',
    cause: `The profile is not valid: ${why}.`,
    fix,
    details: field === undefined ? {} : { field },
  })
}

/** A value that was refused, short enough for a line. */
export function shown(value: unknown): string {
  const json = JSON.stringify(value) ?? 'nothing'
  return json.length <= 60 ? json : `${json.slice(0, 60)}…`
}
