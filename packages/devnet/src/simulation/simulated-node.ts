import { type Clock, type Logger, type Random, Scope } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import {
  type ListenAddress,
  type MapReader,
  type NetworkFile,
  type OnionKeySource,
  type Overlay,
  createOverlay,
  memoryStores,
} from '@weft/overlay'
import type { PlannedMember } from './plan-members.ts'
import type { SimulatedInternet } from './simulated-internet.ts'
import type { SimulatedProcess } from './simulated-process.ts'
import { SimulatedTransport } from './simulated-transport.ts'

export interface SimulatedNodeOptions {
  readonly plan: PlannedMember
  readonly file: NetworkFile
  readonly internet: SimulatedInternet
  readonly mapReader: MapReader
  /** A new process on its machine. */
  readonly makeProcess: () => SimulatedProcess
  readonly makeRandom: () => Random
  /** Of one whose certificates have each an onion key of their own; called at each start. */
  readonly onionKeys?: ((clock: Clock) => OnionKeySource | undefined) | undefined
  readonly logger: Logger
}

/** What a node runs as from one start to its end. */
interface Running {
  readonly process: SimulatedProcess
  readonly scope: Scope
  readonly overlay: Overlay
  readonly transport: SimulatedTransport
}

/** One node: the overlay as it ships, on a simulated process. What it stored is there when it is started again. */
export class SimulatedNode {
  readonly plan: PlannedMember
  readonly #options: SimulatedNodeOptions
  /** What it stored, from one start to the next. */
  readonly stores = memoryStores()
  #running: Running | undefined

  constructor(options: SimulatedNodeOptions) {
    this.#options = options
    this.plan = options.plan
  }

  get name(): string {
    return this.plan.name
  }

  get id(): DidKey {
    return this.plan.key.id
  }

  /** Undefined while it does not run; there while it is stalled. */
  get overlay(): Overlay | undefined {
    return this.#running?.overlay
  }

  /** Nodes that it has an open connection to. */
  get neighbours(): readonly DidKey[] {
    return this.#running?.transport.connected() ?? []
  }

  /** Messages that it sent since it was started. */
  get sent(): number {
    return this.#running?.process.sent ?? 0
  }

  /** Starts its process, at once. */
  async start(): Promise<Overlay> {
    const { plan, file, internet, mapReader, makeProcess, makeRandom, onionKeys, logger } = this.#options
    const process = makeProcess()
    const random = makeRandom()
    const scope = new Scope({ name: plan.name, clock: process.clock, logger })
    let transport: SimulatedTransport | undefined
    const overlay = await createOverlay({
      network: file,
      key: plan.key,
      roles: plan.roles,
      listen: listenOf(plan),
      ...(plan.packets === undefined ? {} : { packets: plan.packets }),
      onionKeys: onionKeys?.(process.clock),
      family: plan.family,
      region: plan.region,
      country: plan.country,
      asn: plan.asn,
      directory: this.stores,
      clock: process.clock,
      random,
      logger,
      scope,
      mapReader,
      transport: async (options) => (transport = new SimulatedTransport({ ...options, internet, process, random })),
    })
    if (transport !== undefined) this.#running = { process, scope, overlay, transport }
    return overlay
  }

  /** Stops it properly. */
  async stop(): Promise<void> {
    const running = this.#running
    this.#running = undefined
    await running?.scope.close()
    running?.process.end('ended')
  }

  /** `ended` as by SIGKILL, when its connections are reset; `gone` with its machine, when nobody is told. */
  kill(how: 'ended' | 'gone' = 'ended'): void {
    if (this.#running === undefined) return
    this.#options.internet.end(this.#running.process, how)
    this.#running = undefined
  }

  stall(): void {
    if (this.#running !== undefined) this.#options.internet.stall(this.#running.process)
  }

  resume(): void {
    if (this.#running !== undefined) this.#options.internet.resume(this.#running.process)
  }
}

/** A node behind NAT listens on all addresses, as it knows none that others could dial; a client on none. */
function listenOf({ site, roles, address }: PlannedMember): readonly ListenAddress[] {
  if (roles.includes('client')) return []
  const host = site.nat === undefined ? site.address : '0.0.0.0'
  return [{ host, port: Number(address.split('/').at(-1)) }]
}
