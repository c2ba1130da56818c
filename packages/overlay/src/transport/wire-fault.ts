import { WeftError } from '@weft/core'
import { type DidKey, shortId } from '@weft/crypto'
import type { Fault } from '@weft/wire'

const MAX_TEXT = 1_000
const CODE = /^E_[A-Z0-9_]{1,62}$/
/** Terminals act on these, or show what stands behind them elsewhere; a fault of a stranger ends up on one. */
const CONTROL = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

export type FaultFields = Pick<Fault, 'code' | 'cause' | 'fix' | 'retryable'>

/** What of an error crosses the wire: never its details or origin, and of an unforeseen error nothing at all. */
export function toWireFault(error: unknown): FaultFields {
  if (!(error instanceof WeftError)) {
    return {
      code: 'E_INTERNAL',
      cause: 'The node failed to answer because of a fault of its own.',
      fix: 'Try another node; its operator finds the reason in its log.',
      retryable: true,
    }
  }
  return { code: error.code, cause: clean(error.cause), fix: clean(error.fix), retryable: error.retryable }
}

/** The other side's fault as an error: its words are bounded and freed of control characters, nothing else is changed. */
export function fromWireFault(fault: FaultFields, from: DidKey): WeftError {
  if (!CODE.test(fault.code)) {
    return new WeftError({
      code: 'E_FAULT_MALFORMED',
      cause: `${shortId(from)} refused with a code that is none: '${clean(fault.code).slice(0, 64)}'.`,
      fix: 'Update the older of the two sides, or use another node.',
      details: { from },
    })
  }
  return new WeftError({
    code: fault.code,
    cause: clean(fault.cause),
    fix: clean(fault.fix),
    retryable: fault.retryable,
    details: { from },
  })
}

function clean(text: string): string {
  return text.slice(0, MAX_TEXT).toWellFormed().replaceAll(CONTROL, ' ').trim()
}
