import { type Random, randomInt, seededRandom } from '@weft/core'
import { type DidKey, type SigningKey, sha256 } from '@weft/crypto'
import { type CourseAction, BeaconCourse } from '../../src/beacon/beacon-course.ts'
import { type BeaconKeyPair, deriveBeaconKey } from '../../src/beacon/beacon-key.ts'
import { rosterOfMap } from '../../src/beacon/roster-of-map.ts'
import type { Beacon } from '../../src/beacon/beacon.ts'
import { deal } from '../../src/beacon/deal.ts'
import type { SignedDealing } from '../../src/beacon/dealing.ts'
import { BEGIN, EPOCH, type TestNetworkFile, testNetwork } from '../fixtures.ts'

/** What a hostile validator does in one epoch; the rest of it is right. */
export type Misdeed =
  | 'keeps its dealing'
  | 'deals twice'
  | 'keeps its share'
  | 'sends a wrong share'
  | 'passes over'
  | 'makes up'

export interface CourseMapOfEpoch {
  readonly epoch: number
  readonly beacon: Beacon | undefined
  readonly inputs: Uint8Array | undefined
  readonly inputBytes: Uint8Array
  readonly proposer: number
}

interface Message {
  readonly from: number
  readonly to: number
  readonly epoch: number
  readonly dealing?: SignedDealing
  readonly share?: Uint8Array
}

const NOTHING = new Uint8Array(0)

/**
 * Validators whose beacons go along with maps that an agreement decides, played by taking the first proposal that a
 * quorum finds right. Messages arrive in any order; who restarts has what is on its disk.
 */
export class CourseNetwork {
  readonly fixture: TestNetworkFile
  readonly maps: CourseMapOfEpoch[] = []
  readonly courses: BeaconCourse[]
  readonly down = new Set<number>()
  readonly refusals: string[] = []
  readonly misdeeds = new Map<number, Misdeed>()
  readonly #random: Random
  readonly #made: (Beacon | undefined)[] = []
  readonly #keys: readonly BeaconKeyPair[]
  readonly #messages: Message[] = []
  #epoch = 0

