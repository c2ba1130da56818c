import type { LinkSet, RelayCircuits } from '@weft/onion'
import type { CarriedStatus } from '../vpn.ts'
import type { ExitIp } from './exit-ip.ts'
import type { ExitService } from './exit-service.ts'
import type { PacketPorts } from './packet-ports.ts'

export interface Carrying {
  readonly relay: RelayCircuits
  readonly links: LinkSet
  readonly ports: PacketPorts | undefined
  readonly exit: ExitService | undefined
  readonly exitIp: ExitIp | undefined
}

/** What a node carries for others. */
export function carriedStatus({ relay, links, ports, exit, exitIp }: Carrying): CarriedStatus {
  const { received, sent, dropped } = ports?.counters ?? { received: 0, sent: 0, dropped: {} }
  return {
    circuits: relay.size,
    links: links.size,
    inTls: ports?.tls.flows ?? 0,
    exitStreams: exit?.streams ?? 0,
    exitChannels: exit?.channels ?? 0,
    exitIp: exitIp?.status,
    packetsForwarded: relay.forwarded,
    packetsReceived: received,
    packetsSent: sent,
    packetsDropped: { ...links.counters, ...relay.drops, ...dropped },
  }
}
