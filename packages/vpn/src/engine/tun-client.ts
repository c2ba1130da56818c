import { type Fault, type Logger, WeftError, messageOf } from '@weft/core'
import { MAX_IP_PACKET_BYTES, ipToBytes } from '@weft/onion'
import { IpHeader, isAddressAt } from '../ip/ip-header.ts'
import { isProhibition } from '../ip/icmp-error.ts'
import { rewriteAddress, rewriteInside } from '../ip/rewrite-address.ts'
import { loadLinuxTunCalls } from '../tun/linux-tun.ts'
import { INNER4, INNER6, INTERFACE, type MachineRulesInit, type OutsideAddress } from '../tun/machine-rules-text.ts'
import { MachineRules } from '../tun/machine-rules.ts'
import { droppedAt, noTunPackets, superPacketsOf } from '../tun/tun-counters.ts'
import { TunPort } from '../tun/tun-port.ts'
import type { ProxyFailure, TunStatus } from '../vpn.ts'
import type { FlushQueue } from './flush-queue.ts'
import { RefusedPackets } from './refused-packets.ts'
import { type IpRoute, TunRoute, type TunRouteInit } from './tun-route.ts'
import { waitingFault } from './waiting-fault.ts'

export interface TunClientInit extends MachineRulesInit, Pick<TunRouteInit, 'clock' | 'open' | 'isLeft' | 'onChange'> {
  readonly logger: Logger
  readonly queue: FlushQueue
  readonly stateFile: string
  readonly outside: readonly OutsideAddress[]
  /** Has the packet port's own packets go outside; false when it cannot. */
  readonly markPort: () => boolean
}

const INSIDE4 = ipToBytes(INNER4) as Uint8Array
const INSIDE6 = ipToBytes(INNER6) as Uint8Array

/**
 * This machine's packets, between an interface and a channel to an exit. The interface's addresses never change; what goes to an exit has
 * the address that this exit gave, so that a route may be followed by another, and two exits see nothing in common.
 */
export class TunClient {
  readonly #init: TunClientInit
  readonly #header = new IpHeader()
  readonly #counters = { sent: 0, malformed: 0, foreign: 0, unrouted: 0, overflowed: 0 }
  readonly #refused: RefusedPackets
  #sentBytes = 0
  #port: TunPort | undefined
  #rules: MachineRules | undefined
  readonly #route: TunRoute
  /** The interface is gone. */
  #fault: Fault | undefined

