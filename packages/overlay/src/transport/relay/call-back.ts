import { multiaddr } from '@multiformats/multiaddr'
import type { DidKey } from '@weft/crypto'
import type { Host } from '../host.ts'
import { parseRelayedAddress } from '../../network/relayed-address.ts'
import { ADDRESS_DIAL_TIMEOUT_MS, MAX_ADDRESSES } from '../limits.ts'
import { didOfPeer } from '../peer-id.ts'

/**
 * Dials members that called over a relay where they are reached directly: a node behind a NAT that nobody gets through can call others, and is
 * spared the relay so. The relayed connection is left to `retireRelayed`.
 * @param lookup multiaddrs of a node, from the signed map or the network file; none of whoever is in neither
 */
export function callBack(host: Host, lookup: (id: DidKey) => readonly string[], closing: AbortSignal): void {
  host.addEventListener('connection:open', ({ detail: { remotePeer, limits, direction } }) => {
    if (limits === undefined || direction !== 'inbound') return
    const direct = lookup(didOfPeer(remotePeer)).filter((address) => parseRelayedAddress(address) === undefined)
    if (direct.length === 0) return
    const addresses = direct
      .slice(0, MAX_ADDRESSES)
      .map((address) => multiaddr(address).encapsulate(`/p2p/${remotePeer.toString()}`))
    const signal = AbortSignal.any([closing, AbortSignal.timeout(ADDRESS_DIAL_TIMEOUT_MS)])
    // What fails leaves things as they are: the relay serves, and holes are tried.
    host.dial(addresses, { signal, force: true }).catch(() => {})
  })
}
