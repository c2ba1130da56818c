import { WeftError } from '@weft/core'
import { type DidKey, shortId } from '@weft/crypto'
import { fromWireFault } from '@weft/overlay'
import type { Fault as FaultMessage } from '@weft/wire'

/** The fault of a holder as an error of this node that names it; its words are bounded as those of any peer. */
export function remoteFault(fault: FaultMessage, holder: DidKey): WeftError {
  const { code, cause, fix, retryable } = fromWireFault(fault, holder)
  return new WeftError({
    code,
    cause: `${shortId(holder)} answered: ${cause === '' ? 'nothing of the reason.' : cause}`,
    fix: fix === '' ? 'See the log of the holder.' : fix,
    retryable,
    details: { node: holder },
  })
}
