import { type Random, equalBytes } from '@weft/core'
import type { SigningKey } from '@weft/crypto'
import { type BeaconInput, type BeaconInputs, decodeInputs, encodeInputs, refuseInputs } from './beacon-inputs.ts'
import type { BeaconKeyPair } from './beacon-key.ts'
import type { BeaconRoster } from './beacon-roster.ts'
import { decodeShare, encodeShare, refuseShare } from './beacon-share.ts'
import { type BeaconTally, tallyOf } from './beacon-tally.ts'
import { beaconValue } from './beacon-value.ts'
import { deal } from './deal.ts'
import { DealingStore } from './dealing-store.ts'
import type { SignedDealing } from './dealing.ts'
import type { Element } from './group.ts'
import { openShare, verifyShare } from './open-share.ts'

/** What the node is to do; the round itself sends nothing and waits for nothing. */
export type BeaconAction =
  /** To all seats. */
  | { readonly kind: 'send-dealing'; readonly dealing: SignedDealing }
  /** From any seat: the agreed set has them, and this node does not. */
  | { readonly kind: 'fetch-dealings'; readonly dealings: readonly BeaconInput[] }
  /** To all seats, and to whoever asks later. */
  | { readonly kind: 'send-share'; readonly share: Uint8Array }
  /** The beacon of the epoch, 32 bytes. */
  | { readonly kind: 'value'; readonly value: Uint8Array }

export interface BeaconRoundInit {
  readonly roster: BeaconRoster
  /** The newest value before this epoch, 32 bytes. */
  readonly previous: Uint8Array
  /** Undefined for a node that has no seat and only follows. */
  readonly own: { readonly seat: number; readonly nodeKey: SigningKey; readonly beaconKey: BeaconKeyPair } | undefined
  /** `systemRandom`, but in simulations. */
  readonly random: Random
}

/**
 * The beacon of one epoch (docs/specs/beacon.md, Course): dealings, agreement on a set of them by somebody else, shares,
 * value. Memory is bounded by the roster: two dealings and one share a seat.
 */
export class BeaconRound {
  readonly #init: BeaconRoundInit
  readonly #dealings: DealingStore
  #inputs: BeaconInputs | undefined
  #tally: BeaconTally | undefined
  #share: Uint8Array | undefined
  #value: Uint8Array | undefined
  /** By seat: shares that came before the agreed set was whole here. */
  readonly #early = new Map<number, Uint8Array>()
  /** By seat: what verified shares opened. */
  readonly #opened = new Map<number, Element>()

  constructor(init: BeaconRoundInit) {
    this.#init = init
    this.#dealings = new DealingStore(init.roster)
  }

  /** The own share, once the agreed set is known and whole. */
  get share(): Uint8Array | undefined {
    return this.#share
  }

  get value(): Uint8Array | undefined {
    return this.#value
  }

  /** Deals, once a round. A node that restarts may deal again: agreement takes at most one of its dealings. */
  start(): readonly BeaconAction[] {
    const { roster, own, random } = this.#init
    if (own === undefined) return []
    const dealing = deal(roster, own.seat, own.nodeKey, random)
    this.#dealings.add(dealing)
    return [{ kind: 'send-dealing', dealing }]
  }

  /** @throws WeftError E_BEACON_DEALING */
  receiveDealing(signed: SignedDealing): readonly BeaconAction[] {
    this.#dealings.add(signed)
    return this.#open()
  }

  /** A dealing that this node has verified, for others that lack it. */
  dealing(name: Uint8Array): SignedDealing | undefined {
    return this.#dealings.get(name)?.signed
  }

  /** What this node would have agreed on: all dealings that it has. Undefined while they are no quorum. */
  proposal(): Uint8Array | undefined {
    const { roster } = this.#init
    const dealings = this.#dealings.list()
    return dealings.length < roster.quorum ? undefined : encodeInputs(roster, dealings)
  }

  /**
   * Judges a proposal: it may be voted for when nothing is returned. What is returned is missing here, and is taken when
   * it comes. @throws WeftError E_BEACON_INPUTS, also for any other set than the one agreed on
   */
  judge(proposal: Uint8Array): readonly BeaconInput[] {
    const inputs = decodeInputs(this.#init.roster, proposal)
    if (this.#inputs === undefined) return this.#dealings.want(inputs.dealings)
    if (!equalBytes(inputs.name, this.#inputs.name)) throw refuseInputs('another set was agreed on')
    return this.#inputs.dealings.filter(({ dealing }) => this.#dealings.get(dealing) === undefined)
  }

  /** What was agreed on, once a round; more is not looked at. @throws WeftError E_BEACON_INPUTS */
  decide(agreed: Uint8Array): readonly BeaconAction[] {
    if (this.#inputs !== undefined) return []
    const inputs = decodeInputs(this.#init.roster, agreed)
    const missing = this.#dealings.want(inputs.dealings)
    this.#inputs = inputs
    return missing.length > 0 ? [{ kind: 'fetch-dealings', dealings: missing }] : this.#open()
  }

  /** @param from the seat whose channel it came over @throws WeftError E_BEACON_SHARE */
  receiveShare(bytes: Uint8Array, from: number): readonly BeaconAction[] {
    if (this.#value !== undefined || this.#opened.has(from)) return []
    const share = decodeShare(bytes)
    if (share.seat !== from) throw refuseShare(`seat ${from} sent a share of seat ${share.seat}`)
    if (this.#tally === undefined) {
      // The newest counts: a node that restarted may have been behind.
      if (from < this.#init.roster.seats.length) this.#early.set(from, bytes.slice())
      return []
    }
    this.#opened.set(from, verifyShare(this.#tally, share))
    return this.#finish()
  }

  /** Opens the own share as soon as the agreed set is whole. */
  #open(): readonly BeaconAction[] {
    const { roster, own, random } = this.#init
    if (this.#inputs === undefined || this.#tally !== undefined) return []
    const dealings = this.#inputs.dealings.map(({ dealing }) => this.#dealings.get(dealing)?.dealing)
    if (!dealings.every((dealing) => dealing !== undefined)) return []
    const tally = tallyOf(roster, this.#inputs, dealings)
    this.#tally = tally
    const actions: BeaconAction[] = []
    if (own !== undefined) {
      const share = openShare(tally, own.seat, own.beaconKey, random)
      this.#share = encodeShare(share)
      this.#opened.set(own.seat, verifyShare(tally, share))
      actions.push({ kind: 'send-share', share: this.#share })
    }
    for (const [seat, bytes] of this.#early) {
      if (this.#opened.size >= roster.quorum) break
      try {
        this.#opened.set(seat, verifyShare(tally, decodeShare(bytes)))
      } catch {
        // A wrong share that came early is worth as much as none; its sender is known by its channel and may send again.
      }
    }
    this.#early.clear()
    return [...actions, ...this.#finish()]
  }

  #finish(): readonly BeaconAction[] {
    const { roster, previous } = this.#init
    if (this.#tally === undefined || this.#opened.size < roster.quorum) return []
    this.#value = beaconValue(this.#tally, previous, this.#opened)
    return [{ kind: 'value', value: this.#value }]
  }
}
