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
import type { Multiaddr } from '@multiformats/multiaddr'
import { type NodeAddress, parseNodeAddress } from '../network/node-address.ts'
import { overDuplex } from './over-duplex.ts'

export interface ThroughComponents {
  readonly logger: ComponentLogger
}

/** Opens a stream of bytes to a TCP port of a node by way of somebody else. No other call leaves this node then. @throws WeftError */
export type OpenThrough = (target: Pick<NodeAddress, 'host' | 'port'>, signal: AbortSignal) => Promise<Duplex>

/** In place of TCP and WebSockets where this node calls nobody directly: dials the TCP addresses of nodes by way of somebody else. */
export class ThroughTransport implements Transport {
  readonly [transportSymbol] = true
  readonly [Symbol.toStringTag] = 'weft/through'
  readonly [serviceCapabilities] = ['@libp2p/transport']
  readonly #components: ThroughComponents
  readonly #open: OpenThrough

  constructor(components: ThroughComponents, open: OpenThrough) {
    this.#components = components
    this.#open = open
  }

  async dial(address: Multiaddr, options: DialTransportOptions): Promise<Connection> {
    const target = targetOf(address)
    if (target === undefined) throw new Error(`${address.toString()} is no TCP address`)
    const duplex = await this.#open(target, options.signal)
    return overDuplex(duplex, address, options, this.#components.logger.forComponent('weft:through'))
  }

  createListener(): Listener {
    throw new Error('nobody is listened to')
  }

  listenFilter(): Multiaddr[] {
    return []
  }

  dialFilter(addresses: Multiaddr[]): Multiaddr[] {
    return addresses.filter((address) => targetOf(address) !== undefined)
  }
}

function targetOf(address: Multiaddr): NodeAddress | undefined {
  const parsed = parseNodeAddress(address.toString().replace(/\/p2p\/[^/]+$/, ''))
  return parsed === undefined || parsed.websocket ? undefined : parsed
}
