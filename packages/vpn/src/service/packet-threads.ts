import type { Clock, Logger, WeftError } from '@weft/core'
import { systemRandom } from '@weft/core'
import type { DidKey, X25519KeyPair } from '@weft/crypto'
import { newSharedMemory } from '@weft/onion'
import type { LossCount } from '@weft/overlay'
import type { EngineInit } from '../engine/engine-init.ts'
import type { ProbeTarget } from '../engine/probe-target.ts'
import type { ServiceRequest } from '../engine/service-routes.ts'
import type { MemberAddresses } from '../route/member-addresses.ts'
import type { RouteMember } from '../route/route-member.ts'
import type { OutsideAddress } from '../tun/machine-rules-text.ts'
import type { VpnStatus } from '../vpn.ts'
import { PacketThread, type PacketThreadEvents } from './packet-thread.ts'
import { sumCarried } from './sum-carried.ts'

export type ThreadsInit = Omit<EngineInit, 'worker'>

/**
 * The packet workers of a node, one or several. Each has links and circuits of its own behind the one port of the node; the routes of
 * this node's user run in the first. They live and die together: with one of several gone, the system would deal senders out anew, to workers that know
 * nothing of them.
 */
export class PacketThreads implements AsyncDisposable {
  readonly #events: PacketThreadEvents
  #first!: PacketThread
  readonly #threads: PacketThread[] = []
  #isOver = false

  private constructor(events: PacketThreadEvents) {
    this.#events = events
  }

  /** Starts the threads and opens their UDP port. @throws WeftError E_PORT_TAKEN, E_PACKETS_FAILED */
  static async open(
    init: ThreadsInit,
    workers: number,
    clock: Clock,
    logger: Logger,
    events: PacketThreadEvents,
  ): Promise<PacketThreads> {
    const all = new PacketThreads(events)
    const shared = workers > 1 ? newSharedMemory(systemRandom.bytes(32)) : undefined
    try {
      // One after the other: the first makes sure that nobody else has the port.
      for (let index = 0; index < workers; index++) {
        const worker = { index, count: workers, shared }
        // Those behind the first have no routes to tell of.
        const thread = await PacketThread.open({ ...init, worker }, clock, logger, {
          onRoute: (event) => events.onRoute(event),
          onThroughput: (event) => events.onThroughput(event),
          onLost: (error) => all.#onLost(error),
        })
        if (index === 0) all.#first = thread
        all.#threads.push(thread)
      }
      return all
    } catch (error) {
      await all[Symbol.asyncDispose]()
      throw error
    }
  }

  setMembers(members: readonly RouteMember[]): void {
    for (const thread of this.#threads) thread.setMembers(members)
  }

  setUnreachable(ids: ReadonlySet<DidKey>): void {
    this.#first.setUnreachable(ids)
  }

  setOutside(addresses: readonly OutsideAddress[]): void {
    this.#first.setOutside(addresses)
  }

  /** Where the last hop of others' circuits calls members. */
  setAddresses(members: readonly MemberAddresses[]): void {
    for (const thread of this.#threads) thread.setAddresses(members)
  }

  /** What circuits are made against, newest first. */
  setOnionKeys(keys: readonly X25519KeyPair[]): void {
    for (const thread of this.#threads) thread.setOnionKeys(keys)
  }

  /** @throws WeftError as `ServiceRoutes.ready`, E_PACKETS_FAILED */
  routesReady(routes: number): Promise<void> {
    return this.#first.routesReady(routes)
  }

  /** @throws WeftError as `ServiceRoutes.open`, E_PACKETS_FAILED */
  openService(request: ServiceRequest): Promise<void> {
    return this.#first.openService(request)
  }

  endRoutes(routes: number): void {
    this.#first.endRoutes(routes)
  }

  up(tun?: boolean): Promise<void> {
    return this.#first.up(tun)
  }

  down(): Promise<void> {
    return this.#first.down()
  }

  async status(): Promise<VpnStatus> {
    const all = await Promise.all(this.#threads.map((thread) => thread.status()))
    const carried = all.flatMap((status) => status.carried ?? [])
    const [first] = all as [VpnStatus]
    return { ...first, carried: sumCarried(carried) }
  }

  /** @throws WeftError as `PacketEngine.probe`, E_PACKETS_FAILED */
  probe(target: ProbeTarget): Promise<void> {
    return this.#first.probe(target)
  }

  /** @throws WeftError as `probe` */
  measureLoss(target: ProbeTarget): Promise<LossCount> {
    return this.#first.measureLoss(target)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#threads.map((thread) => thread[Symbol.asyncDispose]()))
  }

  /** The port is free again before it is told. */
  #onLost(error: WeftError): void {
    if (this.#isOver) return
    void this[Symbol.asyncDispose]().finally(() => this.#events.onLost(error))
  }
}
