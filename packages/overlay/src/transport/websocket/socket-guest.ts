import type { Socket } from 'node:net'
import { ipPortToMultiaddr } from '@libp2p/utils'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Guest } from '../inbound-gate.ts'

/** A socket as the gate sees it. @throws when the other side has gone already */
export function socketGuest(socket: Socket): Guest & { readonly remoteAddr: Multiaddr } {
  const { remoteAddress, remotePort } = socket
  if (remoteAddress === undefined || remotePort === undefined) throw new Error('the socket is closed')
  return {
    remoteAddr: ipPortToMultiaddr(remoteAddress, remotePort),
    addEventListener: (name, listener) => void socket.once(name, listener),
    abort: () => void socket.destroy(),
  }
}
