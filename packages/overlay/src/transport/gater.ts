import type { ConnectionGater, MultiaddrConnection } from '@libp2p/interface'
import type { DidKey } from '@weft/crypto'
import { MAX_CONNECTIONS_PER_ADDRESS } from './limits.ts'
import { didOfPeer } from './peer-id.ts'

/** Whether there is room for an inbound connection of this caller, known by its key now. */
export type AdmitStranger = (caller: DidKey) => boolean

/** Refuses keys that are not Ed25519, strangers beyond their share, and addresses that take too many connections. */
export function createGater(admit: AdmitStranger): ConnectionGater {
  const open = new Map<string, number>()
  return {
    denyDialMultiaddr: () => false,
    denyDialPeer: (peer) => peer.type !== 'Ed25519',
    denyInboundConnection: (connection) => countAddress(open, connection),
    denyInboundEncryptedConnection: (peer) => peer.type !== 'Ed25519' || !admit(didOfPeer(peer)),
    denyOutboundEncryptedConnection: (peer) => peer.type !== 'Ed25519',
  }
}

function countAddress(open: Map<string, number>, connection: MultiaddrConnection): boolean {
  const host = hostOf(connection.remoteAddr.toString())
  if (isLoopback(host)) return false
  const count = open.get(host) ?? 0
  if (count >= MAX_CONNECTIONS_PER_ADDRESS) return true
  open.set(host, count + 1)
  connection.addEventListener('close', () => {
    const left = (open.get(host) ?? 1) - 1
    if (left > 0) open.set(host, left)
    else open.delete(host)
  })
  return false
}

/** The host of a multiaddr such as /ip4/192.0.2.1/tcp/4780. */
function hostOf(address: string): string {
  return address.split('/')[2] ?? ''
}

function isLoopback(host: string): boolean {
  return host.startsWith('127.') || host === '::1'
}
