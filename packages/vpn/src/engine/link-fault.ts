import type { Fault } from '@weft/core'
import type { LinkDownReason } from '@weft/onion'

/** What went wrong with a link that ended; undefined where that is part of its life, or its circuits tell. */
export function linkFault(reason: LinkDownReason | undefined): Fault | undefined {
  if (reason !== 'keys expired') return undefined
  return {
    code: 'E_LINK_EXPIRED',
    cause:
      'Keys of a link may be used for three minutes, and for the last of them no handshake for new ones came through.',
    fix: 'Nothing to do when it happens once: a new link is made. If it goes on, the node at one of its ends has too little processor time.',
  }
}
