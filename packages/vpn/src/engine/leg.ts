import type { Clock, Fault } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import {
  type CircuitLink,
  type ClientCircuit,
  type ClientCircuits,
  type CountSample,
  CircuitReason,
  type Tier,
} from '@weft/onion'
import type { HopTrouble } from '../health/hop-judge.ts'
import { LegHealth } from '../health/leg-health.ts'
import type { RouteMember } from '../route/route-member.ts'
import type { HopStatus, LegState, LegStatus, LegTier, LegVerification } from '../vpn.ts'
import { Alarm } from './alarm.ts'
import { circuitFault } from './circuit-fault.ts'
import type { SilentAtExit } from './exit-witnesses.ts'
import { HopQuestion } from './hop-question.ts'
import { hasAnswered, hopStatuses, roleAt } from './hop-statuses.ts'
import { HELD_UP_MS, LOOK_MS, LegSilence, PING_EVERY_MS, PLACE_SILENCE_MS } from './leg-silence.ts'
import { legVerification } from './leg-verification.ts'
import type { ToldHop } from './route-words.ts'
import { silentFault } from './silent-fault.ts'
import { TierQuestions } from './tier-questions.ts'

/** A hop got worse or better. */
export interface HopChange {
  readonly hop: ToldHop
  /** Before, and now. */
  readonly was: Trouble
  readonly is: Trouble
  readonly of: HopTrouble['of'] | undefined
  /** Why it is not green; empty when it is. */
  readonly reason: string
}

/** 0: none; 1: yellow; 2: red. */
export type Trouble = 0 | 1 | 2

export interface LegInit {
  readonly link: CircuitLink
  readonly hops: readonly RouteMember[]
  readonly circuits: ClientCircuits
  /** What it does against who watches; off by default. */
  readonly tier?: Tier
  readonly clock: Clock
  onReady(leg: Leg): void
  onPacket(leg: Leg, packetNumber: number, payload: Uint8Array): void
  /** What it carries: packets that wait for an answer, and streams over which something may come. */
  load(leg: Leg): { readonly inFlight: number; readonly streams: number }
  /** Nothing came back for a while although something should. */
  onSuspect(leg: Leg): void
  /** The exit said something: with each packet. @param now monotonic ms */
  onHeard?(now: number): void
  /** Something came after all. */
  onCleared(leg: Leg): void
  /** While the hop before the exit answers, and the exit does not; again and again as long as that is so. */
  onSilentAtExit?(leg: Leg): void
  /** A hop loses or delays more than it did, is silent, or tells what cannot be true; or no more so. */
  onHop(leg: Leg, change: HopChange): void
  onEnd(leg: Leg): void
}

const BUILD_MS = 3_000
/** ms after which a leg that is being built counts no more: each hop takes a few round trips. */
export const SLOW_BUILD_MS = 700
/** ms for which a leg that got ready has to last before its end counts as a new trouble, not as one more failure to build. */
const STOOD_MS = 5_000
/** What a hop says where it does not reach the next one. */
const LINK_REASONS: ReadonlySet<number> = new Set([
  CircuitReason.unknownNextHop,
  CircuitReason.nextHopNotReached,
  CircuitReason.linkLost,
])

/** One circuit of a session: builds it, and watches whether it carries. */
export class Leg {
  readonly hops: readonly RouteMember[]
  readonly #init: LegInit
  #circuit: ClientCircuit | undefined
  readonly #watch: Alarm
  #state: 'building' | 'ready' | 'over' = 'building'
  #fault: Fault | undefined
  #culprit: RouteMember | undefined
  #isRefused = false
  /** The exit is there, and did not let it join its session. */
  #isTurnedAway = false
  /** The hop before the one that is to blame did not reach it any more, or never did. */
  #isLinkLost = false
  /** Monotonic ms. */
  #readyAt: number | undefined
  readonly #silence = new LegSilence()
  /** Monotonic ms: when it fell silent; and whether the hop before the exit answered what it was asked since. */
  #suspectAt = 0
  #isRelayThere = false
  /** The hop that the overlay cannot reach, as it was told last. */
  #unreachable: RouteMember | undefined
  /** Monotonic ms: when a leg at rest is looked at, which one without a tier is pinged at as well. */
  #nextIdleLook = 0
  readonly #health: LegHealth
  /** Monotonic ms: when the next look is due, and when hops were asked what they counted. */
  #nextLook = 0
  #countedAt = 0
  /** Of each hop: as it was told, and what it said last. */
  readonly #troubles: Trouble[]
  readonly #counted: (CountSample | undefined)[]
  readonly #questions = new Set<HopQuestion>()
  /** Of a leg with a tier. */
  readonly #byCells: TierQuestions | undefined
  readonly #since: number
  /** Monotonic ms. */
  readonly #begunAt: number

