import type { Clock, Logger, Random } from '@weft/core'
import {
  CircuitReason,
  type ExitCircuit,
  type MemoryBudget,
  IpPacketPool,
  SessionCode,
  Session,
  type SessionStream,
} from '@weft/onion'
import type { DnsAsker } from '../exit/dns-asker.ts'
import type { ExitPolicy } from '../exit/exit-policy.ts'
import type { NameResolver } from '../exit/name-resolver.ts'
import type { SessionShares } from '../exit/session-shares.ts'
import { codeOfResolve } from '../exit/target-codes.ts'
import { DialTurns } from './dial-turns.ts'
import { ExitChannels } from './exit-channels.ts'
import { ExitDns } from './exit-dns.ts'
import type { ExitPackets } from './exit-packets.ts'
import type { FlushQueue } from './flush-queue.ts'
import { SessionDriver } from './session-driver.ts'
import { MemberDoor } from './member-door.ts'
import { TargetSockets } from './target-sockets.ts'

/** What an exit needs for targets outside of the network. */
export interface Internet {
  readonly policy: ExitPolicy
  readonly resolver: NameResolver
  readonly asker: DnsAsker
  /** Names that are asked for now: those of `resolver` and of `asker`. */
  readonly lookups: SessionShares
  /** Where it carries IP packets. */
  readonly packets?: () => ExitPackets | undefined
}

export interface ExitServiceInit {
  /** Packet workers of this node, each with an exit service of its own. */
  readonly workers: number
  /** Undefined for a relay: circuits that end there lead to members only. */
  readonly internet: Internet | undefined
  readonly memory: MemoryBudget
  readonly queue: FlushQueue
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** ms from an OPEN to its answer; the client waits for 4.4 s (OPEN_MS of stream-opener.ts), the way there and back included. */
const DIAL_MS = 3_800
/** Sessions at once: some 30 KB each before a byte is carried. */
const MAX_SESSIONS = 2_048
/** IP packets towards clients that wait at once, 1,280 bytes each. */
const MAX_WAITING_PACKETS = 8_192

/**
 * The last hop of circuits: one session a circuit, one TCP connection a stream, or a channel of datagrams or IP packets. A relay that is
 * no exit lets streams through to members only. Neither targets nor clients are ever logged.
 */
export class ExitService {
  readonly #init: ExitServiceInit
  readonly #drivers = new Set<SessionDriver>()
  readonly #sockets: TargetSockets
  readonly #turns: DialTurns
  /** Services of members. */
  readonly members: MemberDoor
  /** What an exit has beside it. */
  readonly #outside: { readonly channels: ExitChannels; readonly dns: ExitDns } | undefined
  readonly #waitingPackets = new IpPacketPool(MAX_WAITING_PACKETS)

  constructor(init: ExitServiceInit) {
    this.#init = init
    const { internet, clock, queue } = init
    this.#sockets = new TargetSockets(clock, queue)
    this.#turns = new DialTurns(clock)
    this.members = new MemberDoor(clock, this.#sockets, init.workers)
    if (internet !== undefined)
      this.#outside = {
        channels: new ExitChannels({
          ...internet,
          clock,
          ask: (session, go, refuse) => void this.#turns.take(session, go, refuse),
        }),
        dns: new ExitDns({ ...internet, clock }),
      }
  }

  get streams(): number {
    return this.#sockets.size
  }

  /** Channels of datagrams that clients have here. */
  get channels(): number {
    return this.#outside?.channels.size ?? 0
  }

  /** Takes a circuit that a client ends here; false when there is no room. */
  accept(circuit: ExitCircuit): boolean {
    if (this.#drivers.size >= MAX_SESSIONS) return false
    const { clock, random, queue, memory } = this.#init
    const session = new Session({
      role: 'exit',
      clock,
      random,
      payloadLength: circuit.payloadLength,
      memory,
      packets: this.#waitingPackets,
      onStream: (stream) => this.#take(stream, driver),
      onWritable: () => driver.wake(),
      onClose: () => {
        // What says that it is over goes out before the circuit does.
        driver.flush()
        this.#forget(driver)
        circuit.destroy(CircuitReason.none)
      },
    })
    const driver = new SessionDriver(session, circuit, queue, clock)
    this.#drivers.add(driver)
    circuit.onPacket = (packetNumber, payload) => {
      session.receive(packetNumber, payload)
      driver.wake()
    }
    circuit.onRoom = () => driver.wake()
    circuit.onEnd = () => {
      this.#forget(driver)
      session.close(SessionCode.none, '')
    }
    return true
  }

  close(): void {
    for (const driver of this.#drivers) driver.session.close(SessionCode.stopping, 'the exit stops')
    this.#turns.close()
    this.#sockets.close()
    this.#outside?.channels.close()
  }

  #forget(driver: SessionDriver): void {
    this.#drivers.delete(driver)
    driver.close()
  }

  #take(stream: SessionStream, driver: SessionDriver): void {
    const { protocol } = stream.target ?? {}
    const wake = (): void => driver.wake()
    const { internet } = this.#init
    if (protocol === 'service') return this.members.take(stream, wake, driver.session)
    const taker =
      protocol === 'udp' ? this.#outside?.channels : protocol === 'dns' ? this.#outside?.dns : internet?.packets?.()
    if (protocol !== undefined && taker !== undefined) return taker.take(stream, driver, wake)
    if (protocol === undefined && internet !== undefined) return this.#connect(stream, driver, internet)
    stream.refuse(SessionCode.notOffered)
    wake()
  }

  #connect(stream: SessionStream, driver: SessionDriver, internet: Internet): void {
    const { clock, logger } = this.#init
    const refuse = (code: number): void => {
      stream.refuse(code)
      driver.wake()
    }
    const until = clock.monotonic() + DIAL_MS
    const begin = (): void => {
      this.#open({ stream, driver, internet, until, refuse }).catch((error: unknown) => {
        logger.error('a connection could not be begun', { code: systemCode(error) ?? 'E_INTERNAL' })
        refuse(SessionCode.internal)
      })
    }
    let leave = (): void => {}
    stream.handler = { onReset: () => leave() }
    leave = this.#turns.take(driver, begin, () => refuse(SessionCode.limit))
  }

  async #open({ stream, driver, internet, until, refuse }: Request): Promise<void> {
    const { policy, resolver } = internet
    const { target } = stream
    if (target === undefined) return refuse(SessionCode.violation)
    const { host, port } = target
    let gone = false
    stream.handler = { onReset: () => (gone = true) }
    let address: string
    try {
      address = await resolver.resolve(host, driver)
    } catch (error) {
      return refuse(codeOfResolve(error))
    }
    if (gone) return
    // Only now: many may have waited for one slow name.
    if (this.#sockets.isFull) return refuse(SessionCode.limit)
    if (policy.refusal(address, port) !== undefined) return refuse(SessionCode.policy)
    const timeoutMs = until - this.#init.clock.monotonic()
    if (timeoutMs <= 0) return refuse(SessionCode.timedOut)
    const wake = (): void => driver.wake()
    this.#sockets.dial({ stream, wake, address, port, timeoutMs, told: address, onFailed: refuse })
  }
}

/** A connection that a client asked for. */
interface Request {
  readonly stream: SessionStream
  readonly driver: SessionDriver
  readonly internet: Internet
  /** Monotonic ms: when it is to be answered. */
  readonly until: number
  /** @param code one of SessionCode */
  readonly refuse: (code: number) => void
}

/** Of a system call that failed; the message may hold an address, which is never logged. */
function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
