import { BridgeDialer } from '@weft/bridge'
import { type Clock, type Fault, type Logger, type Random, isWeftError } from '@weft/core'
import type { Endpoint, Packet } from '@weft/onion'
import { CarriagePort, type CarriagePortOptions } from '../carriage/carriage-port.ts'
import { reachableEndpoint } from '../route/reachable-endpoint.ts'
import type { RouteMember } from '../route/route-member.ts'
import { openUdpPort } from '../udp/open-udp-port.ts'
import type { UdpPort } from '../udp/udp-port.ts'
import type { EngineInit } from './engine-init.ts'
import { sumRecords } from './sum-records.ts'

export interface PacketPortsParts {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** As of a UDP port. @param isOwn came to the port from which this worker makes links: nobody else knows it */
  readonly onBatch: (count: number, packets: readonly Packet[], from: readonly Endpoint[], isOwn: boolean) => void
  /** One of the UDP ports takes no more, or all do again. */
  readonly onHold: (isHeld: boolean) => void
  /** A connection for packets in TLS that this node called for was made, or could not be; not told where bridges call. */
  readonly onTlsTried: (way: Endpoint, isMade: boolean) => void
}

/** Where any port will do, another one is taken when the number is free in UDP and not in TCP; so many times. */
const TRIES = 8

/**
 * What packets of one worker leave by and come in at. The node's UDP port, which several workers share, so that a sender always meets the
 * same of them; for links that it makes one of its own, since what answers them would come to any, while one worker alone has the first for
 * both; and at an entry a TCP port of the same number for packets in TLS, at the first worker.
 */
export class PacketPorts {
  readonly tls: CarriagePort
  readonly #shared: UdpPort
  readonly #own: UdpPort
  /** Of a client that calls by bridges only. */
  readonly #dialer: BridgeDialer | undefined

  /** @throws WeftError E_PORT_TAKEN, E_UDP_PORT, E_LISTEN_FAILED */
  static async open(init: EngineInit, parts: PacketPortsParts): Promise<PacketPorts> {
    for (let tries = 1; ; tries++) {
      const udp = await openUdpPorts(init, parts)
      const { bridges } = init.carriage
      const dialer = bridges.length === 0 ? undefined : new BridgeDialer({ bridges, clock: parts.clock })
      try {
        return new PacketPorts(udp, await openTls(init, udp.shared.address.port, parts, dialer), dialer)
      } catch (error) {
        closeAll(udp)
        if (init.udp.port !== 0 || tries === TRIES || !isWeftError(error, 'E_PORT_TAKEN')) throw error
      }
    }
  }

  private constructor({ shared, own }: UdpPorts, tls: CarriagePort, dialer: BridgeDialer | undefined) {
    this.#dialer = dialer
    this.#shared = shared
    this.#own = own
    this.tls = tls
  }

  /** Where packets come in by UDP. */
  get address(): Endpoint {
    return this.#shared.address
  }

  /** Why no bridge leads to nodes; undefined while one does, none was tried, or none is wanted. */
  get bridgeFault(): Fault | undefined {
    return this.#dialer?.fault
  }

  /** @param isOwn of a link that this worker made */
  send(bytes: Uint8Array, to: Endpoint, isOwn: boolean): void {
    if (to.over === 'tls') return this.tls.send(bytes, to)
    const port = isOwn ? this.#own : this.#shared
    port.send(bytes, to)
  }

  /** Where a member is sent packets from here. */
  endpointOf(member: Pick<RouteMember, 'endpoint' | 'moreEndpoints'>): Endpoint {
    return reachableEndpoint(member, { bound: this.address.address })
  }

  flush(): void {
    this.#shared.flush()
    if (this.#own !== this.#shared) this.#own.flush()
    this.tls.flush()
  }

  /** Has the UDP packets that leave here marked; false when it cannot. */
  mark(mark: number): boolean {
    return this.#shared.mark(mark) && this.#own.mark(mark)
  }

  /** What went each way, packets that were dropped, by reason, and what befell batches and connections. */
  get counters(): PortCounts {
    const udp = this.#own === this.#shared ? [this.#shared] : [this.#shared, this.#own]
    const { received, sent, carriageMalformed, carriageRefused, ...droppedInTls } = this.tls.counters
    const all = { received, sent }
    const events = { unsegmented: 0, carriageMalformed, carriageRefused }
    const dropped: Readonly<Record<string, number>>[] = [droppedInTls]
    for (const { counters } of udp) {
      const { sendErrors, receiveErrors, received: came, sent: went, unsegmented, ...others } = counters
      all.received += came
      all.sent += went
      events.unsegmented += unsegmented
      dropped.push(others, sendErrors, receiveErrors)
    }
    return { ...all, dropped: sumRecords(dropped), events }
  }

  close(): void {
    closeAll({ shared: this.#shared, own: this.#own })
    this.tls.close()
  }
}

export interface PortCounts {
  readonly received: number
  readonly sent: number
  readonly dropped: Readonly<Record<string, number>>
  /** What is no packet: batches that went packet by packet, connections in TLS that were refused or sent what is no packet. */
  readonly events: Readonly<Record<string, number>>
}

interface UdpPorts {
  readonly shared: UdpPort
  readonly own: UdpPort
}

/** A client takes a socket of both families, or of IPv4 where there is no other. */
async function openUdpPorts(init: EngineInit, parts: PacketPortsParts): Promise<UdpPorts> {
  try {
    return await openUdpPortsAt(init.udp.host, init, parts)
  } catch (error) {
    if (init.keys !== undefined || init.udp.host !== '::') throw error
    return openUdpPortsAt('0.0.0.0', init, parts)
  }
}

async function openUdpPortsAt(
  host: string,
  { udp: { port }, worker }: EngineInit,
  { logger, onBatch, onHold }: PacketPortsParts,
): Promise<UdpPorts> {
  let held = 0
  const common = {
    host,
    logger,
    onHold: (isHeld: boolean): void => {
      held += isHeld ? 1 : -1
      onHold(held > 0)
    },
  }
  const shared = await openUdpPort({
    ...common,
    port,
    ...(worker.count === 1 ? {} : { sharing: worker.index === 0 ? ('first' as const) : ('next' as const) }),
    onBatch: (count, packets, from) => onBatch(count, packets, from, false),
  })
  if (worker.count === 1) return { shared, own: shared }
  try {
    const own = await openUdpPort({
      ...common,
      port: 0,
      onBatch: (count, packets, from) => onBatch(count, packets, from, true),
    })
    return { shared, own }
  } catch (error) {
    shared.close()
    throw error
  }
}

function closeAll({ shared, own }: UdpPorts): void {
  shared.close()
  own.close()
}

function openTls(
  { keys, roles, udp, carriage, worker }: EngineInit,
  port: number,
  { clock, random, onBatch, onTlsTried }: PacketPortsParts,
  dialer: BridgeDialer | undefined,
): Promise<CarriagePort> {
  const { identity } = carriage
  const common = {
    clock,
    random,
    onBatch: (count: number, packets: readonly Packet[], from: readonly Endpoint[]): void =>
      onBatch(count, packets, from, false),
    through: dialer && ((target, signal) => dialer.open(target, signal)),
    onTried: dialer === undefined ? onTlsTried : undefined,
  } satisfies Partial<CarriagePortOptions>
  // Clients speak to entries only; all others are members, of whom UDP was asked for.
  if (keys === undefined || identity === undefined || !roles.entry || worker.index > 0) return CarriagePort.open(common)
  return CarriagePort.open({ ...common, listen: { host: udp.host, port, identity, linkKey: keys.link.publicKey } })
}
