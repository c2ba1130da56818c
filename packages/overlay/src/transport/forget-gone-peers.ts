import type { PeerId } from '@libp2p/interface'
import type { Host } from './host.ts'

/** Peers that are gone and still remembered; enough for libp2p's own listeners to finish with them. */
const KEPT = 64

/**
 * libp2p's peer store keeps every caller for hours, so that strangers with ever new keys could fill the memory. Who
 * disconnected is forgotten once 64 others have, unless it is back.
 */
export function forgetGonePeers(host: Host): void {
  const gone = new Map<string, PeerId>()
  host.addEventListener('peer:disconnect', (event) => {
    const peer = event.detail
    gone.delete(peer.toString())
    gone.set(peer.toString(), peer)
    if (gone.size <= KEPT) return
    const [oldest] = gone.values()
    if (oldest === undefined) return
    gone.delete(oldest.toString())
    if (host.getConnections(oldest).length > 0) return
    // A store that is closing has nothing to forget.
    host.peerStore.delete(oldest).catch(() => {})
  })
}
