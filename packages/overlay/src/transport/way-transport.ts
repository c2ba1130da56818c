import type { Duplex } from 'node:stream'
import {
  type ComponentLogger,
  type Connection,
  type DialTransportOptions,
  type Listener,
  type Transport,
  serviceCapabilities,
  transportSymbol,
} from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import type { Multiaddr } from '@multiformats/multiaddr'
import { type DidKey, shortId } from '@weft/crypto'
import { overDuplex } from './over-duplex.ts'
import { didOfPeer } from './peer-id.ts'

export interface WayComponents {
  readonly logger: ComponentLogger
}

/** Opens a way to a node on which a connection of the overlay can be made as on a TCP socket. @throws WeftError */
export type OpenWay = (to: DidKey, signal: AbortSignal) => Promise<Duplex>

/** The address under which a node is dialled by this transport, for libp2p: whoever opens the way knows where the node is. */
export function wayAddress(to: DidKey): string {
  return `/memory/${shortId(to)}`
}

/** Dials over ways that somebody else opens, such as routes that do not show who calls; takes no calls. */
export class WayTransport implements Transport {
  readonly [transportSymbol] = true
  readonly [Symbol.toStringTag] = 'weft/way'
  readonly [serviceCapabilities] = ['@libp2p/transport']
  readonly #components: WayComponents
  readonly #open: OpenWay

  constructor(components: WayComponents, open: OpenWay) {
    this.#components = components
    this.#open = open
  }

  async dial(address: Multiaddr, options: DialTransportOptions): Promise<Connection> {
    const duplex = await this.#open(didOfPeer(peerIdFromString(peerOf(address) ?? '')), options.signal)
    const log = this.#components.logger.forComponent('weft:way')
    return overDuplex(duplex, address, options, log)
  }

  createListener(): Listener {
    throw new Error('nobody is listened to')
  }

  listenFilter(): Multiaddr[] {
    return []
  }

  dialFilter(addresses: Multiaddr[]): Multiaddr[] {
    return addresses.filter((address) => peerOf(address) !== undefined)
  }
}

function peerOf(address: Multiaddr): string | undefined {
  const [way, peer, ...rest] = address.getComponents()
  return way?.name === 'memory' && peer?.name === 'p2p' && rest.length === 0 ? peer.value : undefined
}
