import { existsSync } from 'node:fs'
import { type MessagePort, Worker } from 'node:worker_threads'
import { type Clock, type Logger, WeftError, messageOf, withTimeout } from '@weft/core'
import type { DidKey, X25519KeyPair } from '@weft/crypto'
import type { EngineInit, MachineWays } from '../engine/engine-init.ts'
import type { LoadStep, LossCount } from '@weft/overlay'
import type { ProbeTarget } from '../engine/probe-target.ts'
import type { ServiceRequest } from '../engine/service-routes.ts'
import type { RouteProfile } from '../profile/route-profile.ts'
import type { GuardState } from '../route/guard-state.ts'
import type { MemberAddresses } from '../route/member-addresses.ts'
import type { RouteMember } from '../route/route-member.ts'
import type { OutsideAddress } from '../tun/machine-rules-text.ts'
import type { ReceiptAnswer } from '@weft/onion'
import type { NumberedPayment } from '../receipts/packet-till.ts'
import type { IssuerKey } from '../receipts/receipt-issuer.ts'
import type { OwnToken } from '../receipts/spend.ts'
import type { ChoiceQuestion, RouteChoices, RouteVerification, Throughput, VpnEvents, ThreadStatus } from '../vpn.ts'
import type { PacketCommand, PacketReport } from './packet-messages.ts'

export interface PacketThreadEvents {
  onRoute(event: VpnEvents['route']): void
  onGuards(state: GuardState): void
  /** What a circuit of others paid; answered when it is kept. */
  onPayment(payment: NumberedPayment): Promise<ReceiptAnswer>
  /** This client's routes want so many tokens; and what was not spent when the thread closed. */
  onWantTokens(count: number): void
  onTokensLeft(tokens: readonly OwnToken[]): void
  onRouteEvent(event: VpnEvents['routeEvent']): void
  onThroughput(event: Throughput): void
  /** How much of what it can it did in the last second, 0 to 1; of a node that carries packets for others. */
  onUse(use: number): void
  /** The thread ended although nobody asked it to. Not called before it was open: then `open` rejects. */
  onLost(error: WeftError): void
}

/** MB. Packets live in buffers outside the heap; what is on it are a few objects a link, circuit and stream. */
const RESOURCE_LIMITS = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 128 }

/** ms in which a thread that is asked to close may say farewell to its peers; it needs a few. */
const CLOSE_MS = 2_000

type Answer = ThreadStatus | RouteVerification | RouteChoices | LossCount | undefined

type Asking =
  | { readonly type: 'open'; readonly init: EngineInit }
  | { readonly type: 'up'; readonly tun: boolean | undefined; readonly ways: MachineWays | undefined }
  | { readonly type: 'down' | 'status' | 'verify' | 'close' }
  | { readonly type: 'choices'; readonly question: ChoiceQuestion }
  | { readonly type: 'probe' | 'loss'; readonly target: ProbeTarget }
  | { readonly type: 'routesReady'; readonly routes: number }
  | { readonly type: 'service'; readonly request: ServiceRequest }

/** The main thread's end of the packet thread: asks it, and hears what it tells. */
export class PacketThread implements AsyncDisposable {
  readonly #worker: Worker
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #events: PacketThreadEvents
  readonly #pending = new Map<number, PromiseWithResolvers<Answer>>()
  #lastId = 0
  #over: WeftError | undefined
  #opened = false
  #closing = false

  private constructor(clock: Clock, logger: Logger, events: PacketThreadEvents) {
    this.#clock = clock
    this.#logger = logger
    this.#events = events
    this.#worker = new Worker(workerUrl(), { name: 'weft-packets', resourceLimits: RESOURCE_LIMITS })
    this.#worker.on('message', (report: PacketReport) => this.#onReport(report))
    this.#worker.on('error', (error: unknown) => this.#end(threadFailed(messageOf(error))))
    this.#worker.on('exit', (code) => this.#end(threadFailed(`it exited with code ${code}`)))
  }