  private constructor(init: TunClientInit) {
    this.#init = init
    this.#refused = new RefusedPackets(init.clock)
    this.#route = new TunRoute({
      ...init,
      onTaken: ({ address6 }) => {
        this.#rules?.setIPv6(address6 !== undefined).catch((error: unknown) => {
          init.logger.warn('IPv6 could not be led into the tunnel', { reason: messageOf(error) })
        })
      },
      onPacket: (route, bytes) => this.#fromExit(route, bytes),
    })
  }

  /** @throws WeftError E_TUN_UNAVAILABLE, E_TUN_TAKEN */
  static async up(init: TunClientInit): Promise<TunClient> {
    const client = new TunClient(init)
    try {
      if (!init.markPort()) throw new Error('the packet port of this daemon cannot be marked (SO_MARK)')
      const calls = await loadLinuxTunCalls()
      client.#port = new TunPort(calls, {
        name: INTERFACE,
        mostBytes: MAX_IP_PACKET_BYTES,
        queue: init.queue,
        onPacket: (bytes, length) => client.#fromMachine(bytes, length),
        onGone: (error) => client.#onGone(error),
      })
      client.#rules = await MachineRules.put(init, init.outside, init.stateFile)
    } catch (error) {
      await client.down()
      throw unavailable(messageOf(error))
    }
    client.#port.start()
    client.#route.look()
    return client
  }

  get status(): TunStatus {
    const { current: route, dropped: overflowed } = this.#route
    const fault = this.#fault ?? this.#route.fault
    const counters = this.#port?.counters ?? noTunPackets()
    const { sent, ...dropped } = this.#counters
    return {
      interface: INTERFACE,
      mtu: MAX_IP_PACKET_BYTES,
      state: route === undefined ? 'waiting' : 'open',
      exit: route?.paths.exit?.id,
      ipv6: route?.address6 !== undefined,
      packets: {
        sent,
        received: counters.writtenPackets,
        ...dropped,
        overflowed: dropped.overflowed + overflowed,
        ...droppedAt(counters),
      },
      bytes: { sent: this.#sentBytes, received: counters.writtenBytes },
      superPackets: superPacketsOf(counters),
      fault: fault === undefined || route !== undefined ? fault : waitingFault(fault),
    }
  }

  /** What exits refused. */
  get failures(): readonly ProxyFailure[] {
    return this.#refused.failures
  }

  /** Where this daemon's own connections lead from now on. */
  setOutside(outside: readonly OutsideAddress[]): void {
    this.#rules?.setOutside(outside).catch((error: unknown) => {
      this.#init.logger.warn('addresses of nodes could not be let out of the tunnel', { reason: messageOf(error) })
    })
  }

  /** New packets are to go over other routes, where those in use are to be left. */
  moved(): void {
    this.#route.look()
  }

  /** Takes the interface and all rules away. */
  async down(): Promise<void> {
    this.#route.close()
    this.#port?.close()
    await this.#rules?.remove()
  }

  #fromMachine(bytes: Uint8Array, length: number): void {
    const counters = this.#counters
    const header = this.#header
    if (length > MAX_IP_PACKET_BYTES || !header.read(bytes, length)) {
      counters.malformed++
      return
    }
    const route = this.#route.current
    const address = header.version === 4 ? route?.address4 : route?.address6
    if (route === undefined || !route.paths.healthy) this.#route.look()
    if (route === undefined || address === undefined) counters.unrouted++
    else if (!isAddressAt(bytes, header.sourceAt, header.version === 4 ? INSIDE4 : INSIDE6)) counters.foreign++
    else {
      rewriteAddress(header, bytes, length, header.sourceAt, address)
      this.#send(route, bytes, length)
    }
  }

  #send({ channel, paths }: IpRoute, bytes: Uint8Array, length: number): void {
    const { dropped } = channel.queue
    if (channel.send(bytes, length)) {
      this.#counters.sent++
      this.#sentBytes += length
    } else if (channel.queue.dropped === dropped) this.#counters.overflowed++
    paths.wake()
  }

  #fromExit(route: IpRoute, bytes: Uint8Array): void {
    const port = this.#port
    if (port === undefined) return
    const counters = this.#counters
    const header = this.#header
    const { length } = bytes
    const packet = port.room
    packet.set(bytes)
    const isPlain = header.read(packet, length)
    const address = header.version === 4 ? route.address4 : route.address6
    if (!isPlain || address === undefined) counters.malformed++
    else if (!isAddressAt(packet, header.destinationAt, address)) counters.foreign++
    else {
      const inside = header.version === 4 ? INSIDE4 : INSIDE6
      rewriteAddress(header, packet, length, header.destinationAt, inside)
      if (isProhibition(header, packet, address)) this.#refused.note()
      if (header.isIcmpError) rewriteInside(header, packet, length, address, inside)
      port.write(length)
    }
  }

  /** Somebody deleted the interface: nothing leaves any more until the VPN is turned off, and on again. */
  #onGone(error: unknown): void {
    const { code, cause, fix } = unavailable(messageOf(error))
    this.#fault = { code, cause, fix }
    this.#init.logger.error('the interface of the tunnel is gone', { code, cause, fix })
    this.#route.close()
    this.#init.onChange()
  }
}

function unavailable(why: string): WeftError {
  return new WeftError(
    why.includes('EBUSY')
      ? {
          code: 'E_TUN_TAKEN',
          cause: `Another process has the interface ${INTERFACE}.`,
          fix: 'End the other daemon, or turn its tunnel off (weft vpn down --home, with its home); then call weft vpn up again.',
        }
      : {
          code: 'E_TUN_UNAVAILABLE',
          cause: `The whole machine cannot be led through the route: ${why}.`,
          fix: 'Run the daemon on Linux as root (or with CAP_NET_ADMIN), with /dev/net/tun, ip and nft. Or set programs to the proxy, which needs none of these: weft vpn up starts it where vpn.tun is off.',
        },
  )
}

/** What an entry, relay or exit sends for others is its own way out, not its user's. */
export function carriesForOthers(): WeftError {
  return new WeftError({
    code: 'E_TUN_ROLES',
    cause: 'This node carries packets for others; their way would lead through its own tunnel.',
    fix: 'Run a client of its own on another machine, or set programs to the proxy: weft vpn up starts it where vpn.tun is off.',
  })
}
