import { type Clock, type Logger, WeftError, isWeftError } from '@weft/core'
import type { DidKey, SigningKey } from '@weft/crypto'
import type { SignedMap } from '@weft/wire'
import type { Certificate } from '../agreement/agreement-message.ts'
import { decodeState } from '../agreement/agreement-state.ts'
import type { EntryList } from '../map/entry-list.ts'
import { decodeMapBody } from '../map/map-body.ts'
import type { SignedMembership } from '../map/signed-membership.ts'
import { epochAt } from '../network/epoch.ts'
import type { Network } from '../network/network.ts'
import type { Revocations } from '../revocation/revocations.ts'
import type { Rpc } from '../rpc.ts'
import { type Electors, drawElectors } from './electors.ts'
import { judgeSeats } from './judge-seats.ts'
import { Presence } from './presence.ts'
import { LISTEN_MS, noticeEpochs, silenceEpochs } from './recovery-times.ts'
import {
  type RecoveryValue,
  decodeRecoveryValue,
  encodeRecoveryValue,
  nextTerm,
  seatsOf,
  seatsWanted,
} from './recovery-value.ts'
import { type SuccessionGround, successionGround, toSuccession } from './succession.ts'
import { TermAgreement, everyPull } from './term-agreement.ts'
import type { Term } from './term.ts'
import type { StoredRecovery, TermStore } from './term-store.ts'
import type { Terms } from './terms.ts'

export interface RecoveryInit {
  readonly network: Network
  readonly terms: Pick<Terms, 'offer'>
  readonly key: SigningKey
  readonly membership: Pick<SignedMembership, 'epoch' | 'head' | 'heldList' | 'onChange'>
  readonly rpc: Pick<Rpc, 'call' | 'handle'>
  readonly revocations: Pick<Revocations, 'voids'>
  readonly store: Pick<TermStore, 'recovery' | 'saveRecovery'>
  readonly clock: Clock
  readonly logger: Logger
}

/** One try to begin the term behind `term`, from its last map. */
interface Attempt {
  readonly term: Term
  readonly ground: SuccessionGround
  readonly anchorEpoch: number
  readonly electors: Electors
  readonly agreement: TermAgreement
  /** On the clock that only goes forward, ms. */
  readonly since: number
  readonly presence: Presence
}

/** Map epochs without a map that a node waits after its start, however old the map is that it finds on its disk. */
const FEWEST_SILENT_EPOCHS = 3
/** Ticks between two questions of an elector that is bound by a recovery while maps go on. */
const BOUND_TICKS = 20

/**
 * Seats new validators when those of the term have made no map for as long as the network file allows: the electors of
 * the last map agree on who of them takes the seats (docs/specs/terms.md, Recovery). Nobody is left out who can be
 * heard: an elector votes against a proposal that passes over one that it hears, and waits with one that seats somebody
 * whom it does not hear.
 */
export class Recovery {
  readonly #init: RecoveryInit
  #attempt: Attempt | undefined
  #epoch: number | undefined
  /** When the last map came; on the clock that only goes forward. */
  #lastMap: number
  #ticks = 0
  /** The last map of which this node is no elector: drawing costs more the larger it is. */
  #outside: SignedMap | undefined
  /** The context in which this node found that it is bound by another: said once. */
  #bound: string | undefined

  /** Registers its calls at once. */
  constructor(init: RecoveryInit) {
    const { rpc, clock, membership } = init
    this.#init = init
    this.#epoch = membership.epoch
    this.#lastMap = clock.monotonic() - this.#silenceBefore()
    rpc.handle('recovery.send', async ({ message }, caller) => {
      const attempt = this.#attempted()
      hear(attempt, caller.id)
      if (message !== undefined) attempt.agreement.receive(message)
      return {}
    })
    rpc.handle('recovery.pull', async (request, caller) => {
      const attempt = this.#attempted()
      hear(attempt, caller.id)
      return { messages: attempt.agreement.answer(request) }
    })
  }

