import { type Clock, type Random, shuffled } from '@weft/core'
import type { DidKey, SignedEnvelope } from '@weft/crypto'
import type { Testimony } from './evidence.ts'
import { GossipQueue, type Statements } from './gossip-queue.ts'
import type { HelperReply, LivenessAction, ProbeAnswer } from './liveness-action.ts'
import {
  ALONE_CYCLE_MS,
  CYCLE_MS,
  FANOUT,
  FRESH_ANSWER_MS,
  GOSSIP_INTERVAL_MS,
  MANY_OBSERVERS,
  MAX_STATEMENTS,
  PROBE_INTERVAL_MS,
  PROBE_TIMEOUT_MS,
  PROMPT_INTERVAL_MS,
  SPARSE_CYCLE_MS,
  STALL_MS,
  TICK_MS,
} from './liveness-limits.ts'
import { LocalHealth } from './local-health.ts'
import { type MayWatch, Neighbourhood } from './neighbourhood.ts'
import type { ObserverPlace } from './observer-place.ts'
import { OwnLife } from './own-life.ts'
import { ProbeOrder } from './probe-order.ts'
import { SilenceJudge } from './silence-judge.ts'
import { type Heard, StatementIntake, type StatementInterest } from './statement-intake.ts'
import type { StatementSignatures } from './statement-signatures.ts'
import type { WatchMode } from './watch-mode.ts'
import type { Standing, WatchedPeer } from './watched-peer.ts'

export interface LivenessInit {
  readonly network: string
  readonly self: DidKey
  readonly signatures: StatementSignatures
  readonly clock: Clock
  readonly random: Random
  /** Where a member stands; undefined for a node that is none. */
  readonly placeOf: (id: DidKey) => ObserverPlace | undefined
}

/**
 * Failure detection among neighbours: SWIM (Das, Gupta, Motivala 2002) with Lifeguard's corrections (Dadgar, Phillips,
 * Currey 2017, arXiv:1707.00788), changed so that members that lie can neither have a neighbour that answers called
 * down nor one that is down called alive (docs/specs/liveness.md). It does no I/O: each call hands out what is to be
 * done, and `nextTickAt` says when `tick` wants to be called.
 */
export class Liveness implements StatementInterest {
  readonly #init: LivenessInit
  readonly #around: Neighbourhood
  readonly #order: ProbeOrder
  readonly #health = new LocalHealth()
  readonly #life: OwnLife
  readonly #intake: StatementIntake
  readonly #gossip: GossipQueue
  readonly #judge: SilenceJudge
  /** Neighbours that others suspect and that this node has not looked at since. */
  readonly #prompted = new Set<DidKey>()
  #nextProbeAt = 0
  #nextPromptAt = 0
  #nextGossipAt = 0
  #expected: number | undefined

  constructor(init: LivenessInit) {
    this.#init = init
    this.#order = new ProbeOrder(init.random)
    this.#life = new OwnLife(init.network, init.signatures, init.clock)
    this.#intake = new StatementIntake(init)
    this.#around = new Neighbourhood(init.self, init.placeOf)
    this.#gossip = new GossipQueue((subject) => this.#around.audience(subject))
    this.#judge = new SilenceJudge(init, this.#around, this.#health, this.#gossip)
    this.#nextProbeAt = init.clock.monotonic()
  }

  /** Neighbours that are down as several observers of distinct families and networks see it. */
  get down(): ReadonlySet<DidKey> {
    return this.#around.down
  }

  get incarnation(): number {
    return this.#life.incarnation
  }

  /** Local health, 0 (well) to 8. */
  get health(): number {
    return this.#health.score
  }

  standing(id: DidKey): Standing | undefined {
    return this.#around.get(id)?.standing
  }

  /**
   * Sets whom to watch; the others are forgotten.
   * @param mayWatch whether a neighbour may watch another node, as far as this one can tell: who does not is not told of it
   */
  watch(ids: ReadonlySet<DidKey>, mode: WatchMode, mayWatch?: MayWatch): void {
    for (const id of this.#around.watch(ids, mode, mayWatch)) {
      this.#prompted.delete(id)
      this.#gossip.forget(id)
    }
    this.#order.set(ids)
  }

