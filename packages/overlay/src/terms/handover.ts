import { type Clock, type Logger, equalBytes, isWeftError } from '@weft/core'
import type { DidKey, SigningKey } from '@weft/crypto'
import { type AgreementMessage as WireMessage, SuccessionSchema, create } from '@weft/wire'
import type { Certificate } from '../agreement/agreement-message.ts'
import type { ValidatorSet } from '../agreement/validator-set.ts'
import { toWire } from '../agreement/wire-form.ts'
import { decodeMapBody } from '../map/map-body.ts'
import type { SignedMembership } from '../map/signed-membership.ts'
import { epochAt } from '../network/epoch.ts'
import type { Network } from '../network/network.ts'
import type { Rpc } from '../rpc.ts'
import { type SeatedMap, seatsDue } from './handover-seats.ts'
import {
  type HandoverValue,
  decodeHandoverValue,
  encodeHandoverValue,
  handoverSet,
  termAfterHandover,
} from './handover-value.ts'
import { noticeEpochs, silenceEpochs } from './recovery-times.ts'
import { Rotation } from './rotation.ts'
import { TermAgreement, everyPull } from './term-agreement.ts'
import type { Term } from './term.ts'
import type { TermStore } from './term-store.ts'
import type { Terms } from './terms.ts'

export interface HandoverInit {
  readonly network: Network
  readonly terms: Pick<Terms, 'offer'>
  /** That it has a seat in. */
  readonly term: Term
  readonly key: SigningKey
  readonly membership: Pick<SignedMembership, 'head' | 'heldList' | 'onChange'>
  readonly rpc: Pick<Rpc, 'call' | 'handle'>
  readonly store: Pick<TermStore, 'handover' | 'saveHandover' | 'rotation' | 'saveRotation'>
  readonly clock: Clock
  readonly logger: Logger
}

/** Maps back to which a proposal may have been drawn: validators hold the newest one at different moments. */
const KEPT_MAPS = 4

/**
 * How the validators of a term hand over to the next: when one of them was out of the maps for too long, the network file has
 * more seats than there are validators, or a rotation has come, they agree on who gives up a seat and who gets one
 * (docs/specs/terms.md, Handover). There is one such agreement in a term, so that it has one successor.
 */
export class Handover {
  readonly #init: HandoverInit
  readonly #set: ValidatorSet
  readonly #agreement: TermAgreement
  readonly #maps = new Map<number, SeatedMap>()
  readonly #rotation: Rotation
  #newest: number | undefined
  /** Validators that the newest map lacks, with the epoch of the first such map. */
  readonly #missing = new Map<DidKey, number>()
  /** Validators that are at it. */
  readonly #heard = new Set<DidKey>()

