import { MessageChannel } from 'node:worker_threads'
import type { Clock, Logger, WeftError } from '@weft/core'
import { systemRandom } from '@weft/core'
import type { DidKey, X25519KeyPair } from '@weft/crypto'
import { newSharedMemory } from '@weft/onion'
import type { EngineInit, MachineWays } from '../engine/engine-init.ts'
import type { LoadStep, LossCount } from '@weft/overlay'
import type { ProbeTarget } from '../engine/probe-target.ts'
import type { ServiceRequest } from '../engine/service-routes.ts'
import type { RouteProfile } from '../profile/route-profile.ts'
import type { MemberAddresses } from '../route/member-addresses.ts'
import type { RouteMember } from '../route/route-member.ts'
import type { OutsideAddress } from '../tun/machine-rules-text.ts'
import type { IssuerKey } from '../receipts/receipt-issuer.ts'
import type { OwnToken } from '../receipts/spend.ts'
import type { ChoiceQuestion, RouteChoices, RouteVerification, ThreadStatus } from '../vpn.ts'
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
  /** Of each, as it told last. */
  readonly #uses: number[] = []
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
          onRouteEvent: (event) => events.onRouteEvent(event),
          onThroughput: (event) => events.onThroughput(event),
          onGuards: (state) => events.onGuards(state),
          onPayment: (payment) => events.onPayment(payment),
          onWantTokens: (count) => events.onWantTokens(count),
          onTokensLeft: (tokens) => events.onTokensLeft(tokens),
          onUse: (use) => all.#onUse(index, use),
          onLost: (error) => all.#onLost(error),
        })
        if (index === 0) all.#first = thread
        all.#threads.push(thread)
      }
      all.#connect()
      return all
    } catch (error) {
      await all[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Each with each: a circuit may come to another worker than the one that has the session it joins. */
  #connect(): void {
    for (const [index, thread] of this.#threads.entries())
      for (const [other, another] of this.#threads.slice(0, index).entries()) {
        const { port1, port2 } = new MessageChannel()
        thread.addWorker(other, port1)
        another.addWorker(index, port2)
      }
  }

  setMembers(members: readonly RouteMember[]): void {
    for (const thread of this.#threads) thread.setMembers(members)
  }

  setUnreachable(ids: ReadonlySet<DidKey>): void {
    this.#first.setUnreachable(ids)
  }

  setLoads(loads: ReadonlyMap<DidKey, LoadStep>): void {
    this.#first.setLoads(loads)
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

  /** What issuers have, whose tokens are taken for circuits of others. */
  setReceiptKeys(keys: readonly IssuerKey[]): void {
    for (const thread of this.#threads) thread.setReceiptKeys(keys)
  }

  /** Tokens for this client's routes. */
  fillPurse(tokens: readonly OwnToken[]): void {
    this.#first.fillPurse(tokens)
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

  /** How this client's routes are made from now on. */
  setProfile(profile: RouteProfile): void {
    this.#first.setProfile(profile)
  }

  up(tun?: boolean, ways?: MachineWays): Promise<void> {
    return this.#first.up(tun, ways)
  }

  down(): Promise<void> {
    return this.#first.down()
  }

  async status(): Promise<ThreadStatus> {
    const all = await Promise.all(this.#threads.map((thread) => thread.status()))
    const carried = all.flatMap((status) => status.carried ?? [])
    const [first] = all as [ThreadStatus]
    return { ...first, carried: sumCarried(carried) }
  }

  /** @throws WeftError E_PACKETS_FAILED */
  verify(): Promise<RouteVerification> {
    return this.#first.verify()
  }

  /** @throws WeftError E_PACKETS_FAILED */
  choices(question: ChoiceQuestion): Promise<RouteChoices> {
    return this.#first.choices(question)
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

  /** What they do together is told when the first tells: the system deals out senders, so that each has its part. */
  #onUse(index: number, use: number): void {
    this.#uses[index] = use
    if (index > 0) return
    const known = Object.values(this.#uses)
    this.#events.onUse(known.reduce((sum, each) => sum + each, 0) / known.length)
  }

  /** The port is free again before it is told. */
  #onLost(error: WeftError): void {
    if (this.#isOver) return
    void this[Symbol.asyncDispose]().finally(() => this.#events.onLost(error))
  }
}
