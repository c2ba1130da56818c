import { type Fault, WeftError, messageOf } from '@weft/core'
import { type DidKey, shortId } from '@weft/crypto'
import type { StorageClass } from '../storage.ts'

/** Holders that a fault names; the others are counted. */
const MAX_NAMED = 8

/** One that fell out of a put, and why. */
export interface LostHolder {
  readonly node: DidKey
  readonly error: WeftError
}

/** Nobody is left for a seat. */
export function holdersLost(stored: StorageClass, lost: readonly LostHolder[]): WeftError {
  return new WeftError({
    code: 'E_HOLDERS_LOST',
    cause: `Class ${stored.name} needs ${stored.n} storage nodes at once; ${inWords(lost)}, and no other is left.`,
    fix: 'Make room on these nodes or bring them back (`weft members` shows them), or choose a smaller class; then put it again.',
    retryable: true,
    details: {
      class: stored.name,
      needed: stored.n,
      lost: lost.map(({ node, error }) => ({ node, code: error.code })),
    },
  })
}

/** The put is well, though not all of its holders were. */
export function holdersReplaced(lost: readonly LostHolder[]): Fault {
  return {
    code: 'E_HOLDER_REPLACED',
    cause: `The object is stored whole; ${inWords(lost)}. Others took their place.`,
    fix: 'Nothing to do for this object. Look at these nodes (`weft ping`): they may be full, down or slow for others, too.',
  }
}

function inWords(lost: readonly LostHolder[]): string {
  const named = lost.slice(0, MAX_NAMED).map(({ node, error }) => {
    const cause = messageOf(error).replace(/\.$/, '')
    return `…${shortId(node)} (${error.code}: ${cause})`
  })
  const others = lost.length > MAX_NAMED ? ` and ${lost.length - MAX_NAMED} more` : ''
  return `${lost.length} fell out during the put: ${named.join(', ')}${others}`
}
