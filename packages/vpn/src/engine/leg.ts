import type { Clock, Fault, Random } from '@weft/core'
import { type DidKey, shortId } from '@weft/crypto'
import {
  type CircuitLink,
  type ClientCircuit,
  type ClientCircuits,
  CircuitReason,
  SessionCode,
  Session,
  type SessionStream,
  type StreamTarget,
  Suite,
} from '@weft/onion'
import type { RouteMember } from '../route/route-member.ts'
import type { HopHealth, HopRole, HopStatus, HopSuite, LegState, LegStatus } from '../vpn.ts'
import { Alarm } from './alarm.ts'
import { circuitFault } from './circuit-fault.ts'
import type { FlushQueue } from './flush-queue.ts'
import { SessionDriver } from './session-driver.ts'

export interface LegInit {
  readonly link: CircuitLink
  readonly hops: readonly RouteMember[]
  readonly circuits: ClientCircuits
  readonly queue: FlushQueue
  readonly clock: Clock
  readonly random: Random
  onReady(leg: Leg): void
  /** Nothing came back for a while although something should. */
  onSuspect(leg: Leg): void
  onEnd(leg: Leg): void
}

const BUILD_MS = 3_000
/** ms after which a leg that is being built counts no more: each hop takes a few round trips. */
export const SLOW_BUILD_MS = 700
/** ms without a word from the exit, while one is due, after which other legs are tried; and after which it is given up. */
const SUSPECT_MS = 600
const DEAD_MS = 5_000
/** The same where the overlay cannot reach one of the hops either, ms. */
const DEAD_UNREACHABLE_MS = 1_500
const LOOK_MS = 100
/** ms for which a leg that got ready has to last before its end counts as a new trouble, not as one more failure to build. */
const STOOD_MS = 5_000
/** A look that comes so much later than it should, ms: this thread was held up, and what came meanwhile is not read yet. */
const HELD_UP_MS = 300
const PING_EVERY_MS = 10_000
/** ms of silence after which a leg with open streams is asked for a sign; doubled while it only answers that. */
const PROBE_FIRST_MS = 300
const PROBE_MOST_MS = 15_000
/** ms without an answer after which the exit is asked once more: question or answer may be lost. */
const ASK_AGAIN_MS = 250
const ROLES: readonly HopRole[] = ['entry', 'relay', 'exit']

/** One circuit to an exit with the session on it. */
export class Leg {
  readonly hops: readonly RouteMember[]
  readonly #init: LegInit
  #circuit: ClientCircuit | undefined
  readonly #watch: Alarm
  readonly #streams = new Set<SessionStream>()
  #session: Session | undefined
  #driver: SessionDriver | undefined
  #state: 'building' | 'ready' | 'over' = 'building'
  #fault: Fault | undefined
  #culprit: RouteMember | undefined
  #isRefused = false
  /** Monotonic ms: the last word from the exit, and since when one is due. */
  #heardAt = 0
  #readyAt: number | undefined
  #dueSince: number | undefined
  #suspect = false
  /** The hop that the overlay cannot reach, as it was told last. */
  #unreachable: RouteMember | undefined
  #nextPing = 0
  #probeAfter = PROBE_FIRST_MS
  /** The exit was asked for a sign, and nothing has come since; when, monotonic ms. */
  #probed = false
  #askedAt = 0
  #lookedAt = 0
  readonly #since: number
  /** Monotonic ms. */
  readonly #begunAt: number

  constructor(init: LegInit) {
    this.#init = init
    this.hops = init.hops
    this.#since = init.clock.now()
    this.#begunAt = init.clock.monotonic()
    this.#watch = new Alarm(init.clock, () => this.#look())
  }

  /** Begins to build it; it may be over at once, when a hop's key is none. */
  start(): void {
    const { hops, link, circuits } = this.#init
    const circuit = circuits.build({
      link,
      hops: hops.map(({ key, onionKey }) => ({ id: key, onionKey })),
      timeoutMs: BUILD_MS,
      onReady: () => this.#onReady(circuit),
      onPacket: (packetNumber, payload) => this.#onPacket(packetNumber, payload),
      onPong: (hop) => {
        if (hop === hops.length - 1) this.#heard()
      },
      onEnd: (reason, atHop) => {
        this.#culprit = hops[atHop]
        this.#isRefused = reason === CircuitReason.handshakeRefused
        this.#end(circuitFault(reason, hops[atHop], ROLES[atHop]))
      },
    })
    this.#circuit = circuit
  }

  get ready(): boolean {
    return this.#state === 'ready'
  }

