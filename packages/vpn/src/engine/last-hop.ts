import type { Clock, Logger, Random } from '@weft/core'
import { MemoryBudget, SharedSessionNames } from '@weft/onion'
import { DnsAsker } from '../exit/dns-asker.ts'
import { ExitPolicy } from '../exit/exit-policy.ts'
import { NameResolver } from '../exit/name-resolver.ts'
import { SessionShares } from '../exit/session-shares.ts'
import type { CarriedStatus } from '../vpn.ts'
import type { EngineInit } from './engine-init.ts'
import { ExitIp } from './exit-ip.ts'
import { ExitService } from './exit-service.ts'
import type { FlushQueue } from './flush-queue.ts'
import { OtherWorkers } from './other-workers.ts'
import type { WorkerPort } from './worker-message.ts'

export interface LastHopInit {
  readonly init: Pick<EngineInit, 'nodeKey' | 'roles' | 'exit' | 'worker'>
  readonly queue: FlushQueue
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** Bytes that a last hop keeps for all sessions together until they are acknowledged; each of several workers has its part. */
const MEMORY = 12 * 1024 * 1024

/** Names that an exit asks for at once, for connections, datagrams and questions of programs together: one session alone gets 57. */
const MAX_LOOKUPS = 512

type LastHopStatus = Pick<
  CarriedStatus,
  'exitStreams' | 'exitChannels' | 'exitIp' | 'memberStreams' | 'memberStreamsOpened'
>

/** Of an entry that is nothing else. */
export const NO_LAST_HOP: LastHopStatus = {
  exitStreams: 0,
  exitChannels: 0,
  exitIp: undefined,
  memberStreams: 0,
  memberStreamsOpened: 0,
}

/** What of an exit leads out of the network. */
interface Outside {
  readonly policy: ExitPolicy
  readonly resolver: NameResolver
  readonly asker: DnsAsker
  readonly lookups: SessionShares
}

/** Where circuits end at this node: an exit with all that it needs, or a relay, whose circuits lead to members only. */
export class LastHop {
  readonly service: ExitService
  readonly #parts: LastHopInit
  readonly #outside: Outside | undefined
  readonly #others: OtherWorkers | undefined
  #ip: ExitIp | undefined

  constructor(parts: LastHopInit) {
    const { init, queue, clock, random, logger } = parts
    this.#parts = parts
    const servers = init.exit.nameServers
    const lookups = new SessionShares(MAX_LOOKUPS)
    if (init.roles.exit)
      this.#outside = {
        policy: new ExitPolicy({ ...init.exit, clock }),
        resolver: new NameResolver({ clock, servers, lookups }),
        asker: new DnsAsker({ clock, random, servers }),
        lookups,
      }
    const internet = this.#outside && { ...this.#outside, packets: () => this.#ip?.packets }
    const { index, shared } = init.worker
    if (shared !== undefined)
      this.#others = new OtherWorkers(new SharedSessionNames(shared.sessionNames, shared.secret), index, queue)
    this.service = new ExitService({
      others: this.#others,
      workers: init.worker.count,
      internet,
      memory: new MemoryBudget(MEMORY / init.worker.count),
      queue,
      clock,
      random,
      logger,
    })
  }

  /** To be called once its node can take packets. */
  async open(): Promise<void> {
    const { init, queue, clock, logger } = this.#parts
    if (this.#outside === undefined || !init.exit.ip) return
    this.#ip = await ExitIp.open({ nodeKey: init.nodeKey, queue, policy: this.#outside.policy, clock, logger })
  }

  /** Another packet worker of this node, and the way to it. */
  addWorker(index: number, port: WorkerPort): void {
    const { service } = this
    this.#others?.add(index, port, (circuit, packetNumber, payload) => service.join(circuit, packetNumber, payload))
  }

  /** Circuits here whose sessions are other workers'. */
  get legsElsewhere(): number {
    return this.#others?.lent ?? 0
  }

  /** Packets that were dropped, by reason; none where there are no other workers. */
  get drops(): Readonly<Record<string, number>> {
    return this.#others === undefined ? {} : { workerBusy: this.#others.dropped }
  }

  get status(): LastHopStatus {
    const { streams, channels, members } = this.service
    return {
      exitStreams: streams - members.connections,
      exitChannels: channels,
      exitIp: this.#ip?.status,
      memberStreams: members.connections,
      memberStreamsOpened: members.opened,
    }
  }

  async close(): Promise<void> {
    this.service.close()
    await this.#ip?.close()
  }

  /** What sessions may have needed until they were closed. */
  end(): void {
    this.#others?.close()
    this.#outside?.resolver.close()
    this.#outside?.asker.close()
  }
}
