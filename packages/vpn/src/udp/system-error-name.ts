import { messageOf } from '@weft/core'

/** ECONNREFUSED of the error of a system call that Node threw; the message of any other. */
export function systemErrorName(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : messageOf(error)
}
