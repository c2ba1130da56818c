import type { DidKey, SignedEnvelope } from '@weft/crypto'
import { Evidence } from './evidence.ts'
import type { ObserverPlace } from './observer-place.ts'

/**
 * What this node holds of a neighbour: it answers; it is silent towards this node, by its connection or its probes; it
 * is down, because several observers say so.
 */
export type Standing = 'answers' | 'silent' | 'down'

/** One time of asking helpers. */
export interface AskRound {
  readonly nonce: Uint8Array
  readonly asked: number
  /** Helpers that have not replied. */
  readonly open: Set<DidKey>
  /** ms of the monotonic clock. */
  endsAt: number
  /** One of them brought a proof of life. */
  proved: boolean
}

/** One neighbour as the failure detection sees it. Times are ms of the monotonic clock. */
export class WatchedPeer {
  readonly id: DidKey
  /** Undefined while it is in no map. */
  place: ObserverPlace | undefined
  standing: Standing = 'answers'
  connected = false
  /** A probe is under way, not answered and not given up. */
  probing = false
  /** When the last probe left. */
  probedAt = -Infinity
  /** Since when its silence would count: the probe that is under way left, or something of it came after that. */
  countsFrom = 0
  /** Since when it is silent; undefined while it answers in time. */
  silentSince: number | undefined
  answeredAt = -Infinity
  /** When another node last brought a proof that it lives. */
  provedAt = -Infinity
  /** The newest that it told; 0 before. */
  incarnation = 0
  round: AskRound | undefined
  nextRoundAt = 0
  /** No helpers were asked yet in this silence. */
  firstRound = true
  /** This node's own suspicion, and when it was made. */
  accusation: { readonly envelope: SignedEnvelope; readonly incarnation: number; readonly at: number } | undefined
  readonly evidence = new Evidence()

  constructor(id: DidKey, place: ObserverPlace | undefined) {
    this.id = id
    this.place = place
  }
}
