import { PROTOCOL_IP, PROTOCOL_MEASURE, PROTOCOL_TCP, PROTOCOL_UDP } from './protocol.ts'

/**
 * What a stream leads to: a name or an address literal, and a TCP port; or what the exit does itself, with an empty host and port 0:
 * `udp` carries datagrams by the stream's channel, `ip` IP packets alike, `dns` messages of DNS. `service` leads to a service, which `host` names,
 * of a member of the network; `measure` has the exit measure how far the host is, by connections to the port.
 */
export interface StreamTarget {
  readonly host: string
  readonly port: number
  readonly protocol?: 'udp' | 'dns' | 'ip' | 'service' | 'measure'
  /** Of a service: the key of the member whose it is, 32 bytes. */
  readonly member?: Uint8Array
}

export const UDP_CHANNEL: StreamTarget = { host: '', port: 0, protocol: 'udp' }
export const DNS_STREAM: StreamTarget = { host: '', port: 0, protocol: 'dns' }
export const IP_CHANNEL: StreamTarget = { host: '', port: 0, protocol: 'ip' }

/** Of an OPEN frame. */
export function targetOf(protocol: number, port: number, host: string): StreamTarget {
  switch (protocol) {
    case PROTOCOL_TCP:
      return { host, port }
    case PROTOCOL_MEASURE:
      return { host, port, protocol: 'measure' }
    case PROTOCOL_UDP:
      return UDP_CHANNEL
    case PROTOCOL_IP:
      return IP_CHANNEL
    default:
      return DNS_STREAM
  }
}

/** Of an OPEN frame that names a member. */
export function serviceOf(name: string, member: Uint8Array): StreamTarget {
  return { host: name, port: 0, protocol: 'service', member }
}
