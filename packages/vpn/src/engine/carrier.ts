import { type Clock, type Logger, type Random, equalBytes } from '@weft/core'
import { type X25519KeyPair, wipe } from '@weft/crypto'
import {
  type CellAllowance,
  CellBucket,
  type CircuitLink,
  type LinkSet,
  type PaddingCosts,
  type ReceiptTill,
  RelayCircuits,
  SharedCellBucket,
  SharedClientKeys,
  type Suites,
} from '@weft/onion'
import type { MemberAddresses } from '../route/member-addresses.ts'
import type { CarriedStatus } from '../vpn.ts'
import { Alarm } from './alarm.ts'
import type { EngineInit, PacketKeys } from './engine-init.ts'
import type { FlushQueue } from './flush-queue.ts'
import type { LoadSigns } from '../load/load-meter.ts'
import { LastHop, NO_LAST_HOP } from './last-hop.ts'
import type { PacketPorts } from './packet-ports.ts'
import { sumRecords } from './sum-records.ts'
import { Turns } from './turns.ts'
import type { WorkerPort } from './worker-message.ts'

export interface CarrierInit extends Pick<EngineInit, 'networkId' | 'nodeKey' | 'roles' | 'exit' | 'relay' | 'worker'> {
  readonly keys: Pick<PacketKeys, 'onion' | 'isFirstUse'>
  /** Where the pay for circuits goes; undefined where nothing is to be paid. */
  readonly till?: ReceiptTill | undefined
  readonly suites: Suites
  readonly queue: FlushQueue
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly nextHop: (key: Uint8Array, role: 'relay' | 'exit') => CircuitLink | undefined
  readonly isMember: (linkKey: Uint8Array) => Uint8Array | undefined
  /** A timer or a turn did something: links and circuits may have other times to wait for. */
  readonly onWorked: () => void
}

/** What a node carries for others, by its roles: circuits that pass through it, and those that end here. */
export class Carrier {
  readonly circuits: RelayCircuits
  readonly #alarm: Alarm
  /** For cells that wait. */
  readonly #turns: Turns
  readonly #lastHop: LastHop | undefined
  #onionKeys: readonly X25519KeyPair[]

  /** @throws WeftError E_EXIT_RULE */
  constructor(init: CarrierInit) {
    const { networkId, nodeKey, roles, keys, suites, queue, clock, random, logger, worker, nextHop, isMember } = init
    this.#onionKeys = keys.onion
    if (roles.exit || roles.relay) this.#lastHop = new LastHop({ init, queue, clock, random, logger })
    this.#turns = new Turns(() => {
      const more = this.circuits.queue.serve()
      queue.schedule()
      init.onWorked()
      return more
    })
    this.circuits = new RelayCircuits({
      id: nodeKey,
      networkId,
      onionKeys: () => this.#onionKeys,
      isFirstUse: keys.isFirstUse ?? false,
      roles,
      clock,
      random,
      suites,
      ...allowanceOf(init),
      ...paddingOf(init),
      ...(init.till === undefined ? {} : { till: init.till }),
      ...(worker.shared === undefined
        ? {}
        : { seen: new SharedClientKeys(worker.shared.clientKeys, worker.shared.secret) }),
      nextHop,
      isMember,
      onWaiting: () => this.#turns.schedule(),
      onSooner: () => this.setAlarm(),
      ...(this.#lastHop === undefined ? {} : { exit: this.#lastHop.service }),
    })
    this.#alarm = new Alarm(clock, () => {
      this.circuits.onTimeout()
      queue.schedule()
      init.onWorked()
    })
  }

  /** To be called once its node can take packets. */
  async open(): Promise<void> {
    await this.#lastHop?.open()
  }

  /** All that are in use from now on, newest first. Circuits that stand are as they were. */
  setOnionKeys(onionKeys: readonly X25519KeyPair[]): void {
    // Where it is not done already: a secret that is no memory of all threads is a copy of this one.
    for (const { publicKey, secretKey } of this.#onionKeys)
      if (!onionKeys.some((key) => equalBytes(key.publicKey, publicKey))) wipe(secretKey)
    this.#onionKeys = onionKeys
  }

  /** Where members are called for clients whose circuits end here. */
  setAddresses(members: readonly MemberAddresses[]): void {
    this.#lastHop?.service.members.setMembers(members)
  }

  addWorker(index: number, port: WorkerPort): void {
    this.#lastHop?.addWorker(index, port)
  }

  setAlarm(): void {
    this.#alarm.set(this.circuits.nextTimeout())
  }

  /** What {@link LoadMeter} looks at, since it was asked last. */
  loadSigns(): LoadSigns {
    const { circuits } = this
    return {
      ...circuits.traffic(),
      places: Math.max(circuits.fill, this.#lastHop?.service.fill ?? 0),
      waiting: circuits.queue.size,
      dropped: circuits.drops.queueFull + circuits.drops.queueLate,
    }
  }

  /** @param ports undefined until they are open */
  status(ports: PacketPorts | undefined, links: LinkSet): CarriedStatus {
    const { received, sent, dropped, events } = ports?.counters ?? { received: 0, sent: 0, dropped: {}, events: {} }
    const { circuits } = this
    return {
      workers: [
        {
          circuits: circuits.size,
          links: links.size,
          legsElsewhere: this.#lastHop?.legsElsewhere ?? 0,
          packetsForwarded: circuits.forwarded,
        },
      ],
      circuits: circuits.size,
      links: links.size,
      inTls: ports?.tls.flows ?? 0,
      ...(this.#lastHop?.status ?? NO_LAST_HOP),
      packetsForwarded: circuits.forwarded,
      packetsReceived: received,
      packetsSent: sent,
      packetsWaiting: circuits.queue.size,
      packetsWaited: { ...circuits.queue.served },
      packetsDropped: sumRecords([dropped, { ...links.counters }, { ...circuits.drops }, this.#lastHop?.drops ?? {}]),
      portEvents: events,
    }
  }

  async close(): Promise<void> {
    this.#turns.close()
    await this.#lastHop?.close()
    this.circuits.close()
    this.#lastHop?.end()
    this.#alarm.clear()
  }
}

/** What the operator lets tiers cost: each worker has its part of it. */
function paddingOf({ relay: { padding }, worker }: CarrierInit): { padding?: PaddingCosts } {
  return padding === undefined ? {} : { padding: { ...padding, perSecond: padding.perSecond / worker.count } }
}

/** The operator's limit, one for all workers. */
function allowanceOf({ clock, relay, worker }: CarrierInit): { readonly allowance?: CellAllowance } {
  const { bytesPerSecond } = relay
  if (bytesPerSecond === undefined) return {}
  if (worker.shared === undefined) return { allowance: new CellBucket(bytesPerSecond, clock.monotonic()) }
  // Monotonic time begins anew in each thread.
  return { allowance: new SharedCellBucket(worker.shared.cells, bytesPerSecond, performance.timeOrigin) }
}