  /** A connection to the neighbour was secured: its key was used just now. */
  connected(id: DidKey): LivenessAction[] {
    const peer = this.#around.get(id)
    if (peer === undefined) return []
    peer.connected = true
    // A probe that is under way may be on a connection that is gone.
    peer.probing = false
    this.#hears(peer)
    return this.take()
  }

  /** There is no connection to the neighbour, and none could be made. */
  lost(id: DidKey): LivenessAction[] {
    const peer = this.#around.get(id)
    if (peer === undefined) return []
    peer.connected = false
    peer.probing = false
    const now = this.#now
    // What was held of it up to now falls with the connection; the keeper has said at once that it is gone.
    if (peer.standing === 'answers') peer.standing = 'silent'
    this.#judge.doubt(peer, now)
    this.#look(peer, now)
    return this.take()
  }

  /** A probe was answered. `answer` is undefined where the other side said no more than that it is there. */
  answered(id: DidKey, answer: ProbeAnswer | undefined): LivenessAction[] {
    const peer = this.#around.get(id)
    if (peer === undefined) return []
    if (peer.silentSince === undefined) this.#health.better()
    peer.probing = false
    this.#hears(peer)
    if (answer !== undefined) {
      peer.incarnation = Math.max(peer.incarnation, this.#intake.told(answer.incarnation))
      this.#believe(this.#intake.read(id, answer.statements, this))
    }
    return this.take()
  }

  /** A probe ended without an answer. */
  failed(id: DidKey): LivenessAction[] {
    const peer = this.#around.get(id)
    if (peer?.probing !== true) return []
    peer.probing = false
    this.#judge.doubt(peer, peer.countsFrom)
    return this.take()
  }

  /** A neighbour probes this node. What follows from it is handed out by `take`. @throws WeftError E_LIVENESS_MALFORMED */
  probed(from: DidKey, statements: Statements, nonce: Uint8Array): ProbeAnswer & { proof: SignedEnvelope | undefined } {
    const heard = this.#intake.read(from, statements, this)
    const peer = this.#around.get(from)
    if (peer !== undefined) this.#hears(peer)
    this.#believe(heard)
    const proof = nonce.length === 0 ? undefined : this.#life.prove(nonce)
    return { incarnation: this.#life.incarnation, statements: this.#statementsFor(from), proof }
  }

  /** A helper has replied, or was given up (`undefined`). */
  replied(helper: DidKey, target: DidKey, nonce: Uint8Array, reply: HelperReply | undefined): LivenessAction[] {
    const peer = this.#around.get(target)
    if (peer === undefined) return []
    const round = peer.round?.nonce === nonce ? peer.round : undefined
    if (reply?.alive !== undefined) {
      const incarnation = this.#intake.proof(helper, target, nonce, reply.alive)
      if (incarnation !== undefined) {
        if (round !== undefined) round.proved = true
        this.#isProved(peer, incarnation)
      }
    } else if (reply?.silent !== undefined) {
      const testimony = this.#intake.testimony(helper, target, reply.silent)
      if (testimony !== undefined && this.wantsSuspicion(target, testimony)) this.#testify(peer, testimony)
    }
    if (reply !== undefined) round?.open.delete(helper)
    this.#look(peer, this.#now)
    return this.take()
  }

  /** This node is asked to look at another: where it is a neighbour, this node's own silence counts from now on. */
  asked(target: DidKey): void {
    const peer = this.#around.get(target)
    if (peer?.silentSince === undefined && peer?.probing === false) this.#prompted.add(target)
  }

  /** This node's suspicion of a node that it looked at for another and that was silent. */
  suspicionOf(target: DidKey, incarnation: number): SignedEnvelope {
    const peer = this.#around.get(target)
    return this.#judge.suspicion(target, Math.max(peer?.incarnation ?? 0, this.#intake.told(incarnation)), peer)
  }

  /** When `tick` wants to be called next, ms of the monotonic clock; remembered, to see how late it then is. */
  nextTickAt(): number {
    let due = this.#nextProbeAt
    if (this.#prompted.size > 0) due = Math.min(due, this.#nextPromptAt)
    if (this.#gossip.size > 0 && this.#around.mode !== 'alone') due = Math.min(due, this.#nextGossipAt)
    const now = this.#now
    for (const peer of this.#around.peers()) {
      if (peer.silentSince !== undefined) due = Math.min(due, now + (isSettled(peer) ? PROBE_TIMEOUT_MS : TICK_MS))
      else if (peer.probing) due = Math.min(due, peer.countsFrom + this.#health.scale(PROBE_TIMEOUT_MS))
    }
    // What is overdue already stays so: a message that is read before a late timer must not hide how late that is.
    if (this.#expected === undefined || this.#expected > now) this.#expected = Math.max(due, now)
    return due
  }

  /** Does what time asks for. */
  tick(): LivenessAction[] {
    const now = this.#now
    if (this.#expected !== undefined && now - this.#expected > STALL_MS) this.#stood(now - this.#expected)
    this.#expected = undefined
    for (const peer of this.#around.peers()) this.#look(peer, now)
    if (now >= this.#nextPromptAt) this.#probePrompted(now)
    if (now >= this.#nextProbeAt) {
      this.#nextProbeAt = now + this.#health.scale(this.#interval())
      const peer = this.#nextToProbe(now)
      if (peer !== undefined) this.#probe(peer, now)
    }
    if (now >= this.#nextGossipAt && this.#gossip.size > 0) this.#spread(now)
    return this.take()
  }

  /** What is to be done since the last call that handed it out. */
  take(): LivenessAction[] {
    return this.#around.take()
  }

  wantsAlive(id: DidKey, incarnation: number): boolean {
    const peer = this.#around.get(id)
    return peer !== undefined && incarnation > peer.incarnation
  }

  wantsSuspicion(accused: DidKey, testimony: Testimony): boolean {
    const peer = this.#around.get(accused)
    if (peer === undefined || testimony.suspicion.incarnation < peer.incarnation) return false
    if (peer.standing === 'answers' && this.#now - peer.answeredAt < FRESH_ANSWER_MS) return false
    // Further observers change nothing, and are not passed on: their signatures need not be verified.
    if (this.#around.observers(peer) >= MANY_OBSERVERS && !peer.evidence.has(testimony.observer)) return false
    return peer.evidence.wants(testimony)
  }

  wantsAccusation(incarnation: number): boolean {
    return this.#life.mustRefute(incarnation)
  }

  get #now(): number {
    return this.#init.clock.monotonic()
  }

  #interval(): number {
    const count = Math.max(1, this.#around.size)
    if (this.#around.mode === 'mesh') return Math.max(PROBE_INTERVAL_MS, CYCLE_MS / count)
    return (this.#around.mode === 'alone' ? ALONE_CYCLE_MS : SPARSE_CYCLE_MS) / count
  }

  #nextToProbe(now: number): WatchedPeer | undefined {
    if (this.#around.mode === 'sparse') return this.#around.unheardFor(SPARSE_CYCLE_MS, now)
    const id = this.#order.next((one) => this.#mayProbe(one))
    return id === undefined ? undefined : this.#around.get(id)
  }

  #mayProbe(id: DidKey): boolean {
    const peer = this.#around.get(id)
    return peer?.connected === true && !peer.probing
  }

  #probe(peer: WatchedPeer, now: number): void {
    peer.probing = true
    peer.probedAt = now
    peer.countsFrom = now
    this.#prompted.delete(peer.id)
    this.#around.act({ kind: 'probe', to: peer.id, statements: this.#statementsFor(peer.id) })
  }

  /** What others say against the receiver first, so that it can refute it (Lifeguard's buddy system), then gossip. */
  #statementsFor(to: DidKey): Statements {
    if (this.#around.mode === 'alone') return { alive: [], suspicions: [] }
    const peer = this.#around.get(to)
    const against: SignedEnvelope[] = []
    if (peer?.accusation !== undefined) against.push(peer.accusation.envelope)
    if (peer !== undefined && peer.evidence.size > 0) against.push(...peer.evidence.envelopes())
    against.length = Math.min(against.length, MAX_STATEMENTS / 2)
    const { alive, suspicions } = this.#gossip.take(to, MAX_STATEMENTS - against.length)
    return { alive, suspicions: [...against, ...suspicions] }
  }

  #believe(heard: readonly Heard[]): void {
    for (const one of heard) {
      if (one.kind === 'accusation') this.#refute(one.incarnation)
      else if (one.kind === 'alive') this.#isRefuted(one.id, one.incarnation, one.envelope)
      else {
        const peer = this.#around.get(one.accused)
        // An earlier statement of the same message may have changed what is wanted.
        if (peer !== undefined && this.wantsSuspicion(one.accused, one.testimony)) this.#testify(peer, one.testimony)
      }
    }
  }

  #refute(incarnation: number): void {
    if (!this.#life.mustRefute(incarnation)) return
    // Not held against this node's own health, as Lifeguard does: anybody could make it deaf by accusing it.
    this.#gossip.putAlive(this.#init.self, this.#life.refute(incarnation))
    this.#nextGossipAt = this.#now
  }

  #isRefuted(id: DidKey, incarnation: number, envelope: SignedEnvelope): void {
    const peer = this.#around.get(id)
    if (peer === undefined || incarnation <= peer.incarnation) return
    peer.incarnation = incarnation
    peer.evidence.refute(incarnation)
    peer.accusation = undefined
    this.#gossip.putAlive(id, envelope)
    if (peer.standing === 'down') this.#around.stand(peer, 'silent', this.#now)
  }

  #testify(peer: WatchedPeer, testimony: Testimony): void {
    peer.evidence.add(testimony)
    // Enough is enough: further statements would only cost.
    if (this.#around.observers(peer) <= MANY_OBSERVERS) {
      this.#gossip.putSuspicion(peer.id, testimony.observer, testimony.envelope)
    }
    if (peer.silentSince === undefined && peer.connected && !peer.probing) this.#prompted.add(peer.id)
  }

  /** The neighbour itself was heard: whatever is said against it is over. */
  #hears(peer: WatchedPeer): void {
    const now = this.#now
    peer.answeredAt = now
    peer.countsFrom = now
    peer.silentSince = undefined
    this.#acquit(peer)
    peer.round = undefined
    if (peer.standing !== 'answers') this.#around.stand(peer, 'answers', now)
  }

  #isProved(peer: WatchedPeer, incarnation: number): void {
    peer.provedAt = this.#now
    peer.incarnation = Math.max(peer.incarnation, incarnation)
    this.#acquit(peer)
    if (peer.standing === 'down') this.#around.stand(peer, 'silent', this.#now)
  }

  #acquit(peer: WatchedPeer): void {
    this.#prompted.delete(peer.id)
    if (peer.accusation === undefined && peer.evidence.size === 0) return
    peer.accusation = undefined
    peer.evidence.clear()
    this.#gossip.forget(peer.id)
  }

  /** What is to be done about one neighbour now. */
  #look(peer: WatchedPeer, now: number): void {
    if (peer.silentSince === undefined) {
      if (!peer.probing || now < peer.countsFrom + this.#health.scale(PROBE_TIMEOUT_MS)) return
      this.#judge.doubt(peer, peer.countsFrom)
    }
    if (peer.connected && !peer.probing && now - peer.probedAt >= PROBE_TIMEOUT_MS) this.#probe(peer, now)
    this.#judge.look(peer, now)
  }

  #probePrompted(now: number): void {
    for (const id of this.#prompted) {
      this.#prompted.delete(id)
      const peer = this.#around.get(id)
      if (peer === undefined || !this.#mayProbe(id)) continue
      this.#nextPromptAt = now + PROMPT_INTERVAL_MS
      this.#probe(peer, now)
      return
    }
  }

  /** Sends gossip to some neighbours; each such message is a probe as well. */
  #spread(now: number): void {
    this.#nextGossipAt = now + GOSSIP_INTERVAL_MS
    if (this.#around.mode === 'alone') return
    const able = this.#around.filter(
      ({ id, silentSince }) => silentSince === undefined && this.#mayProbe(id) && this.#gossip.hasFor(id),
    )
    for (const peer of shuffled(this.#init.random, able).slice(0, FANOUT)) {
      if (this.#gossip.hasFor(peer.id)) this.#probe(peer, now)
    }
  }

  /** This node stood still for so long: nobody else's silence is to be seen in that. */
  #stood(ms: number): void {
    const now = this.#now
    this.#health.worse()
    for (const peer of this.#around.peers()) {
      peer.countsFrom = Math.min(now, peer.countsFrom + ms)
      if (peer.silentSince !== undefined) peer.silentSince = Math.min(now, peer.silentSince + ms)
      if (peer.round !== undefined) peer.round.endsAt += ms
    }
  }
}

/** Nothing is to be decided about it soon. */
function isSettled({ standing, round }: WatchedPeer): boolean {
  return standing !== 'answers' && round === undefined
}
