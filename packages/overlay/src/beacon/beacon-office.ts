import { type Clock, type Logger, type Random, equalBytes, messageOf, throwIfAborted, wait } from '@weft/core'
import { type DidKey, type SigningKey, sha256, shortId } from '@weft/crypto'
import type { BeaconPullResponse } from '@weft/wire'
import type { AgreedPart } from '../agreement/agreed-parts.ts'
import { timeoutsOf } from '../agreement/timeouts.ts'
import { ValidatorCalls } from '../agreement/validator-calls.ts'
import { type MapBody, decodeMapBody } from '../map/map-body.ts'
import type { SignedMembership } from '../map/signed-membership.ts'
import { epochStart } from '../network/epoch.ts'
import type { Network } from '../network/network.ts'
import type { Rpc } from '../rpc.ts'
import type { Term } from '../terms/term.ts'
import { type CourseAction, BeaconCourse } from './beacon-course.ts'
import type { BeaconKeyPair } from './beacon-key.ts'
import { beaconPart } from './beacon-part.ts'
import type { BeaconStore } from './beacon-store.ts'
import type { Beacon } from './beacon.ts'
import {
  answerFromWire,
  answerToWire,
  dealingFromWire,
  epochFromWire,
  wantFromWire,
  wantToWire,
} from './beacon-wire.ts'

export interface BeaconOfficeInit {
  readonly network: Network
  /** Whose validators make the beacons. */
  readonly term: Term
  readonly key: SigningKey
  readonly beaconKey: BeaconKeyPair
  readonly membership: Pick<SignedMembership, 'head' | 'heldList' | 'onChange'>
  readonly rpc: Rpc
  readonly store: BeaconStore
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** What was judged before may be judged again. */
  readonly onProgress: () => void
  readonly onMade: (beacon: Beacon) => void
}

/** A validator's part in the beacons, with its clock, its disk and the others. */
export class BeaconOffice {
  readonly part: AgreedPart
  readonly #init: BeaconOfficeInit
  readonly #course: BeaconCourse
  readonly #calls: ValidatorCalls
  readonly #pauseMs: number
  #signal = AbortSignal.abort()
  #held: Uint8Array | undefined

  /** Registers its methods at once. */
  constructor(init: BeaconOfficeInit) {
    const { network, term, key, beaconKey, rpc, store, clock, random, logger } = init
    this.#init = init
    const timeouts = timeoutsOf(network.file.mapEpochMs)
    this.#pauseMs = timeouts.pull
    const course = new BeaconCourse({ network, key, beaconKey, random, made: store.computedBeacon() }, clock.now())
    this.#course = course
    const others = term.validators.map(({ id }) => id).filter((id) => id !== key.id)
    this.#calls = new ValidatorCalls({ rpc, clock, logger, others, pauseMs: this.#pauseMs })
    this.part = beaconPart({
      course,
      // Who has a share hands it on, and who lacks one asks at every pause: by then all who are there have it.
      since: (epoch) => epochStart(network.file, epoch) - timeouts.propose(0),
      now: () => clock.now(),
      onTurn: () => this.#act(),
    })
    rpc.handle('beacon.deal', async ({ epoch, dealing }, caller) => {
      this.#step((now) => course.receiveDealing(epochFromWire(epoch), dealingFromWire(dealing), caller.id, now))
      this.#init.onProgress()
      return {}
    })
    rpc.handle('beacon.share', async ({ epoch, share }, caller) => {
      this.#step((now) => course.receiveShare(epochFromWire(epoch), share, caller.id, now))
      return {}
    })
    rpc.handle('beacon.pull', async (request) => answerToWire(course.answer(wantFromWire(request))))
  }

  /** What the own map of an epoch says of beacons. */
  fieldsOf(epoch: number): Pick<MapBody, 'beacon' | 'inputs'> {
    const { beacon, inputs } = this.#course.proposal(epoch)
    return { beacon, inputs: inputs.length === 0 ? undefined : sha256(inputs) }
  }

  /** Takes part until the signal fires. @throws WeftError E_ABORTED */
  async run(signal: AbortSignal): Promise<never> {
    const { membership, clock } = this.#init
    this.#signal = signal
    const unsubscribe = membership.onChange(() => this.#hold())
    try {
      this.#hold()
      for (;;) {
        throwIfAborted(signal)
        this.#pull()
        await wait(clock, this.#pauseMs, signal)
      }
    } finally {
      unsubscribe()
    }
  }

  #hold(): void {
    const { membership } = this.#init
    const head = membership.head()
    const list = membership.heldList()
    // A revocation changes who is a member, not the map.
    if (head === undefined || list === undefined || (this.#held !== undefined && equalBytes(head.body, this.#held)))
      return
    this.#held = head.body
    const { epoch, beacon, inputs } = decodeMapBody(head.body)
    this.#step((now) => this.#course.hold({ epoch, beacon, inputs, member: (id) => list.member(id) }, now))
    this.#init.onProgress()
  }

  #step(step: (now: number) => void): void {
    try {
      step(this.#init.clock.now())
    } finally {
      this.#act()
    }
  }

  #act(): void {
    if (this.#signal.aborted) return
    for (const action of this.#course.take()) this.#do(action)
  }

  #do(action: CourseAction): void {
    const { clock, store, logger, onProgress, onMade } = this.#init
    switch (action.kind) {
      case 'deal': {
        const { epoch, dealing } = action
        void this.#calls.untilTaken('beacon.deal', { epoch: BigInt(epoch), dealing }, this.#endOf(epoch))
        break
      }
      case 'share': {
        const { epoch, share } = action
        void this.#calls.untilTaken('beacon.share', { epoch: BigInt(epoch), share }, this.#endOf(epoch))
        break
      }
      case 'pull':
        this.#pull()
        break
      case 'more':
        clock.after(0, () => this.#step((now) => this.#course.advance(action.epoch, now)))
        break
      case 'value':
        try {
          store.saveComputedBeacon(action.beacon)
        } catch (error) {
          // It is as good without the file; only a restart before the next map forgets it.
          logger.warn('the beacon could not be kept', { error: messageOf(error) })
        }
        onMade(action.beacon)
        onProgress()
    }
  }

  /** Asks all others for what is lacking. */
  #pull(): void {
    for (const want of this.#course.wants()) {
      const take = (answer: BeaconPullResponse, from: DidKey): void => {
        try {
          this.#step((now) => this.#course.takeAnswer(want.epoch, answerFromWire(answer), now))
          this.#init.onProgress()
        } catch (error) {
          this.#init.logger.debug('a validator answered nonsense', {
            validator: shortId(from),
            error: messageOf(error),
          })
        }
      }
      this.#calls.toAll('beacon.pull', wantToWire(want), this.#signal, take, 1)
    }
  }

  /** What is said of an epoch is worth nothing once the map behind it is there. */
  #endOf(epoch: number): AbortSignal {
    const { network, clock } = this.#init
    const left = epochStart(network.file, epoch + 1) - clock.now()
    return AbortSignal.any([this.#signal, timeoutOn(clock, Math.max(0, left), this.#signal)])
  }
}

function timeoutOn(clock: Clock, ms: number, signal: AbortSignal): AbortSignal {
  const end = new AbortController()
  const cancel = clock.after(ms, () => {
    signal.removeEventListener('abort', cancel)
    end.abort()
  })
  signal.addEventListener('abort', cancel, { once: true })
  return end.signal
}
