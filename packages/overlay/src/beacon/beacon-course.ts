import { type Random, equalBytes, isWeftError } from '@weft/core'
import { type DidKey, type SigningKey, fromDidKey, sha256 } from '@weft/crypto'
import type { MapBody } from '../map/map-body.ts'
import type { Member } from '../member.ts'
import type { Network } from '../network/network.ts'
import type { BeaconKeyPair } from './beacon-key.ts'
import { type BeaconAction, BeaconRound } from './beacon-round.ts'
import { decodeShare } from './beacon-share.ts'
import { genesisBeacon } from './beacon-value.ts'
import type { Beacon } from './beacon.ts'
import type { SignedDealing } from './dealing.ts'
import { rosterOfMap } from './roster-of-map.ts'
import type { BeaconRoster } from './beacon-roster.ts'
import { MAX_SEATS } from '../network/quorum.ts'

/** The newest map that a validator holds. */
export interface CourseMap extends Pick<MapBody, 'epoch' | 'beacon' | 'inputs'> {
  readonly member: (id: DidKey) => Pick<Member, 'roles' | 'beaconKey'> | undefined
}

/** What the validator is to do. */
export type CourseAction =
  /** To all others. */
  | { readonly kind: 'deal'; readonly epoch: number; readonly dealing: SignedDealing }
  /** To all others. */
  | { readonly kind: 'share'; readonly epoch: number; readonly share: Uint8Array }
  /** All others are asked at once for what `wants` says. */
  | { readonly kind: 'pull' }
  /** Call `advance` when the thread is free. */
  | { readonly kind: 'more'; readonly epoch: number }
  /** A beacon that was made here: what was judged before may be judged again. */
  | { readonly kind: 'value'; readonly beacon: Beacon }

/** What this validator lacks of the beacon of an epoch. */
export interface CourseWant {
  readonly epoch: number
  readonly inputs: boolean
  /** Names. */
  readonly dealings: readonly Uint8Array[]
  readonly shares: boolean
  /** Seats whose shares it has. */
  readonly seats: ReadonlySet<number>
}

/** What another has of it. */
export interface CourseAnswer {
  /** Undefined while none were agreed on. */
  readonly inputs: Uint8Array | undefined
  readonly dealings: readonly SignedDealing[]
  readonly shares: readonly Uint8Array[]
}

export interface BeaconCourseInit {
  readonly network: Network
  readonly key: SigningKey
  readonly beaconKey: BeaconKeyPair
  /** `systemRandom`, but in simulations. */
  readonly random: Random
  /** The newest that it made before a restart. */
  readonly made?: Beacon | undefined
}

/** The beacon of one epoch. */
interface Turn {
  readonly epoch: number
  readonly roster: BeaconRoster
  readonly round: BeaconRound
  /** Names of dealings that a proposal or the agreed inputs name and that are not here. */
  lacking: readonly Uint8Array[]
  /** What was agreed on. */
  agreed: Agreed | undefined
}

interface Agreed {
  readonly epoch: number
  readonly inputs: Uint8Array
  /** Epoch of the beacon that it hangs on. */
  readonly previous: number
}

/** No beacon is made in an epoch. */
const NO_INPUTS = new Uint8Array(0)

/**
 * The beacons of one validator, epoch by epoch (docs/specs/beacon.md, Course): it deals for the next epoch as soon as it
 * holds the map of this one, proposes and judges what goes along with the map, opens its share of what was agreed on, and
 * makes the value, which the next map carries. No clock, network or disk: messages and times go in, `take` gives what is
 * to be done. Memory: three rounds and one early dealing a validator.
 */
export class BeaconCourse {
  readonly #init: BeaconCourseInit
  readonly #turns = new Map<number, Turn>()
  /** By validator: the dealing of an epoch whose roster is not known here yet. */
  readonly #early = new Map<DidKey, { readonly epoch: number; readonly dealing: SignedDealing }>()
  #held: CourseMap | undefined
  #agreed: Agreed | undefined
  /** The newest beacon that was made here, and when, ms since the Unix epoch. */
  #made: { readonly beacon: Beacon; readonly at: number } | undefined
  #proposal: { readonly epoch: number; readonly beacon: Beacon | undefined; readonly inputs: Uint8Array } | undefined
  readonly #actions: CourseAction[] = []

