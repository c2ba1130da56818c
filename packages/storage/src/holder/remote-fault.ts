import { WeftError } from '@weft/core'
import type { Fault as FaultMessage } from '@weft/wire'

const CODE = /^E_[A-Z0-9_]{1,60}$/
/** Longest text of a remote fault that is passed on, characters. */
const MAX_TEXT = 500

/** A holder's fault as an error of this node. Its words come from outside: cut, and without control characters. */
export function remoteFault(fault: FaultMessage): WeftError {
  return new WeftError({
    code: CODE.test(fault.code) ? fault.code : 'E_REMOTE_FAULT',
    cause: printable(fault.cause) || 'The holder gave no reason.',
    fix: printable(fault.fix) || 'See the log of the holder.',
    retryable: fault.retryable,
  })
}

function printable(text: string): string {
  return text
    .slice(0, MAX_TEXT)
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ')
    .trim()
}
