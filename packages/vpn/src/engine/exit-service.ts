import type { Clock, Logger, Random } from '@weft/core'
import {
  CircuitReason,
  type Join,
  type ExitCircuit,
  type MemoryBudget,
  IpPacketPool,
  SessionCode,
  Session,
  type SessionLeg,
  type SessionStream,
  type StreamTarget,
  readJoin,
} from '@weft/onion'
import type { DnsAsker } from '../exit/dns-asker.ts'
import type { ExitPolicy } from '../exit/exit-policy.ts'
import type { NameResolver } from '../exit/name-resolver.ts'
import type { SessionShares } from '../exit/session-shares.ts'
import { codeOfResolve } from '../exit/target-codes.ts'
import { DialTurns } from './dial-turns.ts'
import { ExitChannels } from './exit-channels.ts'
import { ExitDns } from './exit-dns.ts'
import { ExitMeasures } from './exit-measures.ts'
import type { ExitPackets } from './exit-packets.ts'
import type { FlushQueue } from './flush-queue.ts'
import { SessionDriver } from './session-driver.ts'
import { SessionNames } from './session-names.ts'
import { MAX_SESSIONS, SessionPlaces } from './session-places.ts'
import type { OtherWorkers } from './other-workers.ts'
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
  /** The others, where there are several. */
  readonly others?: OtherWorkers | undefined
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
/** Circuits of sessions at once, 9 KB each beside its session, as one of them carries: three of each on average. */
const MAX_CIRCUITS = 3 * MAX_SESSIONS
/** IP packets towards clients that wait at once, 1,280 bytes each. */
const MAX_WAITING_PACKETS = 8_192

/**
 * The last hop of circuits: sessions, each over one circuit or several, one TCP connection a stream, or a channel of datagrams or IP packets. A relay that is
 * no exit lets streams through to members only. Neither targets nor clients are ever logged.
 */
export class ExitService {
  readonly #init: ExitServiceInit
  readonly #places: SessionPlaces<SessionDriver>
  readonly #names = new SessionNames<SessionDriver>()
  readonly #circuits = new Map<SessionLeg, ExitCircuit>()
  readonly #sockets: TargetSockets
  readonly #turns: DialTurns
  /** Services of members. */
  readonly members: MemberDoor
  /** What an exit has beside it. */
  readonly #outside:
    | { readonly channels: ExitChannels; readonly dns: ExitDns; readonly measures: ExitMeasures }
    | undefined
  readonly #waitingPackets = new IpPacketPool(MAX_WAITING_PACKETS)