  /** Starts the thread and opens its UDP port. @throws WeftError E_PORT_TAKEN, E_PACKETS_FAILED */
  static async open(init: EngineInit, clock: Clock, logger: Logger, events: PacketThreadEvents): Promise<PacketThread> {
    const thread = new PacketThread(clock, logger, events)
    try {
      await thread.#ask({ type: 'open', init })
      thread.#opened = true
      return thread
    } catch (error) {
      await thread[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Another worker of the node, and this one's end of the way between them. */
  addWorker(index: number, port: MessagePort): void {
    if (this.#over === undefined) this.#send({ type: 'worker', index, port }, [port])
  }

  setMembers(members: readonly RouteMember[]): void {
    if (this.#over === undefined) this.#send({ type: 'members', members })
  }

  setUnreachable(ids: ReadonlySet<DidKey>): void {
    if (this.#over === undefined) this.#send({ type: 'unreachable', ids })
  }

  setLoads(loads: ReadonlyMap<DidKey, LoadStep>): void {
    if (this.#over === undefined) this.#send({ type: 'setLoads', loads })
  }

  setOutside(addresses: readonly OutsideAddress[]): void {
    if (this.#over === undefined) this.#send({ type: 'outside', addresses })
  }

  /** Where the last hop of others' circuits calls members. */
  setAddresses(members: readonly MemberAddresses[]): void {
    if (this.#over === undefined) this.#send({ type: 'addresses', members })
  }

  /** What circuits are made against, newest first. */
  setOnionKeys(keys: readonly X25519KeyPair[]): void {
    if (this.#over === undefined) this.#send({ type: 'onionKeys', keys })
  }

  /** What issuers have, whose tokens are taken for circuits of others. */
  setReceiptKeys(keys: readonly IssuerKey[]): void {
    if (this.#over === undefined) this.#send({ type: 'receiptKeys', keys })
  }

  /** Tokens for this client's routes. */
  fillPurse(tokens: readonly OwnToken[]): void {
    if (this.#over === undefined) this.#send({ type: 'tokens', tokens })
  }

  /** @throws WeftError as `ServiceRoutes.ready`, E_PACKETS_FAILED */
  async routesReady(routes: number): Promise<void> {
    await this.#ask({ type: 'routesReady', routes })
  }

  /** @throws WeftError as `ServiceRoutes.open`, E_PACKETS_FAILED */
  async openService(request: ServiceRequest): Promise<void> {
    await this.#ask({ type: 'service', request }, [request.port])
  }

  endRoutes(routes: number): void {
    if (this.#over === undefined) this.#send({ type: 'endRoutes', routes })
  }

  /** How this client's routes are made from now on. */
  setProfile(profile: RouteProfile): void {
    if (this.#over === undefined) this.#send({ type: 'setProfile', profile })
  }

  async up(tun?: boolean, ways?: MachineWays): Promise<void> {
    await this.#ask({ type: 'up', tun, ways })
  }

  async down(): Promise<void> {
    await this.#ask({ type: 'down' })
  }

  async status(): Promise<ThreadStatus> {
    return (await this.#ask({ type: 'status' })) as ThreadStatus
  }

  /** @throws WeftError E_PACKETS_FAILED */
  async verify(): Promise<RouteVerification> {
    return (await this.#ask({ type: 'verify' })) as RouteVerification
  }

  /** @throws WeftError E_PACKETS_FAILED */
  async choices(question: ChoiceQuestion): Promise<RouteChoices> {
    return (await this.#ask({ type: 'choices', question })) as RouteChoices
  }

  /** @throws WeftError as `PacketEngine.probe`, E_PACKETS_FAILED */
  async probe(target: ProbeTarget): Promise<void> {
    await this.#ask({ type: 'probe', target })
  }

  /** @throws WeftError as `probe` */
  async measureLoss(target: ProbeTarget): Promise<LossCount> {
    return (await this.#ask({ type: 'loss', target })) as LossCount
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#over === undefined && !this.#closing) {
      this.#closing = true
      // One that hangs answers nothing, and is ended all the same.
      const ask = () => this.#ask({ type: 'close' })
      await withTimeout(this.#clock, CLOSE_MS, undefined, closeSilent, ask).catch(() => {})
    }
    await this.#worker.terminate()
  }

  #ask(command: Asking, moved: readonly MessagePort[] = []): Promise<Answer> {
    if (this.#over !== undefined) return Promise.reject(this.#over)
    const id = ++this.#lastId
    const settle = Promise.withResolvers<Answer>()
    this.#pending.set(id, settle)
    this.#send({ ...command, id }, moved)
    return settle.promise
  }

  #send(command: PacketCommand, moved: readonly MessagePort[] = []): void {
    this.#worker.postMessage(command, moved)
  }

  #onReport(report: PacketReport): void {
    switch (report.type) {
      case 'reply': {
        const settle = this.#pending.get(report.id)
        this.#pending.delete(report.id)
        if (report.fault === undefined) settle?.resolve(report.answer)
        else settle?.reject(new WeftError(report.fault))
        break
      }
      case 'route':
        this.#events.onRoute(report.event)
        break
      case 'routeEvent':
        this.#events.onRouteEvent(report.event)
        break
      case 'throughput':
        this.#events.onThroughput(report.event)
        break
      case 'guards':
        this.#events.onGuards(report.state)
        break
      case 'use':
        this.#events.onUse(report.use)
        break
      case 'payment':
        void this.#keep(report.payment)
        break
      case 'wantTokens':
        this.#events.onWantTokens(report.count)
        break
      case 'tokensLeft':
        this.#events.onTokensLeft(report.tokens)
        break
      case 'log':
        this.#logger[report.level](report.message, report.fields)
        break
    }
  }

  async #keep(payment: NumberedPayment): Promise<void> {
    const answer = await this.#events.onPayment(payment)
    if (this.#over === undefined) this.#send({ type: 'kept', number: payment.number, answer })
  }

  #end(error: WeftError): void {
    if (this.#over !== undefined) return
    this.#over = error
    for (const { reject } of this.#pending.values()) reject(error)
    this.#pending.clear()
    if (this.#opened && !this.#closing) this.#events.onLost(error)
  }
}

/** In the tree the TypeScript beside this file; in the bundle workers/packet.js beside the bundle. */
function workerUrl(): URL {
  const source = new URL('./packet.worker.ts', import.meta.url)
  return existsSync(source) ? source : new URL('./workers/packet.js', import.meta.url)
}

function closeSilent(): WeftError {
  return threadFailed(`it did not close within ${CLOSE_MS / 1_000} s`)
}

function threadFailed(why: string): WeftError {
  return new WeftError({
    code: 'E_PACKETS_FAILED',
    cause: `The thread that carries packets ended: ${why}.`,
    fix: 'Restart the daemon (weft stop, weft start); the log tells more.',
  })
}
