import type { Duplex } from 'node:stream'
import type { Connection, DialTransportOptions, Logger } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { DuplexConnection } from './duplex-connection.ts'

/** Makes a connection of libp2p on a stream of bytes that leads to the node of this address; the stream ends where that fails. */
export async function overDuplex(
  duplex: Duplex,
  remoteAddr: Multiaddr,
  options: DialTransportOptions,
  log: Logger,
): Promise<Connection> {
  const connection = new DuplexConnection({ duplex, remoteAddr, direction: 'outbound', log })
  try {
    return await options.upgrader.upgradeOutbound(connection, options)
  } catch (error) {
    connection.abort(error instanceof Error ? error : new Error(String(error)))
    throw error
  }
}