  /** @param now ms since the Unix epoch, here and below */
  constructor(init: BeaconCourseInit, now: number) {
    this.#init = init
    if (init.made !== undefined) this.#made = { beacon: init.made, at: now }
  }

  /** What is to be done since it was asked last. */
  take(): readonly CourseAction[] {
    return this.#actions.splice(0)
  }

  /** A map came: the beacon of the epoch behind it begins. */
  hold(map: CourseMap, now: number): void {
    if (map.epoch <= (this.#held?.epoch ?? -1)) return
    this.#held = map
    for (const epoch of this.#turns.keys()) if (epoch < map.epoch - 1) this.#turns.delete(epoch)
    this.#open(map, now)
    if (this.wants().length > 0) this.#actions.push({ kind: 'pull' })
  }

  /** @throws WeftError E_BEACON_DEALING */
  receiveDealing(epoch: number, dealing: SignedDealing, from: DidKey, now: number): void {
    const turn = this.#turns.get(epoch)
    if (turn !== undefined) this.#addDealing(turn, dealing, now)
    else if (epoch > (this.#held?.epoch ?? -1)) this.#early.set(from, { epoch, dealing })
  }

  /** @throws WeftError E_BEACON_SHARE */
  receiveShare(epoch: number, share: Uint8Array, from: DidKey, now: number): void {
    const turn = this.#turns.get(epoch)
    if (turn !== undefined) this.#perform(turn, turn.round.receiveShare(share, seatOf(turn.roster, from)), now)
  }

  /** Verifies one of the shares that came early. */
  advance(epoch: number, now: number): void {
    const turn = this.#turns.get(epoch)
    if (turn !== undefined) this.#perform(turn, turn.round.advance(), now)
  }

  /** The beacon that the own map of an epoch carries, and the inputs that go along with it. The same whenever it is asked. */
  proposal(epoch: number): { readonly beacon: Beacon | undefined; readonly inputs: Uint8Array } {
    if (this.#proposal?.epoch !== epoch) {
      const made = this.#madeFor(epoch)?.beacon
      const beacon = made ?? this.#held?.beacon
      const inputs = this.#turns.get(epoch)?.round.proposal(beacon ?? this.#genesis()) ?? NO_INPUTS
      this.#proposal = { epoch, beacon, inputs }
    }
    return this.#proposal
  }

  /**
   * Whether a map may carry this beacon and go along with these inputs; undefined while that cannot be told.
   * @param since a beacon that this validator has had since then must not be passed over; others may have got it later
   */
  judge(
    epoch: number,
    inputs: Uint8Array,
    body: Pick<MapBody, 'beacon' | 'inputs'>,
    since: number,
  ): boolean | undefined {
    const beacon = this.#judgeBeacon(epoch, body.beacon, since)
    if (beacon === false) return false
    const own = this.#judgeInputs(epoch, inputs, body)
    if (own === false) return false
    return beacon === undefined || own === undefined ? undefined : true
  }

  /** What the validators agreed on. */
  decided(epoch: number, inputs: Uint8Array, body: Pick<MapBody, 'beacon'>, now: number): void {
    if (inputs.length === 0) return
    this.#agreed = { epoch, inputs, previous: body.beacon?.epoch ?? -1 }
    const turn = this.#turns.get(epoch)
    if (turn !== undefined) this.#decide(turn, this.#agreed, now)
  }

  wants(): readonly CourseWant[] {
    return [...this.#turns.values()].flatMap((turn) => {
      const { epoch, round, agreed, lacking } = turn
      const inputs = agreed === undefined && this.#inputsIn(epoch) !== undefined
      // Shares can be verified only when the agreed set is whole here.
      const shares = agreed !== undefined && lacking.length === 0 && round.value === undefined
      if (!inputs && !shares && lacking.length === 0) return []
      const seats = new Set(round.shares.map((share) => decodeShare(share).seat))
      return [{ epoch, inputs, dealings: lacking, shares, seats }]
    })
  }

  answer({ epoch, inputs, dealings, shares, seats }: CourseWant): CourseAnswer {
    const turn = this.#turns.get(epoch)
    return {
      inputs: inputs ? turn?.agreed?.inputs : undefined,
      dealings: dealings.slice(0, MAX_SEATS).flatMap((name) => turn?.round.dealing(name) ?? []),
      shares: shares ? (turn?.round.shares ?? []).filter((share) => !seats.has(decodeShare(share).seat)) : [],
    }
  }

  /** What another validator answered; nothing of it is believed for who it is. @throws WeftError E_BEACON_… */
  takeAnswer(epoch: number, { inputs, dealings, shares }: CourseAnswer, now: number): void {
    const turn = this.#turns.get(epoch)
    if (turn === undefined) return
    const name = this.#inputsIn(epoch)
    if (turn.agreed === undefined && inputs !== undefined && name !== undefined && equalBytes(sha256(inputs), name)) {
      this.#decide(turn, { epoch, inputs, previous: this.#held?.beacon?.epoch ?? -1 }, now)
    }
    for (const dealing of dealings.slice(0, MAX_SEATS)) this.#addDealing(turn, dealing, now)
    for (const share of shares.slice(0, MAX_SEATS)) {
      this.#perform(turn, turn.round.receiveShare(share, undefined), now)
    }
  }

  // --- Rounds --------------------------------------------------------------------------------------------------

  #open(map: CourseMap, now: number): void {
    const { network, key, beaconKey, random } = this.#init
    const epoch = map.epoch + 1
    const roster = rosterOfMap(network, epoch, network.termAt(epoch), map.member)
    if (roster === undefined || this.#turns.has(epoch)) return
    const seat = roster.seats.findIndex((each) => equalBytes(each.key, key.publicKey))
    // A listed key that is not its own: the seat belongs to who has the secret half.
    const isOwn = seat !== -1 && equalBytes(roster.seats[seat]?.beaconKey ?? NO_INPUTS, beaconKey.publicKey)
    const own = isOwn ? { seat, nodeKey: key, beaconKey } : undefined
    const turn: Turn = {
      epoch,
      roster,
      round: new BeaconRound({ roster, own, random }),
      lacking: [],
      agreed: undefined,
    }
    this.#turns.set(epoch, turn)
    this.#perform(turn, turn.round.start(), now)
    for (const [from, early] of this.#early) {
      if (early.epoch > epoch) continue
      this.#early.delete(from)
      try {
        if (early.epoch === epoch) this.#addDealing(turn, early.dealing, now)
      } catch {
        // A wrong dealing that came early is worth as much as none.
      }
    }
    if (this.#agreed?.epoch === epoch) this.#decide(turn, this.#agreed, now)
  }

  #addDealing(turn: Turn, dealing: SignedDealing, now: number): void {
    const actions = turn.round.receiveDealing(dealing)
    const before = turn.lacking.length
    turn.lacking = turn.lacking.filter((name) => turn.round.dealing(name) === undefined)
    this.#perform(turn, actions, now)
    if (before > 0 && turn.lacking.length === 0 && turn.agreed !== undefined) this.#actions.push({ kind: 'pull' })
  }

  #decide(turn: Turn, agreed: Agreed, now: number): void {
    if (turn.agreed !== undefined) return
    turn.agreed = agreed
    turn.lacking = []
    try {
      this.#perform(turn, turn.round.decide(agreed.inputs), now)
    } catch (error) {
      if (!isWeftError(error)) throw error
      // A quorum found them right, so this validator is mistaken about the roster. It must not lose the map over it.
      this.#turns.delete(turn.epoch)
    }
  }

  #perform(turn: Turn, actions: readonly BeaconAction[], now: number): void {
    const { epoch } = turn
    for (const action of actions) {
      switch (action.kind) {
        case 'send-dealing':
          this.#actions.push({ kind: 'deal', epoch, dealing: action.dealing })
          break
        case 'fetch-dealings':
          turn.lacking = action.dealings.map(({ dealing }) => dealing)
          this.#actions.push({ kind: 'pull' })
          break
        case 'send-share':
          this.#actions.push({ kind: 'share', epoch, share: action.share })
          break
        case 'more':
          this.#actions.push({ kind: 'more', epoch })
          break
        case 'value':
          this.#make(turn, action.value, now)
      }
    }
  }

  #make({ epoch, agreed }: Turn, value: Uint8Array, now: number): void {
    if (agreed === undefined || epoch <= (this.#made?.beacon.epoch ?? -1)) return
    const beacon = { epoch, value, previous: agreed.previous }
    this.#made = { beacon, at: now }
    this.#actions.push({ kind: 'value', beacon })
  }

  // --- Judging -------------------------------------------------------------------------------------------------

  #judgeBeacon(epoch: number, beacon: Beacon | undefined, since: number): boolean | undefined {
    const made = this.#madeFor(epoch)
    if (made !== undefined && isSame(beacon, made.beacon)) return true
    const held = this.#held
    if (isSame(beacon, held?.beacon)) return made === undefined || made.at > since
    if (beacon === undefined || beacon.epoch <= (held?.beacon?.epoch ?? -1)) return false
    const isBehind = (held?.epoch ?? -1) < epoch - 1
    if (beacon.epoch < epoch - 1) return isBehind ? undefined : false
    if (made !== undefined || (!isBehind && held?.inputs === undefined)) return false
    return undefined
  }

  #judgeInputs(epoch: number, inputs: Uint8Array, body: Pick<MapBody, 'beacon' | 'inputs'>): boolean | undefined {
    if (inputs.length === 0 || body.inputs === undefined) return inputs.length === 0 && body.inputs === undefined
    if (!equalBytes(sha256(inputs), body.inputs)) return false
    const turn = this.#turns.get(epoch)
    if (turn === undefined) return (this.#held?.epoch ?? -1) < epoch - 1 ? undefined : false
    try {
      const verdict = turn.round.judge(inputs, body.beacon ?? this.#genesis())
      if (verdict.kind !== 'missing') return verdict.kind === 'right'
      this.#lack(
        turn,
        verdict.dealings.map(({ dealing }) => dealing),
      )
      return undefined
    } catch {
      return false
    }
  }

  #lack(turn: Turn, names: readonly Uint8Array[]): void {
    const isKnown = names.every((name) => turn.lacking.some((other) => equalBytes(name, other)))
    turn.lacking = names
    if (!isKnown) this.#actions.push({ kind: 'pull' })
  }

  /** The beacon of the epoch before, where it was made here: only the next map may carry a beacon first. */
  #madeFor(epoch: number): { readonly beacon: Beacon; readonly at: number } | undefined {
    return this.#made?.beacon.epoch === epoch - 1 ? this.#made : undefined
  }

  /** The name of the inputs of an epoch, where the map that is held says it. */
  #inputsIn(epoch: number): Uint8Array | undefined {
    return this.#held?.epoch === epoch ? this.#held.inputs : undefined
  }

  #genesis(): { readonly epoch: number; readonly value: Uint8Array } {
    return genesisBeacon(this.#init.network.id)
  }
}

function isSame(a: Beacon | undefined, b: Beacon | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return a.epoch === b.epoch && a.previous === b.previous && equalBytes(a.value, b.value)
}

function seatOf({ seats }: BeaconRoster, id: DidKey): number | undefined {
  const key = fromDidKey(id)
  const seat = seats.findIndex((each) => equalBytes(each.key, key))
  return seat === -1 ? undefined : seat
}