  /** Whether the validators have been silent for so long that the electors may take their place. */
  get isDue(): boolean {
    const { network, clock } = this.#init
    return clock.monotonic() - this.#lastMap >= network.file.recoveryAfterMs
  }

  /** Watches over the validators until the signal fires. @throws WeftError E_ABORTED */
  async run(signal: AbortSignal): Promise<never> {
    const unsubscribe = this.#init.membership.onChange(() => this.#onMap())
    try {
      return await everyPull('recovery', () => this.#tick(), this.#init, signal)
    } finally {
      unsubscribe()
      this.#attempt?.agreement.end()
    }
  }

  /** ms of silence before the start, by the age of the map on the disk: a restart must not put everything off. */
  #silenceBefore(): number {
    const { network, membership, clock } = this.#init
    const head = membership.head()
    if (head === undefined) return 0
    const { recoveryAfterMs, mapEpochMs } = network.file
    const age = Math.max(0, clock.now() - decodeMapBody(head.body).signedAt)
    return Math.min(age, recoveryAfterMs - FEWEST_SILENT_EPOCHS * mapEpochMs)
  }

  /** An ejection changes the members as well, and is no sign of life. */
  #onMap(): void {
    const { membership, clock } = this.#init
    if (membership.epoch === this.#epoch) return
    this.#epoch = membership.epoch
    this.#lastMap = clock.monotonic()
  }

  #tick(): void {
    const last = this.#attempt
    const goesOn = last !== undefined && this.#goesOn(last)
    if (!goesOn) this.#giveUp(last)
    const attempt = goesOn ? last : this.isDue ? this.#begin() : undefined
    if (attempt === undefined || attempt.agreement.isDecided) return
    const { agreement } = attempt
    agreement.start()
    agreement.reconsider()
    if (this.isDue || this.#ticks++ % BOUND_TICKS === 0) agreement.ask((from) => hear(attempt, from))
  }

