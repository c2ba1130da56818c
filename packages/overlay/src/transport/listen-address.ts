/** Where a node listens. */
export interface ListenAddress {
  /** An IPv4 or IPv6 literal. */
  readonly host: string
  /** TCP; 0 takes a free one. */
  readonly port: number
  /** Whether WebSockets are spoken there, and not bare TCP. */
  readonly websocket?: boolean
}

/** The multiaddr of what a node listens on. */
export function toMultiaddr({ host, port, websocket = false }: ListenAddress): string {
  return `/${host.includes(':') ? 'ip6' : 'ip4'}/${host}/tcp/${port}${websocket ? '/ws' : ''}`
}
