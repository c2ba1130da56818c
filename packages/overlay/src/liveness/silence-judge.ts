import { type Clock, type Random, randomInt, shuffled } from '@weft/core'
import { type DidKey, type SignedEnvelope, fromDidKey } from '@weft/crypto'
import type { GossipQueue } from './gossip-queue.ts'
import {
  ALONE_SILENCE_MS,
  ASK_PAUSE_ALONE_MS,
  ASK_PAUSE_MS,
  ASK_SPREAD_EACH_MS,
  ASK_SPREAD_MS,
  ASK_TIMEOUT_MS,
  HELPERS,
  LINK_SILENCE_MS,
  MANY_OBSERVERS,
  NONCE_LENGTH,
  RENEW_MS,
} from './liveness-limits.ts'
import type { LocalHealth } from './local-health.ts'
import type { Neighbourhood } from './neighbourhood.ts'
import type { StatementSignatures } from './statement-signatures.ts'
import { encodeSuspicion } from './suspicion.ts'
import { suspicionTimeout } from './suspicion-timeout.ts'
import type { WatchedPeer } from './watched-peer.ts'

export interface SilenceJudgeInit {
  readonly network: string
  readonly self: DidKey
  readonly signatures: StatementSignatures
  readonly clock: Clock
  readonly random: Random
}

/**
 * What is done about a neighbour that does not answer: helpers are asked whether it answers them, this node says in
 * public that it is silent, and it is held to be down when long enough nobody heard it and several observers say so.
 */
export class SilenceJudge {
  readonly #init: SilenceJudgeInit
  readonly #around: Neighbourhood
  readonly #health: LocalHealth
  readonly #gossip: GossipQueue

  constructor(init: SilenceJudgeInit, around: Neighbourhood, health: LocalHealth, gossip: GossipQueue) {
    this.#init = init
    this.#around = around
    this.#health = health
    this.#gossip = gossip
  }

  /** Begins to doubt a neighbour that has been silent since then. */
  doubt(peer: WatchedPeer, since: number): void {
    if (peer.silentSince !== undefined) return
    peer.silentSince = since
    peer.firstRound = true
    peer.round = undefined
    // Not all at once: whoever comes later may have heard enough by then, and has nobody to ask.
    const spread = Math.min(ASK_SPREAD_MS, ASK_SPREAD_EACH_MS * this.#around.size)
    peer.nextRoundAt = since + randomInt(this.#init.random, spread + 1)
  }

  /** What time asks for about a neighbour that is silent. */
  look(peer: WatchedPeer, now: number): void {
    if (peer.silentSince === undefined) return
    if (this.#around.mode === 'alone') {
      if (peer.firstRound) this.#health.worse()
      peer.firstRound = false
    } else if (peer.round !== undefined) {
      if (peer.round.open.size === 0 || now >= peer.round.endsAt) this.#endRound(peer, now)
    } else if (peer.standing !== 'down' && now >= peer.nextRoundAt) this.#startRound(peer, now)
    this.#judge(peer, peer.silentSince, now)
  }

  /** This node's own suspicion: that of a neighbour which it has made lately, or one signed now. */
  suspicion(accused: DidKey, incarnation: number, peer: WatchedPeer | undefined): SignedEnvelope {
    const made = peer?.accusation
    const now = this.#init.clock.monotonic()
    if (made?.incarnation === incarnation && now - made.at < RENEW_MS) return made.envelope
    const { network, signatures, clock } = this.#init
    const suspicion = { network, accused: fromDidKey(accused), incarnation, at: Math.floor(clock.now()) }
    return signatures.sign('suspicion', encodeSuspicion(suspicion))
  }

  #startRound(peer: WatchedPeer, now: number): void {
    const helpers = this.#around.observers(peer) >= MANY_OBSERVERS ? [] : this.#helpersFor(peer)
    const nonce = this.#init.random.bytes(NONCE_LENGTH)
    peer.round = {
      nonce,
      asked: helpers.length,
      open: new Set(helpers),
      endsAt: now + this.#health.scale(ASK_TIMEOUT_MS),
      proved: false,
    }
    for (const helper of helpers) {
      this.#around.act({ kind: 'ask', helper, target: peer.id, nonce, incarnation: peer.incarnation })
    }
    if (helpers.length === 0) this.#endRound(peer, now)
  }

  /** Some that answer this node, in places of which nobody has testified. */
  #helpersFor(peer: WatchedPeer): DidKey[] {
    const able = this.#around.filter(
      ({ id, connected, silentSince, place }) =>
        id !== peer.id && connected && silentSince === undefined && place !== undefined && !peer.evidence.covers(place),
    )
    const ids = able.map(({ id }) => id)
    return shuffled(this.#init.random, ids).slice(0, HELPERS)
  }

  #endRound(peer: WatchedPeer, now: number): void {
    const { round, silentSince = now } = peer
    if (round === undefined) return
    peer.round = undefined
    // Helpers that do not reply, or none where others have not said it either: it may be this node that does not hear.
    const alone = round.asked === 0 && this.#around.observers(peer) < MANY_OBSERVERS
    if (peer.firstRound) this.#health.worse(alone ? 1 : round.open.size)
    peer.firstRound = false
    const lasting = now - silentSince >= LINK_SILENCE_MS
    peer.nextRoundAt = now + (round.proved || lasting ? ASK_PAUSE_ALONE_MS : ASK_PAUSE_MS)
    if (!round.proved) this.#accuse(peer, now)
  }

  #accuse(peer: WatchedPeer, now: number): void {
    const { accusation, incarnation } = peer
    const envelope = this.suspicion(peer.id, incarnation, peer)
    if (envelope === accusation?.envelope) return
    peer.accusation = { envelope, incarnation, at: now }
    if (this.#around.observers(peer) >= MANY_OBSERVERS) return
    this.#gossip.putSuspicion(peer.id, this.#init.self, envelope)
  }

  #judge(peer: WatchedPeer, silentSince: number, now: number): void {
    if (peer.standing === 'down') return
    peer.evidence.expire(this.#init.clock.now())
    const unheardMs = now - Math.max(silentSince, peer.provedAt)
    const others = this.#around.observers(peer)
    // What needs a look at all neighbours comes last: this is asked ten times a second.
    if (unheardMs >= suspicionTimeout(others) && others >= this.#around.needed(peer)) {
      this.#around.stand(peer, 'down', now)
      return
    }
    const lost = unheardMs >= ALONE_SILENCE_MS || now - silentSince >= LINK_SILENCE_MS
    if (lost && peer.standing === 'answers') this.#around.stand(peer, 'silent', now)
  }
}