  /** A newer map ends it, unless this node is bound to a value in it. */
  #goesOn({ term, anchorEpoch, agreement }: Attempt): boolean {
    const { network, membership } = this.#init
    return term === network.term && (anchorEpoch === membership.epoch || agreement.state.isLocked)
  }

  #giveUp(attempt: Attempt | undefined): void {
    // Who missed the decision may still ask for it.
    if (attempt?.agreement.isDecided === true) return
    attempt?.agreement.end()
    this.#attempt = undefined
  }

  /** Undefined for a node that is no elector, is bound by another recovery, or knows no map. */
  #begin(): Attempt | undefined {
    const { network, key, membership, store, clock, rpc, logger } = this.#init
    const { term } = network
    const list = membership.heldList()
    const head = membership.head()
    if (list === undefined || head === undefined || head === this.#outside) return undefined
    const anchor = decodeMapBody(head.body)
    if (anchor.epoch < term.fromEpoch) return undefined
    const electors = drawElectors(anchor, term, (position) => list.entries[position] as EntryList['entries'][number])
    if (electors.set.indexOf(key.publicKey) === undefined) {
      this.#outside = head
      return undefined
    }
    const number = term.number + 1
    const context = electors.set.networkId
    const kept = store.recovery(number)
    if (kept !== undefined && isBound(kept, context)) {
      if (this.#bound !== context) logger.warn('bound by a recovery from another map', { term: number })
      this.#bound = context
      return undefined
    }
    const others = electors.members.map(({ member }) => member.id).filter((id) => id !== key.id)
    const agreement = new TermAgreement({
      name: 'recovery',
      set: electors.set,
      key,
      epoch: anchor.epoch,
      others,
      rpc,
      propose: () => this.#propose(),
      judge: (value) => this.#judge(value),
      clock,
      logger,
      saved: kept?.context === context ? kept.state : undefined,
      save: (state) => store.saveRecovery(number, { context, state }),
      onDecision: (certificate) => this.#onDecision(certificate),
    })
    logger.warn('the validators are silent: new ones are agreed on', {
      term: number,
      electors: electors.members.length,
      needed: electors.set.quorum,
    })
    const attempt = {
      term,
      ground: successionGround(term, head, list, electors),
      anchorEpoch: anchor.epoch,
      electors,
      agreement,
      since: clock.monotonic(),
      presence: new Presence(key.id, clock, electors.members),
    }
    this.#attempt = attempt
    return attempt
  }

  // --- What is proposed, and judged --------------------------------------------------------------------------------

  #propose(): Uint8Array | undefined {
    const { network, clock } = this.#init
    const attempt = this.#attempt
    if (attempt === undefined || clock.monotonic() - attempt.since < LISTEN_MS) return undefined
    const { electors, presence, term, anchorEpoch } = attempt
    if (presence.count < electors.set.quorum) return undefined
    const isThere = (elector: number): boolean => presence.isThere(elector) && !this.#isRevoked(attempt, elector)
    const seats = seatsOf(electors, seatsWanted(network.file, term), isThere)
    const soonest = epochAt(network.file, clock.now()) + noticeEpochs(network.file)
    const fromEpoch = Math.max(soonest, anchorEpoch + silenceEpochs(network.file))
    return encodeRecoveryValue({ fromEpoch, seats })
  }

  #judge(bytes: Uint8Array): boolean | undefined {
    const attempt = this.#attempt
    if (attempt === undefined) return undefined
    const { network, clock } = this.#init
    const { electors, term, anchorEpoch, agreement, presence } = attempt
    let value: RecoveryValue
    try {
      value = decodeRecoveryValue(bytes)
      nextTerm(network.file, electors, term, anchorEpoch, value)
    } catch (error) {
      if (isWeftError(error, 'E_SUCCESSION')) return false
      throw error
    }
    const { clockToleranceMs } = network.file
    const latest = epochAt(network.file, clock.now() + clockToleranceMs) + 2 * noticeEpochs(network.file)
    // One that was due when it was proposed may have to begin at once; only what lies ahead is for the clock to judge.
    if (value.fromEpoch > Math.max(latest, anchorEpoch + silenceEpochs(network.file))) return false
    const isThere = (elector: number): boolean => presence.isThere(elector)
    const isRevoked = (elector: number): boolean => this.#isRevoked(attempt, elector)
    const round = agreement.state.round ?? 0
    return judgeSeats(electors, seatsWanted(network.file, term), value.seats, round, { isThere, isRevoked })
  }

  #isRevoked({ electors }: Attempt, elector: number): boolean {
    const member = electors.members[elector]?.member
    return member !== undefined && this.#init.revocations.voids({ id: member.id, issuedEpoch: member.certificateEpoch })
  }

  #onDecision(certificate: Certificate): void {
    if (this.#attempt === undefined) return
    const { ground, electors } = this.#attempt
    this.#init.terms.offer(toSuccession(ground, electors, certificate))
  }

  /** @throws WeftError E_RECOVERY_NOT_DUE */
  #attempted(): Attempt {
    if (this.#attempt !== undefined) return this.#attempt
    throw new WeftError({
      code: 'E_RECOVERY_NOT_DUE',
      cause: 'This node takes part in no recovery: it hears the validators, or is no elector.',
      fix: 'Nothing to do; where the caller hears no validators, look at its connections (`weft peers`).',
      retryable: true,
    })
  }
}

/** Whoever waits for one more to be there waits no longer than that. */
function hear({ presence, agreement }: Attempt, id: DidKey): void {
  if (presence.note(id)) agreement.reconsider()
}

/** Whether what was said in another recovery of the term forbids to speak in this one; damaged, it cannot be told. */
function isBound(kept: StoredRecovery, context: string): boolean {
  try {
    const { locked } = decodeState(kept.state)
    return kept.context !== context && locked !== undefined
  } catch {
    return true
  }
}
