import { type Clock, type Random, isWeftError } from '@weft/core'
import type { Endpoint } from '@weft/onion'
import { CarriagePort } from '../carriage/carriage-port.ts'
import { reachableEndpoint } from '../route/reachable-endpoint.ts'
import type { RouteMember } from '../route/route-member.ts'
import type { UdpPort, UdpPortOptions } from '../udp/udp-port.ts'
import { openUdpPort } from '../udp/open-udp-port.ts'
import type { EngineInit } from './engine-init.ts'

export interface PacketPortsParts extends Pick<UdpPortOptions, 'onBatch' | 'logger'> {
  readonly clock: Clock
  readonly random: Random
}

/** Where any port will do, another one is taken when the number is free in UDP and not in TCP; so many times. */
const TRIES = 8

/** What packets leave by and come in at: a UDP port and, at an entry, a TCP port of the same number for packets in TLS. */
export class PacketPorts {
  readonly udp: UdpPort
  readonly tls: CarriagePort

  /** @throws WeftError E_PORT_TAKEN, E_UDP_PORT, E_LISTEN_FAILED */
  static async open(init: EngineInit, parts: PacketPortsParts): Promise<PacketPorts> {
    for (let tries = 1; ; tries++) {
      const udp = await openUdp(init, parts)
      try {
        return new PacketPorts(udp, await openTls(init, udp.address.port, parts))
      } catch (error) {
        udp.close()
        if (init.udp.port !== 0 || tries === TRIES || !isWeftError(error, 'E_PORT_TAKEN')) throw error
      }
    }
  }

  private constructor(udp: UdpPort, tls: CarriagePort) {
    this.udp = udp
    this.tls = tls
  }

  send(bytes: Uint8Array, to: Endpoint): void {
    if (to.over === 'tls') this.tls.send(bytes, to)
    else this.udp.send(bytes, to)
  }

  /** Where a member is sent packets from here. */
  endpointOf(member: Pick<RouteMember, 'endpoint' | 'moreEndpoints'>): Endpoint {
    return reachableEndpoint(member, { bound: this.udp.address.address })
  }

  flush(): void {
    this.udp.flush()
    this.tls.flush()
  }

  /** What went each way, and what was dropped, by reason. */
  get counters(): { readonly received: number; readonly sent: number; readonly dropped: Record<string, number> } {
    const { sendErrors, receiveErrors, received, sent, ...dropped } = this.udp.counters
    const { received: receivedInTls, sent: sentInTls, ...droppedInTls } = this.tls.counters
    return {
      received: received + receivedInTls,
      sent: sent + sentInTls,
      dropped: { ...dropped, ...droppedInTls, ...sendErrors, ...receiveErrors },
    }
  }

  close(): void {
    this.udp.close()
    this.tls.close()
  }
}

/** A client takes a socket of both families, or of IPv4 where there is no other. */
async function openUdp({ keys, udp }: EngineInit, { logger, onBatch }: PacketPortsParts): Promise<UdpPort> {
  try {
    return await openUdpPort({ ...udp, logger, onBatch })
  } catch (error) {
    if (keys !== undefined || udp.host !== '::') throw error
    return openUdpPort({ ...udp, host: '0.0.0.0', logger, onBatch })
  }
}

function openTls(
  { keys, roles, udp, carriage }: EngineInit,
  port: number,
  { clock, random, onBatch }: PacketPortsParts,
): Promise<CarriagePort> {
  const { identity } = carriage
  const common = { clock, random, onBatch }
  // Clients speak to entries only; all others are members, of whom UDP was asked for.
  if (keys === undefined || identity === undefined || !roles.entry) return CarriagePort.open(common)
  return CarriagePort.open({ ...common, listen: { host: udp.host, port, identity, linkKey: keys.link.publicKey } })
}
