import { type Random, equalBytes } from '@weft/core'
import type { SigningKey } from '@weft/crypto'
import {
  type BeaconInput,
  type BeaconInputs,
  type BeaconLink,
  decodeInputs,
  encodeInputs,
  refuseInputs,
} from './beacon-inputs.ts'
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
  /** Call `advance` when the thread is free: shares that came early wait to be verified, about a millisecond each. */
  | { readonly kind: 'more' }
  /** The beacon of the epoch, 32 bytes. */
  | { readonly kind: 'value'; readonly value: Uint8Array }

/** What this node thinks of a proposal. */
export type BeaconVerdict =
  | { readonly kind: 'right' }
  /** These dealings are missing here, and are taken when they come. */
  | { readonly kind: 'missing'; readonly dealings: readonly BeaconInput[] }
  /** It hangs on the value of a later epoch than the newest that this node has. */
  | { readonly kind: 'behind'; readonly epoch: number }

export interface BeaconRoundInit {
  readonly roster: BeaconRoster
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
  /** By seat: verified shares as they came. */
  readonly #shares = new Map<number, Uint8Array>()
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

  /** The shares that this node has verified, its own among them, for others that lack some. */
  get shares(): readonly Uint8Array[] {
    return [...this.#shares.values()]
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

  /**
   * What this node would have agreed on: all dealings that it has. Undefined while they are no quorum.
   * @param newest the newest value of an epoch before this one that the node has
   */
  proposal(newest: BeaconLink): Uint8Array | undefined {
    const { roster } = this.#init
    const dealings = this.#dealings.list()
    return dealings.length < roster.quorum ? undefined : encodeInputs(roster, newest, dealings)
  }

  /**
   * Judges a proposal; only one that is right may be voted for. One that hangs on an older value than the newest is
   * refused: else whoever proposes could leave out a value that it dislikes.
   * @param newest as for `proposal`
   * @throws WeftError E_BEACON_INPUTS, also for any other inputs than those agreed on
   */
  judge(proposal: Uint8Array, newest: BeaconLink): BeaconVerdict {
    const inputs = decodeInputs(this.#init.roster, proposal)
    if (this.#inputs === undefined) {
      const { epoch, value } = inputs.previous
      if (epoch > newest.epoch) return { kind: 'behind', epoch }
      if (epoch < newest.epoch) throw refuseInputs(`they pass over the value of epoch ${newest.epoch}`)
      if (!equalBytes(value, newest.value)) throw refuseInputs(`the value of epoch ${epoch} is another`)
    } else if (!equalBytes(inputs.name, this.#inputs.name)) {
      throw refuseInputs('others were agreed on')
    }
    const missing = this.#dealings.want(inputs.dealings)
    return missing.length === 0 ? { kind: 'right' } : { kind: 'missing', dealings: missing }
  }

  /** What was agreed on, once a round; more is not looked at. @throws WeftError E_BEACON_INPUTS */
  decide(agreed: Uint8Array): readonly BeaconAction[] {
    if (this.#inputs !== undefined) return []
    const inputs = decodeInputs(this.#init.roster, agreed)
    const missing = this.#dealings.want(inputs.dealings)
    this.#inputs = inputs
    return missing.length > 0 ? [{ kind: 'fetch-dealings', dealings: missing }] : this.#open()
  }

  /**
   * Takes a share. Once the agreed set is whole here its proof says whose it is, whoever hands it on; before that only
   * the seat itself is listened to.
   * @param from the seat whose channel it came over; undefined for all others
   * @throws WeftError E_BEACON_SHARE
   */
  receiveShare(bytes: Uint8Array, from: number | undefined): readonly BeaconAction[] {
    if (this.#value !== undefined) return []
    const share = decodeShare(bytes)
    if (this.#tally !== undefined) {
      if (this.#opened.has(share.seat)) return []
      this.#take(this.#tally, bytes)
      return this.#finish()
    }
    if (share.seat !== from) throw refuseShare(`it is of seat ${share.seat}, and the agreed set is not known here yet`)
    // The newest counts: a node that restarted may have been behind.
    if (from < this.#init.roster.seats.length) this.#early.set(from, bytes.slice())
    return []
  }

  /** Verifies one of the shares that came before the agreed set was whole. What is wrong with it is nobody's matter. */
  advance(): readonly BeaconAction[] {
    const [next] = this.#early
    if (this.#tally === undefined || this.#value !== undefined || next === undefined) return []
    const [seat, bytes] = next
    this.#early.delete(seat)
    try {
      if (!this.#opened.has(seat)) this.#take(this.#tally, bytes)
    } catch {
      // A wrong share that came early is worth as much as none; its seat may send another.
    }
    return this.#finish()
  }

  #take(tally: BeaconTally, bytes: Uint8Array): void {
    const share = decodeShare(bytes)
    this.#opened.set(share.seat, verifyShare(tally, share))
    this.#shares.set(share.seat, bytes.slice())
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
      this.#take(tally, this.#share)
      actions.push({ kind: 'send-share', share: this.#share })
    }
    return [...actions, ...this.#finish()]
  }

  #finish(): readonly BeaconAction[] {
    const { roster } = this.#init
    if (this.#tally === undefined) return []
    if (this.#opened.size < roster.quorum) return this.#early.size > 0 ? [{ kind: 'more' }] : []
    this.#early.clear()
    this.#value = beaconValue(this.#tally, this.#opened)
    return [{ kind: 'value', value: this.#value }]
  }
}