  /** Fit for new streams, or about to be: not silent, and not being built for longer than it should take. */
  get promising(): boolean {
    return this.healthy || (this.#state === 'building' && this.#init.clock.monotonic() - this.#begunAt < SLOW_BUILD_MS)
  }

  get over(): boolean {
    return this.#state === 'over'
  }

  /** Fit for new streams. */
  get healthy(): boolean {
    return this.#state === 'ready' && !this.#suspect
  }

  /** Ready for so long that building it was no failure. */
  get stood(): boolean {
    return this.#readyAt !== undefined && this.#init.clock.monotonic() - this.#readyAt >= STOOD_MS
  }

  get fault(): Fault | undefined {
    return this.#fault
  }

  /** The hop that failed or vanished; undefined when it is not known which. */
  get culprit(): RouteMember | undefined {
    return this.#culprit
  }

  /** It ended as the culprit did not take the handshake: its onion key may be another by now. */
  get isRefused(): boolean {
    return this.#isRefused
  }

  /** Its entry said something, at whatever time. */
  get entryAnswered(): boolean {
    return this.#answered(0)
  }

  get streams(): number {
    return this.#streams.size
  }

  /** Bytes of its streams that went each way, as who sent and received them counts; none goes back when it ends. */
  get bytes(): { readonly sent: number; readonly received: number } {
    const stats = this.#session?.stats
    return { sent: stats?.dataSent ?? 0, received: stats?.dataReceived ?? 0 }
  }

  /** Opens a stream; undefined when the leg is not ready, or ends. @throws WeftError E_TARGET_INVALID, E_SESSION_STREAMS */
  openStream(target: StreamTarget): SessionStream | undefined {
    const session = this.#session
    if (session?.state !== 'open') return undefined
    const stream = session.openStream(target)
    this.#streams.add(stream)
    this.wake()
    return stream
  }

  forget(stream: SessionStream): void {
    this.#streams.delete(stream)
  }

  /** To be called after anything was written to a stream. */
  wake(): void {
    this.#driver?.wake()
    this.#expectAnswer()
  }

  status(state: LegState): LegStatus {
    return {
      state:
        this.#state === 'over' ? 'failed' : this.#state === 'building' ? 'building' : this.#suspect ? 'silent' : state,
      carriage: this.#init.link.endpoint?.over ?? 'udp',
      hops: this.hops.map((hop, index) => this.#hopStatus(hop, index)),
      rttMs: this.#session?.stats.rttMs ?? this.#circuit?.rttMs.at(-1),
      streams: this.#streams.size,
      since: this.#since,
      fault: this.#fault,
    }
  }

  /**
   * Tells which members the overlay cannot reach. A leg over one of them is suspect until its exit answers, and one that
   * is being built over it is given up.
   */
  onUnreachable(unreachable: ReadonlySet<DidKey>): void {
    const known = this.#unreachable
    this.#unreachable = this.hops.find(({ id }) => unreachable.has(id))
    if (this.#unreachable === undefined || this.#unreachable === known) return
    if (this.#state === 'building') {
      this.#culprit = this.#unreachable
      this.#end(unreachableFault(this.#unreachable))
    } else if (this.#state === 'ready') {
      this.#ask()
      this.#expectAnswer()
      this.#suspectNow()
    }
  }

  destroy(): void {
    this.#end(undefined)
  }

  #onReady(circuit: ClientCircuit): void {
    const { clock, random, queue } = this.#init
    const session = new Session({
      role: 'client',
      clock,
      random,
      payloadLength: circuit.payloadLength,
      onWritable: () => this.#driver?.wake(),
      onClose: (code) => {
        // What this side closes is over already (#end): whatever else ends a session, code 0 too, is laid to its exit.
        if (this.#state === 'over') return
        this.#culprit = this.hops.at(-1)
        this.#end(sessionFault(code, this.#culprit))
      },
    })
    this.#session = session
    this.#driver = new SessionDriver(session, circuit, queue, clock)
    this.#state = 'ready'
    this.#heardAt = clock.monotonic()
    this.#readyAt = this.#heardAt
    this.#ping()
    this.#init.onReady(this)
  }

  #onPacket(packetNumber: number, payload: Uint8Array): void {
    this.#heard()
    this.#probeAfter = PROBE_FIRST_MS
    this.#session?.receive(packetNumber, payload)
    this.#driver?.wake()
  }

  #heard(): void {
    this.#heardAt = this.#init.clock.monotonic()
    this.#dueSince = undefined
    this.#probed = false
    this.#suspect = false
  }

  #ask(): void {
    this.#probed = true
    this.#askedAt = this.#init.clock.monotonic()
    this.#circuit?.ping(this.hops.length - 1)
  }

  #expectAnswer(): void {
    if (this.#state !== 'ready' || this.#dueSince !== undefined) return
    this.#dueSince = this.#init.clock.monotonic()
    this.#watch.set(this.#dueSince + LOOK_MS)
  }