  constructor(validators: number, seed: number) {
    this.fixture = testNetwork(validators, 0)
    this.#random = seededRandom(seed)
    this.#keys = this.fixture.keys.map(deriveBeaconKey)
    this.courses = this.fixture.keys.map((_, at) => this.#courseOf(at))
  }

  get quorum(): number {
    return this.fixture.network.quorum
  }

  /** Begins anew, with the last map and the last beacon that it made. */
  restart(at: number): void {
    this.courses[at] = this.#courseOf(at)
    const last = this.maps.at(-1)
    if (last !== undefined) this.#hold(at, last)
  }

  /**
   * One epoch: proposals by turns until one is agreed on, the map, and all messages behind it. Undefined without a map.
   * @param between is called when all hold the map, and no share has arrived
   */
  async run(between = (): void => {}): Promise<CourseMapOfEpoch | undefined> {
    const epoch = this.#epoch++
    const count = this.courses.length
    for (let round = 0; round < count; round++) {
      const proposer = (epoch + round) % count
      if (this.down.has(proposer)) continue
      const map = this.#propose(epoch, proposer)
      if (!this.#isAgreed(map)) continue
      this.maps.push(map)
      for (const at of this.#there()) {
        this.courses[at]?.decided(epoch, map.inputBytes, map, this.#now(epoch))
        this.#perform(at)
        this.#hold(at, map)
      }
      between()
      this.#settle(epoch)
      return map
    }
    this.#settle(epoch)
    return undefined
  }

  #propose(epoch: number, proposer: number): CourseMapOfEpoch {
    const { beacon, inputs } = (this.courses[proposer] as BeaconCourse).proposal(epoch)
    this.#perform(proposer)
    const named = inputs.length === 0 ? undefined : sha256(inputs)
    const right = { epoch, beacon, inputs: named, inputBytes: inputs, proposer }
    const misdeed = this.misdeeds.get(proposer)
    if (misdeed === 'passes over')
      return { ...right, beacon: this.maps.at(-1)?.beacon, inputs: undefined, inputBytes: NOTHING }
    if (misdeed === 'makes up')
      return { ...right, beacon: { epoch: epoch - 1, value: new Uint8Array(32).fill(9), previous: -1 } }
    return right
  }

  /** Whether a quorum finds it right, when each has asked the others for what it lacks. */
  #isAgreed(map: CourseMapOfEpoch): boolean {
    const judge = (at: number): boolean | undefined =>
      (this.courses[at] as BeaconCourse).judge(map.epoch, map.inputBytes, map, this.#now(map.epoch) - EPOCH / 10)
    for (const at of this.#there()) judge(at)
    this.#settle(map.epoch)
    const verdicts = this.#there().map((at) => this.misdeeds.has(at) || judge(at) === true)
    const isAgreed = verdicts.filter(Boolean).length >= this.quorum
    if (!isAgreed) this.refusals.push(`${map.epoch} ${map.proposer}`)
    return isAgreed
  }

  #hold(at: number, { epoch, beacon, inputs }: CourseMapOfEpoch): void {
    this.courses[at]?.hold({ epoch, beacon, inputs, member: (id) => this.#member(id) }, this.#now(epoch))
    this.#perform(at)
  }

  #member(id: DidKey): { roles: readonly ['validator']; beaconKey: Uint8Array } | undefined {
    const at = this.fixture.keys.findIndex((key) => key.id === id)
    return { roles: ['validator'], beaconKey: (this.#keys[at] as BeaconKeyPair).publicKey }
  }

  #courseOf(at: number): BeaconCourse {
    const { network, keys } = this.fixture
    return new BeaconCourse(
      {
        network,
        key: keys[at] as SigningKey,
        beaconKey: this.#keys[at] as BeaconKeyPair,
        random: this.#random,
        made: this.#made[at],
      },
      this.#now(this.#epoch),
    )
  }

  #there(): number[] {
    return this.courses.map((_, at) => at).filter((at) => !this.down.has(at))
  }

  #now(epoch: number): number {
    return BEGIN + epoch * EPOCH
  }

  /** Delivers all messages in any order, then lets everybody ask everybody, until nothing is lacking that anybody has. */
  #settle(epoch: number): void {
    for (let turn = 0; turn < 4; turn++) {
      while (this.#messages.length > 0) {
        const [message] = this.#messages.splice(randomInt(this.#random, this.#messages.length), 1) as [Message]
        this.#deliver(message)
      }
      for (const at of this.#there()) this.#pull(at, epoch)
    }
  }

  #deliver({ from, to, epoch, dealing, share }: Message): void {
    if (this.down.has(to)) return
    const course = this.courses[to] as BeaconCourse
    const id = (this.fixture.keys[from] as SigningKey).id
    try {
      if (dealing !== undefined) course.receiveDealing(epoch, dealing, id, this.#now(epoch))
      if (share !== undefined) course.receiveShare(epoch, share, id, this.#now(epoch))
    } catch {
      // A wrong message costs its sender the answer.
    }
    this.#perform(to)
  }

  #pull(at: number, epoch: number): void {
    const course = this.courses[at] as BeaconCourse
    for (const want of course.wants()) {
      for (const other of this.#there()) {
        if (other === at || this.misdeeds.has(other)) continue
        try {
          course.takeAnswer(want.epoch, (this.courses[other] as BeaconCourse).answer(want), this.#now(epoch) + 1)
        } catch {
          // The next is asked.
        }
        this.#perform(at)
      }
    }
  }

  #perform(at: number): void {
    const course = this.courses[at] as BeaconCourse
    for (const action of course.take()) {
      if (action.kind === 'more') {
        course.advance(action.epoch, this.#now(action.epoch))
        this.#perform(at)
      } else if (action.kind === 'value') this.#made[at] = action.beacon
      else if (action.kind !== 'pull') this.#send(at, action)
    }
  }

  #send(from: number, action: Extract<CourseAction, { readonly kind: 'deal' | 'share' }>): void {
    const misdeed = this.misdeeds.get(from)
    const { epoch } = action
    for (const [to] of this.courses.entries()) {
      if (to === from) continue
      if (action.kind === 'deal') {
        if (misdeed === 'keeps its dealing') continue
        const isOther = misdeed === 'deals twice' && to % 2 === 0
        this.#messages.push({ from, to, epoch, dealing: isOther ? this.#otherDealing(from, epoch) : action.dealing })
      } else if (misdeed !== 'keeps its share') {
        const share =
          misdeed === 'sends a wrong share' ? action.share.with(-1, (action.share.at(-1) ?? 0) ^ 1) : action.share
        this.#messages.push({ from, to, epoch, share })
      }
    }
  }

  #otherDealing(from: number, epoch: number): SignedDealing {
    const { network, keys } = this.fixture
    const roster = rosterOfMap(network, epoch, network.term, (id) => this.#member(id))
    if (roster === undefined) throw new Error('no roster')
    return deal(roster, from, keys[from] as SigningKey, this.#random)
  }
}