  constructor(init: ExitServiceInit) {
    this.#init = init
    const { internet, clock, queue } = init
    this.#places = new SessionPlaces(clock)
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
        measures: new ExitMeasures({ ...internet, clock, turns: this.#turns }),
      }
  }

  get streams(): number {
    return this.#sockets.size
  }

  /** Channels of datagrams that clients have here. */
  get channels(): number {
    return this.#outside?.channels.size ?? 0
  }

  /** Ways to targets that are measured for clients. */
  get measures(): number {
    return this.#outside?.measures.size ?? 0
  }

  /** Part of the places that are taken: of sessions that have a circuit, or of connections, where that is more. */
  get fill(): number {
    return Math.max(this.#places.fill, this.#sockets.fill)
  }

  /** Takes a circuit that a client ends here; false when there is no room. Its first packet says whether it begins a session or joins one. */
  accept(circuit: ExitCircuit): boolean {
    const { others } = this.#init
    const places = this.#places
    if (!places.hasRoom(others?.lent ?? 0)) return false
    places.undecided++
    circuit.onEnd = () => void places.undecided--
    circuit.onPacket = (packetNumber, payload) => {
      places.undecided--
      const join = readJoin(payload)
      if (join === undefined) return this.#enter(this.#begin(circuit), circuit, packetNumber, payload)
      const place = this.#join(join, circuit)
      if (place !== undefined) return this.#enter(place, circuit, packetNumber, payload)
      // Its session may be another worker's.
      if (others?.lend(join.name, circuit, packetNumber, payload) !== true)
        circuit.destroy(CircuitReason.sessionUnknown)
    }
    return true
  }

  /** A circuit of another worker is to join a session here, by its first packet; false when it may not. */
  join(circuit: ExitCircuit, packetNumber: number, payload: Uint8Array): boolean {
    const join = readJoin(payload)
    const place = join && this.#join(join, circuit)
    if (place === undefined) return false
    this.#enter(place, circuit, packetNumber, payload)
    return true
  }

  #enter({ driver, leg }: Place, circuit: ExitCircuit, packetNumber: number, payload: Uint8Array): void {
    const receive = (number: number, bytes: Uint8Array): void => {
      driver.session.receive(number, bytes, leg)
      driver.wake()
    }
    circuit.onPacket = receive
    circuit.onRoom = () => driver.wake()
    circuit.onEnd = () => this.#legEnded(driver, leg)
    driver.carry(leg, circuit)
    receive(packetNumber, payload)
  }

  #begin(circuit: ExitCircuit): Place {
    const { clock, random, queue, memory } = this.#init
    const inTheWay = this.#places.inTheWay
    if (inTheWay !== undefined) this.#end(inTheWay)
    const session = new Session({
      role: 'exit',
      clock,
      random,
      payloadLength: circuit.payloadLength,
      memory,
      packets: this.#waitingPackets,
      onStream: (stream) => this.#take(stream, driver),
      onWritable: () => driver.wake(),
      onName: (name) => {
        if (this.#names.add(name, driver)) this.#init.others?.onNamed(driver, name)
      },
      onLegGone: (leg) => {
        const circuitOfLeg = this.#circuits.get(leg)
        this.#circuits.delete(leg)
        driver.drop(leg)
        circuitOfLeg?.destroy(CircuitReason.none)
        this.#endWithoutLeg(driver)
      },
      onClose: () => {
        // What says that it is over goes out before the circuits do.
        driver.flush()
        this.#forget(driver)
      },
    })
    const driver = new SessionDriver(session, queue, clock)
    this.#places.begin(driver)
    this.#circuits.set(session.first, circuit)
    return { driver, leg: session.first }
  }

  #join({ leg: id, use, name }: Join, circuit: ExitCircuit): Place | undefined {
    const driver = this.#names.find(name)
    // All legs carry packets of one length: any of them may have to carry what another one lost.
    if (driver === undefined || driver.session.payloadLength !== circuit.payloadLength) return undefined
    if (this.#circuits.size >= MAX_CIRCUITS) return undefined
    const leg = driver.session.join(id, use)
    if (leg === undefined) return undefined
    this.#places.found(driver)
    this.#circuits.set(leg, circuit)
    return { driver, leg }
  }

  #legEnded(driver: SessionDriver, leg: SessionLeg): void {
    const { session } = driver
    this.#circuits.delete(leg)
    driver.drop(leg)
    session.removeLeg(leg)
    driver.wake()
    this.#endWithoutLeg(driver)
  }

  /** No circuit can join a session that has no name. */
  #endWithoutLeg(driver: SessionDriver): void {
    const { session } = driver
    if (session.legs.length > 0 || (session.isNamed && this.#places.orphan(driver))) return
    this.#end(driver)
  }

  #end(driver: SessionDriver): void {
    this.#forget(driver)
    driver.session.close(SessionCode.none, '')
  }

  close(): void {
    for (const driver of this.#places.all) driver.session.close(SessionCode.stopping, 'the exit stops')
    this.#turns.close()
    this.#sockets.close()
    this.#outside?.channels.close()
  }

  #forget(driver: SessionDriver): void {
    this.#places.end(driver)
    this.#names.remove(driver)
    this.#init.others?.onOver(driver)
    driver.close()
    for (const leg of driver.session.legs) {
      this.#circuits.get(leg)?.destroy(CircuitReason.none)
      this.#circuits.delete(leg)
    }
  }

  #take(stream: SessionStream, driver: SessionDriver): void {
    const { protocol } = stream.target ?? {}
    const wake = (): void => driver.wake()
    const { internet } = this.#init
    if (protocol === 'service') return this.members.take(stream, wake, driver.session)
    const taker = this.#takerOf(protocol)
    if (protocol !== undefined && taker !== undefined) return taker.take(stream, driver, wake)
    if (protocol === undefined && internet !== undefined) return this.#connect(stream, driver, internet)
    stream.refuse(SessionCode.notOffered)
    wake()
  }

  /** Of what is no connection; undefined where this last hop does not offer it. */
  #takerOf(protocol: StreamTarget['protocol']): Taker | undefined {
    switch (protocol) {
      case 'udp':
        return this.#outside?.channels
      case 'dns':
        return this.#outside?.dns
      case 'measure':
        return this.#outside?.measures
      case 'ip':
        return this.#init.internet?.packets?.()
      case 'service':
      case undefined:
        return undefined
    }
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

/** Answers streams of one protocol. */
interface Taker {
  take(stream: SessionStream, session: SessionDriver, wake: () => void): void
}

/** Which session's a circuit is, and as which of its legs. */
interface Place {
  readonly driver: SessionDriver
  readonly leg: SessionLeg
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