  /** Registers its calls at once. */
  constructor(init: HandoverInit) {
    const { network, term, key, rpc, clock, logger, store } = init
    const number = term.number + 1
    this.#init = init
    this.#set = handoverSet(network, term)
    this.#rotation = new Rotation({ network, term, store, logger })
    this.#agreement = new TermAgreement({
      name: 'handover',
      set: this.#set,
      key,
      epoch: term.number,
      others: term.validators.map(({ id }) => id).filter((id) => id !== key.id),
      rpc,
      clock,
      logger,
      propose: () => {
        const due = this.#due()
        return due === undefined ? undefined : encodeHandoverValue(due)
      },
      judge: (value) => this.#judge(value),
      isIdle: () => this.#isIdle,
      // What was said before a restart goes on being said.
      saved: store.handover(number),
      save: (state) => store.saveHandover(number, state),
      onDecision: (certificate) => this.#onDecision(certificate),
    })
    rpc.handle('handover.send', async ({ message }, caller) => {
      if (message !== undefined) this.#take(message, caller.id)
      return {}
    })
    rpc.handle('handover.pull', async (request) => ({ messages: this.#agreement.answer(request) }))
  }

  /** Goes on until the signal fires. @throws WeftError E_ABORTED */
  async run(signal: AbortSignal): Promise<never> {
    this.#onMap()
    const unsubscribe = this.#init.membership.onChange(() => this.#onMap())
    try {
      return await everyPull('handover', () => this.#tick(), this.#init, signal)
    } finally {
      unsubscribe()
      this.#agreement.end()
    }
  }

  #onMap(): void {
    const { membership, term } = this.#init
    const [list, head] = [membership.heldList(), membership.head()]
    if (list === undefined || head === undefined) return
    const { epoch, beacon, root } = decodeMapBody(head.body)
    if (epoch < term.fromEpoch || this.#maps.has(epoch)) return
    const map = { members: list.members, member: (id: DidKey) => list.member(id), seed: beacon?.value ?? root }
    this.#maps.set(epoch, map)
    this.#newest = epoch
    for (const kept of this.#maps.keys()) if (kept <= epoch - KEPT_MAPS) this.#maps.delete(kept)
    if (beacon !== undefined) this.#rotation.note(beacon, (of) => this.#maps.get(of))
    for (const { id } of term.validators) {
      if (map.member(id) !== undefined) this.#missing.delete(id)
      else if (!this.#missing.has(id)) this.#missing.set(id, epoch)
    }
  }

  #tick(): void {
    const agreement = this.#agreement
    if (agreement.isDecided || (this.#isIdle && !this.#isOfSome)) return
    agreement.start()
    agreement.reconsider()
    agreement.ask()
  }

  /** Whether there is nothing to hand over, as far as this validator can tell: no seat is due, and no value may be decided. */
  get #isIdle(): boolean {
    const { state } = this.#agreement
    return !state.isLocked && state.summary().validRound === undefined && this.#due() === undefined
  }

  /** Whether an honest validator is at it: there is one agreement in a term, whose rounds f liars must not use up. */
  get #isOfSome(): boolean {
    return this.#heard.size >= this.#set.someHonest
  }

  /** What this validator would propose now: a rotation first, as seats that lapse could else put it off. */
  #due(): HandoverValue | undefined {
    const { network, term, clock } = this.#init
    const fromEpoch = epochAt(network.file, clock.now()) + noticeEpochs(network.file)
    if (this.#rotation.due !== undefined) return { ...this.#rotation.due, fromEpoch }
    const anchorEpoch = this.#newest
    const list = anchorEpoch === undefined ? undefined : this.#maps.get(anchorEpoch)
    if (anchorEpoch === undefined || list === undefined) return undefined
    const change = seatsDue(network.file, term, list, (id) => this.#hasLapsed(id, anchorEpoch))
    if (change === undefined) return undefined
    return { ...change, rotates: false, anchorEpoch, fromEpoch }
  }

  /** As long as nobody is there at all before others take the seats of all, one may be away before another takes its seat. */
  #hasLapsed(id: DidKey, epoch: number): boolean {
    const since = this.#missing.get(id)
    return since !== undefined && epoch - since >= silenceEpochs(this.#init.network.file)
  }

  /** @returns undefined while the map by which it was drawn is not here, or somebody is not out of the maps for long enough */
  #judge(bytes: Uint8Array): boolean | undefined {
    const { network, term, clock } = this.#init
    let value: HandoverValue
    try {
      value = decodeHandoverValue(bytes)
      termAfterHandover(network, term, value)
    } catch (error) {
      if (isWeftError(error, 'E_SUCCESSION')) return false
      throw error
    }
    const { file } = network
    const now = epochAt(file, clock.now())
    if (value.fromEpoch <= now || value.fromEpoch > now + 2 * noticeEpochs(file)) return false
    if (value.rotates) return this.#rotation.judge(value)
    const list = this.#maps.get(value.anchorEpoch)
    if (list === undefined) return value.anchorEpoch > now - KEPT_MAPS ? undefined : false
    const leaving = new Set(value.leaving.map((place) => term.validators[place]?.id))
    const right = seatsDue(file, term, list, (id) => leaving.has(id))
    if (right === undefined || !isSame(right, value)) return false
    return [...leaving].every((id) => id !== undefined && this.#hasLapsed(id, value.anchorEpoch)) ? true : undefined
  }

  #onDecision(certificate: Certificate): void {
    const { terms, term } = this.#init
    const { body } = toWire(this.#set, { kind: 'certificate', certificate })
    const decision = body.case === 'certificate' ? { decision: body.value } : {}
    terms.offer(create(SuccessionSchema, { number: term.number + 1, ...decision }))
  }

  /** @throws WeftError E_AGREEMENT_MALFORMED, E_AGREEMENT_EPOCH, E_SIGNATURE_INVALID */
  #take(wire: WireMessage, from: DidKey): void {
    this.#agreement.receive(wire)
    if (this.#init.term.isValidator(from)) this.#heard.add(from)
    if (this.#isOfSome) this.#agreement.start()
  }
}

function isSame(right: Pick<HandoverValue, 'leaving' | 'entering'>, value: HandoverValue): boolean {
  const bytesOf = (change: Pick<HandoverValue, 'leaving' | 'entering'>): Uint8Array =>
    encodeHandoverValue({ ...value, leaving: change.leaving, entering: change.entering })
  return equalBytes(bytesOf(right), bytesOf(value))
}