  constructor(init: LegInit) {
    this.#init = init
    this.hops = init.hops
    this.#since = init.clock.now()
    this.#begunAt = init.clock.monotonic()
    this.#health = new LegHealth(init.hops.length, init.tier ?? 'off')
    this.#troubles = init.hops.map(() => 0)
    this.#counted = init.hops.map(() => undefined)
    this.#watch = new Alarm(init.clock, () => this.#look())
    if (init.tier !== undefined && init.tier !== 'off') this.#byCells = this.#questionsByCells()
  }

  /** Begins to build it; it may be over at once, when a hop's key is none. */
  start(): void {
    const { hops, link, circuits } = this.#init
    const circuit = circuits.build({
      link,
      tier: this.#init.tier ?? 'off',
      hops: hops.map(({ key, onionKey }) => ({ id: key, onionKey })),
      timeoutMs: BUILD_MS,
      onReady: () => this.#onReady(),
      onPacket: (packetNumber, payload) => this.#onPacket(packetNumber, payload),
      onPong: (hop, ms) => {
        this.#health.onPong(hop, ms, this.#init.clock.monotonic())
        if (hop === hops.length - 1) this.#exitAnswered()
      },
      onCounted: (hop, sample) => this.#onCounted(hop, sample),
      onEnd: (reason, atHop) => {
        this.#culprit = hops[atHop]
        this.#isTurnedAway = reason === CircuitReason.sessionUnknown
        this.#isRefused = reason === CircuitReason.handshakeRefused
        this.#isLinkLost = LINK_REASONS.has(reason)
        this.#end(circuitFault(reason, hops[atHop], roleAt(atHop, hops.length)))
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
    return this.#state === 'ready' && !this.#silence.isSuspect
  }

  /** What is not as usual with the worst of its hops. */
  get trouble(): Trouble {
    return this.#troubles.reduce((worst, next) => (next > worst ? next : worst), 0)
  }

  /** The hop that is worst, while one is not as usual. */
  get worst(): ToldHop | undefined {
    const { trouble } = this
    return trouble === 0 ? undefined : this.#told(this.#troubles.indexOf(trouble))
  }

  /** As {@link culprit}. */
  get culpritHop(): ToldHop | undefined {
    const index = this.hops.findIndex((hop) => hop === this.#culprit)
    return index < 0 ? undefined : this.#told(index)
  }

  /** Nothing came back for a while although something should. */
  get isSilent(): boolean {
    return this.#silence.isSuspect
  }

  /** It was ready, at whatever time. */
  get wasReady(): boolean {
    return this.#readyAt !== undefined
  }

  /** The exit does not answer, or the hop before it says that it is gone; undefined where that is not known, or others are what is wrong. */
  get silentAtExit(): SilentAtExit | undefined {
    const relay = this.hops.at(-2)?.id
    if (relay === undefined) return undefined
    if (this.#state === 'over' && this.#culprit !== undefined)
      return this.#culprit === this.hops.at(-1) && !this.#isTurnedAway ? { relay, ms: Infinity } : undefined
    if (!this.#silence.isSuspect || !this.#isRelayThere) return undefined
    return { relay, ms: this.#silence.silentMs(this.#init.clock.monotonic()) }
  }

  /** It ended as the hop before the exit says that it does not reach it: one of the two, or what is between them, is what is wrong. */
  get isCutFromExit(): boolean {
    return this.#isLinkLost && this.#culprit !== undefined && this.#culprit === this.hops.at(-1)
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
    return hasAnswered({ wasReady: this.#readyAt !== undefined, suites: this.#circuit?.suites ?? [] }, 0)
  }

  /** ms there and back to the exit, of its hops' answers; undefined while one of them is not known. */
  get latencyMs(): number | undefined {
    if (this.#state !== 'ready') return undefined
    const links = this.#health.status(this.#init.clock.monotonic()).map(({ latencyMs }) => latencyMs)
    return links.reduce(
      (sum, ms) => (sum === undefined || ms === undefined ? undefined : sum + ms),
      0 as number | undefined,
    )
  }

  /** Bytes of a session's packet, once it is ready. */
  get payloadLength(): number {
    return this.#circuit?.payloadLength ?? 0
  }

  /** Sends a session's packet, as {@link ClientCircuit.seal}. */
  seal(fill: (payload: Uint8Array) => number): boolean {
    return this.#circuit?.seal(fill) ?? false
  }

  /** To be called when something was written that wants an answer. */
  expectAnswer(): void {
    if (this.#state !== 'ready' || this.#silence.isDue) return
    const now = this.#init.clock.monotonic()
    this.#silence.expect(now)
    // Never later than it was to be: traffic that is answered must not keep hops from being asked.
    this.#lookAt(Math.min(this.#nextLook, now + LOOK_MS))
  }

  /** Asks the exit for a sign now, as another leg to it is silent. */
  doubt(): void {
    if (this.#state !== 'ready' || this.#silence.isSuspect) return
    this.#ask()
    this.expectAnswer()
  }

  /** @param rttMs to the exit and back, as the session measures it */
  status(state: LegState, streams: number, rttMs: number | undefined): LegStatus {
    return {
      state: this.#stateOr(state),
      carriage: this.#init.link.endpoint?.over ?? 'udp',
      tier: this.#tierStatus(),
      hops: this.#hopStatuses(),
      rttMs: rttMs ?? this.#circuit?.rttMs.at(-1),
      streams,
      since: this.#since,
      fault: this.#fault,
    }
  }

  /**
   * Asks its hops for their counters now, and says what is known of it once they answered, after 3 s at the latest; undefined unless it is ready.
   * @param state as for {@link status}
   */
  async verify(state: LegState): Promise<Omit<LegVerification, 'use' | 'number'> | undefined> {
    const circuit = this.#circuit
    if (this.#state !== 'ready' || circuit === undefined) return undefined
    const { clock } = this.#init
    const question = new HopQuestion(this.hops.length, clock, () => this.#count())
    this.#questions.add(question)
    const answered = await question.answered
    this.#questions.delete(question)
    const now = clock.monotonic()
    return legVerification({
      state: this.#stateOr(state),
      hops: this.#hopStatuses(),
      known: this.#health.status(now),
      evidence: this.#health.evidence(circuit.evidence, now),
      answered,
      counted: this.#counted.map((sample) => sample?.hop),
    })
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
      this.#endSilent()
    } else if (this.#state === 'ready') {
      this.#ask()
      this.expectAnswer()
      this.#suspectNow()
    }
  }

  /** Ends it for a reason that lies elsewhere, or none. */
  destroy(fault?: Fault): void {
    this.#end(fault)
  }

  #onReady(): void {
    this.#state = 'ready'
    this.#readyAt = this.#init.clock.monotonic()
    this.#silence.heard(this.#readyAt)
    this.#init.onHeard?.(this.#readyAt)
    if (this.#byCells === undefined) this.#ping()
    else {
      this.#nextIdleLook = this.#readyAt + PING_EVERY_MS
      this.#lookAt(this.#nextIdleLook)
      this.#byCells.begin()
    }
    this.#init.onReady(this)
  }

  #onPacket(packetNumber: number, payload: Uint8Array): void {
    this.#heard()
    this.#silence.heardContent()
    this.#init.onPacket(this, packetNumber, payload)
  }

  #heard(): void {
    this.#isRelayThere = false
    const now = this.#init.clock.monotonic()
    this.#init.onHeard?.(now)
    if (this.#silence.heard(now)) this.#init.onCleared(this)
  }

  #onCounted(hop: number, sample: CountSample): void {
    this.#health.onCounted(hop, sample)
    this.#counted[hop] = sample
    for (const question of this.#questions) question.onCounted(hop, sample)
    if (hop === this.hops.length - 2 && this.#silence.isSuspect && sample.askedMs >= this.#suspectAt)
      this.#isRelayThere = true
    // An exit that does not tell the truth is there all the same.
    if (hop === this.hops.length - 1) this.#exitAnswered()
  }

  #exitAnswered(): void {
    this.#byCells?.answered()
    this.#heard()
  }

  #questionsByCells(): TierQuestions {
    return new TierQuestions({
      clock: this.#init.clock,
      isDue: (now) => this.#health.isDue(now, this.#circuit?.cells ?? 0),
      count: () => this.#count(),
      ping: () => this.#pingAll(),
      pingExit: () => this.#circuit?.ping(this.hops.length - 1),
      onAsked: () => this.#lookAt(Math.min(this.#nextLook, this.#init.clock.monotonic() + LOOK_MS)),
    })
  }

  #ask(): void {
    if (this.#byCells !== undefined) return this.#byCells.askExit()
    this.#silence.asked(this.#init.clock.monotonic())
    this.#circuit?.ping(this.hops.length - 1)
  }

  /** Runs every 100 ms while streams are open or an answer is due, else every 10 s. Without a tier it asks the hops; with one {@link TierQuestions} does, at times of its own. */
  #look(): void {
    if (this.#state !== 'ready') return
    const now = this.#init.clock.monotonic()
    const isHeldUp = now - this.#nextLook > HELD_UP_MS
    const { inFlight, streams } = this.#init.load(this)
    if (this.#byCells === undefined) this.#askByUse(now, streams)
    else if (now >= this.#nextIdleLook) this.#nextIdleLook = now + PING_EVERY_MS
    const openMs = this.#byCells?.openSince === undefined ? undefined : (this.#circuit?.rttMs.at(-1) ?? 0)
    const found = this.#silence.look(now, inFlight, this.#unreachable !== undefined, openMs)
    if (found === 'dead') return this.#endSilent()
    if (found === 'suspect') this.#suspectNow()
    this.#lookAt(this.#silence.isDue || streams > 0 ? now + LOOK_MS : this.#nextIdleLook)
    // What came while this thread was held up is not read yet.
    if (isHeldUp) return
    this.#judge(now)
    if (this.#isRelayThere) this.#init.onSilentAtExit?.(this)
  }

  #askByUse(now: number, streams: number): void {
    if (now >= this.#nextIdleLook) this.#ping()
    const isPlacing = this.#silence.isSuspect && now - this.#countedAt >= PLACE_SILENCE_MS
    if (isPlacing || this.#health.isDue(now, this.#circuit?.cells ?? 0)) this.#count()
    if (this.#silence.wantsSign(now, streams)) this.#ask()
  }

  #lookAt(ms: number): void {
    this.#nextLook = ms
    this.#watch.set(ms)
  }

  #count(): void {
    const circuit = this.#circuit
    if (circuit === undefined || this.#state !== 'ready') return
    this.#countedAt = this.#init.clock.monotonic()
    circuit.count()
    this.#health.onAsked(this.#countedAt, circuit.cells)
  }

  /** Tells of hops that got worse or better. */
  #judge(now: number): void {
    for (const [index, { trouble, reason }] of this.#health.status(now).entries()) {
      const was = this.#troubles[index] as Trouble
      const is = trouble === undefined ? 0 : trouble.colour === 'yellow' ? 1 : 2
      if (is === was) continue
      this.#troubles[index] = is
      this.#init.onHop(this, { hop: this.#told(index), was, is, of: trouble?.of, reason })
      if (this.#state !== 'ready') return
    }
  }

  #told(index: number): ToldHop {
    return { node: this.hops[index] as RouteMember, role: roleAt(index, this.hops.length) }
  }

  #suspectNow(): void {
    if (!this.#silence.suspect()) return
    this.#suspectAt = this.#init.clock.monotonic()
    // It may be the way to the entry that is gone: the link finds another, and the leg goes on.
    this.#init.link.check?.()
    this.#init.onSuspect(this)
  }

  #ping(): void {
    this.#pingAll()
    this.#nextIdleLook = this.#init.clock.monotonic() + PING_EVERY_MS
    this.#lookAt(this.#nextIdleLook)
  }

  #pingAll(): void {
    for (const index of this.hops.keys()) this.#circuit?.ping(index)
  }

  #endSilent(): void {
    this.#culprit = this.#unreachable
    this.#end(silentFault(this.hops, this.#unreachable))
  }

  #end(fault: Fault | undefined): void {
    if (this.#state === 'over') return
    this.#state = 'over'
    this.#fault = fault
    this.#watch.clear()
    this.#byCells?.close()
    this.#circuit?.destroy()
    for (const question of this.#questions) question.end()
    this.#init.onEnd(this)
  }

  #stateOr(state: LegState): LegState {
    if (this.#state !== 'ready') return this.#state === 'over' ? 'failed' : 'building'
    return this.#silence.isSuspect ? 'silent' : state
  }

  #tierStatus(): LegTier | undefined {
    const { tier = 'off' } = this.#init
    return tier === 'off' ? undefined : { asked: tier, taken: this.#circuit?.shaping?.taken }
  }

  #hopStatuses(): HopStatus[] {
    return hopStatuses({
      hops: this.hops,
      known: this.#health.status(this.#init.clock.monotonic()),
      rttMs: this.#circuit?.rttMs ?? [],
      suites: this.#circuit?.suites ?? [],
      wasReady: this.#readyAt !== undefined,
      over: this.#state === 'over' ? (this.#fault?.cause ?? 'the leg was ended') : undefined,
      isSuspect: this.#silence.isSuspect,
      unreachable: this.#unreachable,
    })
  }
}