  /** Runs every 100 ms while streams are open or an answer is due, else every 10 s to measure the hops. */
  #look(): void {
    if (this.#state !== 'ready') return
    const now = this.#init.clock.monotonic()
    if (now >= this.#nextPing) this.#ping()
    if (this.#streams.size > 0 && !this.#probed && now - this.#heardAt > this.#probeAfter) {
      // A download that stops leaves nothing of ours unanswered: ask.
      this.#probeAfter = Math.min(PROBE_MOST_MS, 2 * this.#probeAfter)
      this.#ask()
    } else if (this.#probed && now - this.#askedAt >= ASK_AGAIN_MS) this.#ask()
    // Nobody is called silent for what this thread did not hear.
    if (this.#dueSince !== undefined && now - Math.max(this.#lookedAt, this.#dueSince) > LOOK_MS + HELD_UP_MS)
      this.#dueSince = now
    this.#lookedAt = now
    const waiting = this.#probed || (this.#session?.stats.inFlight ?? 0) > 0
    if (waiting) this.#dueSince ??= now
    else this.#dueSince = undefined
    const silent = this.#dueSince === undefined ? 0 : now - Math.max(this.#dueSince, this.#heardAt)
    if (silent > (this.#unreachable === undefined ? DEAD_MS : DEAD_UNREACHABLE_MS)) {
      this.#culprit = this.#unreachable
      this.#end(this.#unreachable === undefined ? silentFault(this.hops) : unreachableFault(this.#unreachable))
      return
    }
    if (silent > SUSPECT_MS) this.#suspectNow()
    this.#watch.set(waiting || this.#streams.size > 0 ? now + LOOK_MS : this.#nextPing)
  }

  #suspectNow(): void {
    if (this.#suspect) return
    this.#suspect = true
    // It may be the way to the entry that is gone: the link finds another, and the leg goes on.
    this.#init.link.check?.()
    this.#init.onSuspect(this)
  }

  #ping(): void {
    for (const index of this.hops.keys()) this.#circuit?.ping(index)
    this.#nextPing = this.#init.clock.monotonic() + PING_EVERY_MS
    this.#watch.set(this.#nextPing)
  }

  #end(fault: Fault | undefined): void {
    if (this.#state === 'over') return
    this.#state = 'over'
    this.#fault = fault
    this.#watch.clear()
    // The exit learns that it is over from the session, in case the circuit still carries.
    this.#session?.close(SessionCode.none, '')
    this.#driver?.flush()
    this.#driver?.close()
    this.#circuit?.destroy()
    this.#streams.clear()
    this.#init.onEnd(this)
  }

  #hopStatus(hop: RouteMember, index: number): HopStatus {
    const rttMs = this.#circuit?.rttMs ?? []
    const rtt = rttMs[index]
    const before = index === 0 ? 0 : rttMs[index - 1]
    // Pings of two hops that passed each other tell nothing of the way between them.
    const latencyMs = rtt === undefined || before === undefined || rtt <= before ? undefined : rtt - before
    const [health, reason] = this.#health(hop, index)
    return {
      node: hop.id,
      role: ROLES[index] as HopRole,
      country: hop.country,
      region: hop.region,
      simulated: hop.simulated,
      latencyMs,
      suite: suiteName(this.#circuit?.suites[index]),
      health,
      reason,
    }
  }

  #answered(index: number): boolean {
    return this.#readyAt !== undefined || this.#circuit?.suites[index] !== undefined
  }

  #health(hop: RouteMember, index: number): [HopHealth, string] {
    if (this.#state === 'over') return ['red', this.#fault?.cause ?? 'the leg was ended']
    if (!this.#answered(index)) return ['unknown', 'it has not answered yet']
    if (this.#suspect && this.#unreachable !== undefined)
      return hop === this.#unreachable ? ['red', 'the node cannot be reached'] : ['green', '']
    if (this.#suspect)
      return ['yellow', 'nothing has come back from the exit for a while; which hop it is is not known']
    return ['green', '']
  }
}

function silentFault(hops: readonly RouteMember[]): Fault {
  return {
    code: 'E_ROUTE_SILENT',
    cause: `Nothing came back through …${hops.map(({ id }) => shortId(id)).join(', …')} for ${DEAD_MS / 1_000} s.`,
    fix: 'Nothing to do: another route is taken. weft vpn route shows it.',
  }
}

function unreachableFault(hop: RouteMember): Fault {
  return {
    code: 'E_ROUTE_SILENT',
    cause: `…${shortId(hop.id)} cannot be reached, and nothing comes back through it.`,
    fix: 'Nothing to do: another route is taken. weft peers shows which members answer.',
  }
}

function sessionFault(code: number, exit: RouteMember | undefined): Fault {
  return {
    code: 'E_ROUTE_CLOSED',
    cause: `The exit …${shortId(exit?.id ?? '')} closed the session (code ${code}, docs/specs/session.md).`,
    fix: 'Nothing to do: another route is taken.',
  }
}

function suiteName(suite: Suite | undefined): HopSuite | undefined {
  if (suite === undefined) return undefined
  return suite === Suite.aes256Gcm ? 'aes-256-gcm' : 'chacha20-poly1305'
}
