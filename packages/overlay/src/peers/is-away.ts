import type { PeerStatus } from '../overlay.ts'

/**
 * True for a member that this node does not get through to. One to which no connection is kept, as in a network too
 * large for one to everybody, may well be there.
 */
export function isAway({ state, fault }: PeerStatus): boolean {
  return state === 'unreachable' && fault?.code !== 'E_PEER_NOT_KEPT'
}
