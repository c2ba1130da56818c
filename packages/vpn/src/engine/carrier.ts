import type { Clock, Logger, Random } from '@weft/core'
import type { X25519KeyPair } from '@weft/crypto'
import {
  type CellAllowance,
  CellBucket,
  type CircuitLink,
  MemoryBudget,
  RelayCircuits,
  SharedCellBucket,
  SharedClientKeys,
  type Suites,
} from '@weft/onion'
import { DnsAsker } from '../exit/dns-asker.ts'
import { ExitPolicy } from '../exit/exit-policy.ts'
import { NameResolver } from '../exit/name-resolver.ts'
import type { UdpCounters } from '../udp/udp-counters.ts'
import type { CarriedStatus } from '../vpn.ts'
import { Alarm } from './alarm.ts'
import type { EngineInit } from './engine-init.ts'
import { ExitIp } from './exit-ip.ts'
import { ExitService } from './exit-service.ts'
import type { FlushQueue } from './flush-queue.ts'
import { sumRecords } from './sum-records.ts'
import { Turns } from './turns.ts'

/** Bytes that an exit keeps for all sessions together until they are acknowledged; each of several workers has its part. */
const EXIT_MEMORY = 12 * 1024 * 1024

export interface CarrierInit extends Pick<EngineInit, 'networkId' | 'nodeKey' | 'roles' | 'exit' | 'relay' | 'worker'> {
  readonly keys: { readonly onion: X25519KeyPair }
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

/** What is known of packets outside of circuits: of ports and links. */
export interface PortStatus {
  /** Of each. */
  readonly counters: readonly UdpCounters[]
  readonly links: number
  readonly linkDrops: Readonly<Record<string, number>>
}

/** What a node carries for others, by its roles: circuits that pass through it, and those that end at an exit. */
export class Carrier {
  readonly circuits: RelayCircuits
  readonly #init: CarrierInit
  readonly #alarm: Alarm
  /** For cells that wait. */
  readonly #turns: Turns
  readonly #exit: ExitService | undefined
  readonly #policy: ExitPolicy | undefined
  #exitIp: ExitIp | undefined
  readonly #resolver: NameResolver | undefined
  readonly #asker: DnsAsker | undefined

  /** @throws WeftError E_EXIT_RULE */
  constructor(init: CarrierInit) {
    const { networkId, nodeKey, roles, keys, suites, queue, clock, random, logger, worker, nextHop, isMember } = init
    this.#init = init
    if (roles.exit) {
      const servers = init.exit.nameServers
      this.#policy = new ExitPolicy({ ...init.exit, clock })
      this.#resolver = new NameResolver({ clock, servers })
      this.#asker = new DnsAsker({ clock, random, servers })
      this.#exit = new ExitService({
        policy: this.#policy,
        packets: () => this.#exitIp?.packets,
        resolver: this.#resolver,
        asker: this.#asker,
        memory: new MemoryBudget(EXIT_MEMORY / worker.count),
        queue,
        clock,
        random,
        logger,
      })
    }
    this.#turns = new Turns(() => {
      const more = this.circuits.queue.serve()
      queue.schedule()
      init.onWorked()
      return more
    })
    this.circuits = new RelayCircuits({
      id: nodeKey,
      networkId,
      onionKeys: () => [keys.onion],
      roles,
      clock,
      random,
      suites,
      ...allowanceOf(init),
      ...(worker.shared === undefined
        ? {}
        : { seen: new SharedClientKeys(worker.shared.clientKeys, worker.shared.secret) }),
      nextHop,
      isMember,
      onWaiting: () => this.#turns.schedule(),
      ...(this.#exit === undefined ? {} : { exit: this.#exit }),
    })
    this.#alarm = new Alarm(clock, () => {
      this.circuits.onTimeout()
      queue.schedule()
      init.onWorked()
    })
  }

  /** Makes the interface for IP packets of clients, where the operator wants them carried. */
  async openIp(): Promise<void> {
    if (this.#policy === undefined || !this.#init.exit.ip) return
    const { nodeKey, clock, logger } = this.#init
    this.#exitIp = await ExitIp.open({ nodeKey, policy: this.#policy, clock, logger })
  }

  setAlarm(): void {
    this.#alarm.set(this.circuits.nextTimeout())
  }

  status({ counters, links, linkDrops }: PortStatus): CarriedStatus {
    let [packetsReceived, packetsSent] = [0, 0]
    const dropped: Readonly<Record<string, number>>[] = [linkDrops, { ...this.circuits.drops }]
    for (const { sendErrors, receiveErrors, received, sent, ...others } of counters) {
      packetsReceived += received
      packetsSent += sent
      dropped.push(others, sendErrors, receiveErrors)
    }
    const { circuits } = this
    return {
      workers: [{ circuits: circuits.size, links, packetsForwarded: circuits.forwarded }],
      circuits: circuits.size,
      links,
      exitStreams: this.#exit?.streams ?? 0,
      exitChannels: this.#exit?.channels ?? 0,
      exitIp: this.#exitIp?.status,
      packetsForwarded: circuits.forwarded,
      packetsReceived,
      packetsSent,
      packetsWaiting: circuits.queue.size,
      packetsWaited: { ...circuits.queue.served },
      packetsDropped: sumRecords(dropped),
    }
  }

  async close(): Promise<void> {
    this.#turns.close()
    this.#exit?.close()
    await this.#exitIp?.close()
    this.circuits.close()
    this.#resolver?.close()
    this.#asker?.close()
    this.#alarm.clear()
  }
}

/** The operator's limit, one for all workers. */
function allowanceOf({ clock, relay, worker }: CarrierInit): { readonly allowance?: CellAllowance } {
  const { bytesPerSecond } = relay
  if (bytesPerSecond === undefined) return {}
  if (worker.shared === undefined) return { allowance: new CellBucket(bytesPerSecond, clock.monotonic()) }
  // Monotonic time begins anew in each thread.
  return { allowance: new SharedCellBucket(worker.shared.cells, bytesPerSecond, performance.timeOrigin) }
}
