import type { Multiaddr } from '@multiformats/multiaddr'

export interface WebSocketEndpoint {
  /** An IPv4 or IPv6 literal. */
  readonly host: string
  /** 0 where any free one will do. */
  readonly port: number
}

/** Reads `/ip4|ip6/HOST/tcp/PORT/ws`, with or without a node's id behind it; undefined for any other address. */
export function webSocketEndpoint(address: Multiaddr): WebSocketEndpoint | undefined {
  const [ip, tcp, ws, id, ...rest] = address.getComponents()
  if (ip === undefined || (ip.name !== 'ip4' && ip.name !== 'ip6') || tcp?.name !== 'tcp' || ws?.name !== 'ws')
    return undefined
  if (rest.length > 0 || (id !== undefined && id.name !== 'p2p')) return undefined
  return ip.value === undefined ? undefined : { host: ip.value, port: Number(tcp.value) }
}
