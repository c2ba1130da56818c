import { type Clock, type Logger, WeftError, isWeftError, messageOf, throwIfAborted, wait } from '@weft/core'
import { type DidKey, type SigningKey, shortId } from '@weft/crypto'
import type { AgreementMessage as WireMessage, AgreementPullRequest, SignedMap } from '@weft/wire'
import { AgreementInstance } from '../agreement/agreement-instance.ts'
import type { Certificate } from '../agreement/agreement-message.ts'
import { decodeState } from '../agreement/agreement-state.ts'
import { summaryOf, summaryToWire } from '../agreement/summary.ts'
import { timeoutsOf } from '../agreement/timeouts.ts'
import { ValidatorCalls } from '../agreement/validator-calls.ts'
import { fromWire } from '../agreement/wire-form.ts'
import type { EntryList } from '../map/entry-list.ts'
import { type MapBody, decodeMapBody } from '../map/map-body.ts'
import type { SignedMembership } from '../map/signed-membership.ts'
import { epochAt } from '../network/epoch.ts'
import type { Network } from '../network/network.ts'
import type { Revocations } from '../revocation/revocations.ts'
import type { Rpc } from '../rpc.ts'
import { type Electors, drawElectors } from './electors.ts'
import { type RecoveryValue, decodeRecoveryValue, encodeRecoveryValue, nextTerm, seatsOf } from './recovery-value.ts'
import { toSuccession } from './succession.ts'
import type { Term } from './term.ts'
import type { TermStore } from './term-store.ts'
import type { Terms } from './terms.ts'

export interface RecoveryInit {
  readonly network: Network
  readonly terms: Terms
  readonly key: SigningKey
  readonly membership: SignedMembership
  readonly rpc: Pick<Rpc, 'call' | 'handle'>
  readonly revocations: Pick<Revocations, 'of'>
  readonly store: TermStore
  readonly clock: Clock
  readonly logger: Logger
}

/** One try to begin the term behind `term`, from its last map. */
interface Attempt {
  readonly term: Term
  readonly head: SignedMap
  readonly anchor: MapBody
  readonly list: EntryList
  readonly electors: Electors
  readonly instance: AgreementInstance
  readonly calls: ValidatorCalls
  /** On the clock that only goes forward, ms. */
  readonly since: number
  /** When each elector was last heard, by its place; on the same clock. */
  readonly heard: Map<number, number>
}

/** ms: the agreement goes as if an epoch were so long, so that electors at the ends of the world keep up. */
const PACE_MS = 30_000
const TIMEOUTS = timeoutsOf(PACE_MS)
/** ms for which an elector that was heard is taken to be there. */
const THERE_MS = 8 * TIMEOUTS.pull
/** ms for which a proposer first listens who is there. */
const LISTEN_MS = 2 * TIMEOUTS.pull
/** Map epochs between a decision and the term's first, in which members bring the new validators their certificates. */
const NOTICE_EPOCHS = 2
/** Map epochs that a proposal may be ahead of the own clock. */
const MOST_NOTICE_EPOCHS = 2 * NOTICE_EPOCHS

/**
 * Seats new validators when those of the term have made no map for as long as the network file allows: the electors of
 * the last map agree on who of them takes the seats (docs/specs/terms.md, Recovery). Nobody is left out who can be
 * heard: an elector votes against a proposal that passes over one that it hears, and waits with one that seats somebody
 * whom it does not hear.
 */
export class Recovery {
  readonly #init: RecoveryInit
  #attempt: Attempt | undefined
  /** When the last map came, or this node started; on the clock that only goes forward. */
  #lastMap: number

  /** Registers its calls at once. */
  constructor(init: RecoveryInit) {
    const { rpc, clock } = init
    this.#init = init
    this.#lastMap = clock.monotonic()
    rpc.handle('recovery.send', async ({ message }, caller) => {
      const attempt = this.#attempted()
      this.#note(attempt, caller.id)
      if (message !== undefined) attempt.instance.receive(fromWire(attempt.electors.set, message))
      return {}
    })
    rpc.handle('recovery.pull', async (request, caller) => {
      const attempt = this.#attempted()
      this.#note(attempt, caller.id)
      return { messages: this.#answer(attempt, request) }
    })
  }

  /** Whether the validators have been silent for so long that the electors may take their place. */
  get isDue(): boolean {
    const { network, clock } = this.#init
    return clock.monotonic() - this.#lastMap >= network.file.recoveryAfterMs
  }

  /** Watches over the validators until the signal fires. @throws WeftError E_ABORTED */
  async run(signal: AbortSignal): Promise<never> {
    const { membership, clock, logger } = this.#init
    const unsubscribe = membership.onChange(() => (this.#lastMap = clock.monotonic()))
    try {
      for (;;) {
        throwIfAborted(signal)
        try {
          this.#tick()
        } catch (error) {
          logger.error('the recovery failed', { cause: messageOf(error) })
        }
        await wait(clock, TIMEOUTS.pull, signal)
      }
    } finally {
      unsubscribe()
      this.#attempt?.instance.end()
    }
  }

  #tick(): void {
    const last = this.#attempt
    const goesOn = last !== undefined && this.#goesOn(last)
    if (!goesOn) this.#giveUp(last)
    const attempt = goesOn ? last : this.isDue ? this.#begin() : undefined
    if (attempt === undefined || attempt.instance.agreement.decision !== undefined) return
    const { instance, calls } = attempt
    if (instance.agreement.round === undefined) instance.start()
    instance.reconsider()
    calls.toAll(
      'recovery.pull',
      summaryToWire(instance.agreement.summary()),
      instance.ended,
      ({ messages }, from) => this.#takeAll(attempt, messages, from),
      1,
    )
  }

  /** A newer map ends it, unless this node is bound to a value in it. */
  #goesOn({ term, anchor, instance }: Attempt): boolean {
    const { network, membership } = this.#init
    return term === network.term && (anchor.epoch === membership.epoch || instance.agreement.isLocked)
  }

  #giveUp(attempt: Attempt | undefined): void {
    // Who missed the decision may still ask for it.
    if (attempt?.instance.agreement.decision !== undefined) return
    attempt?.instance.end()
    this.#attempt = undefined
  }

  /** Undefined for a node that is no elector, or knows no map. */
  #begin(): Attempt | undefined {
    const { network, key, membership, store, clock, rpc, logger } = this.#init
    const { term } = network
    const list = membership.heldList()
    const head = membership.head()
    if (list === undefined || head === undefined) return undefined
    const anchor = decodeMapBody(head.body)
    if (anchor.epoch < term.fromEpoch) return undefined
    const electors = drawElectors(anchor, term, (position) => list.entries[position] as EntryList['entries'][number])
    const self = electors.set.indexOf(key.publicKey)
    if (self === undefined) return undefined
    const number = term.number + 1
    const context = electors.set.networkId
    const kept = store.recovery(number)
    if (kept !== undefined && kept.context !== context && decodeState(kept.state).locked !== undefined) {
      logger.warn('bound by a recovery from another map', { term: number })
      return undefined
    }
    const others = electors.members.map(({ member }) => member.id).filter((id) => id !== key.id)
    const calls = new ValidatorCalls({ rpc, clock, logger, others, pauseMs: TIMEOUTS.pull })
    const instance = new AgreementInstance({
      set: electors.set,
      key,
      epoch: anchor.epoch,
      timeouts: TIMEOUTS,
      propose: () => this.#propose(),
      judge: (value) => this.#judge(value),
      clock,
      logger,
      saved: kept?.context === context ? kept.state : undefined,
      save: (state) => store.saveRecovery(number, { context, state }),
      send: (message, signal) => calls.toAll('recovery.send', { message }, signal),
      onDecision: (certificate) => this.#onDecision(certificate),
      onEvidence: ({ validator }) => logger.warn('an elector said two things at once', { elector: validator }),
    })
    logger.warn('the validators are silent: new ones are agreed on', {
      term: number,
      electors: electors.members.length,
    })
    const since = clock.monotonic()
    const attempt = { term, head, anchor, list, electors, instance, calls, since, heard: new Map<number, number>() }
    this.#attempt = attempt
    return attempt
  }

  // --- What is proposed, and judged --------------------------------------------------------------------------------

  #propose(): Uint8Array | undefined {
    const { network, clock } = this.#init
    const attempt = this.#attempt
    if (attempt === undefined || clock.monotonic() - attempt.since < LISTEN_MS) return undefined
    const isThere = (elector: number): boolean => this.#isThere(attempt, elector)
    const present = attempt.electors.members.filter((_, elector) => isThere(elector)).length
    if (present < attempt.electors.set.quorum) return undefined
    const seats = seatsOf(attempt.electors, attempt.term, isThere)
    const fromEpoch = Math.max(epochAt(network.file, clock.now()), attempt.anchor.epoch) + NOTICE_EPOCHS
    return encodeRecoveryValue({ fromEpoch, seats })
  }

  #judge(bytes: Uint8Array): boolean | undefined {
    const attempt = this.#attempt
    if (attempt === undefined) return undefined
    let value: RecoveryValue
    try {
      value = decodeRecoveryValue(bytes)
      nextTerm(attempt.electors, attempt.term, attempt.anchor.epoch, value)
    } catch (error) {
      if (isWeftError(error, 'E_SUCCESSION')) return false
      throw error
    }
    const { network, clock } = this.#init
    if (value.fromEpoch > epochAt(network.file, clock.now()) + MOST_NOTICE_EPOCHS) return false
    // With those that it seats, and all that are heard here, the same seats have to come out.
    const seated = new Set(value.seats)
    const isThere = (elector: number): boolean => this.#isThere(attempt, elector)
    const right = seatsOf(attempt.electors, attempt.term, (elector) => seated.has(elector) || isThere(elector))
    if (right.length !== value.seats.length || right.some((elector, at) => elector !== value.seats[at])) return false
    return value.seats.every(isThere) ? true : undefined
  }

  /** Heard of late, and not ejected. */
  #isThere({ electors, heard }: Attempt, elector: number): boolean {
    const { key, clock, revocations } = this.#init
    const id = electors.members[elector]?.member.id
    if (id === undefined || revocations.of(id) !== undefined) return false
    const at = heard.get(elector)
    return id === key.id || (at !== undefined && clock.monotonic() - at <= THERE_MS)
  }

  #onDecision(certificate: Certificate): void {
    if (this.#attempt === undefined) return
    const { term, head, list, electors } = this.#attempt
    this.#init.terms.offer(toSuccession(term.number + 1, head, list, electors, certificate))
  }

  // --- What comes in -----------------------------------------------------------------------------------------------

  #takeAll(attempt: Attempt, messages: readonly WireMessage[], from: DidKey): void {
    this.#note(attempt, from)
    try {
      for (const wire of messages) attempt.instance.receive(fromWire(attempt.electors.set, wire))
    } catch (error) {
      this.#init.logger.debug('an elector answered nonsense', { elector: shortId(from), error: messageOf(error) })
    }
  }

  /** @throws WeftError E_AGREEMENT_MALFORMED */
  #answer({ electors, instance }: Attempt, request: AgreementPullRequest): WireMessage[] {
    const asked = summaryOf(request, electors.set.size)
    return asked.epoch === instance.agreement.epoch ? instance.answer(asked) : []
  }

  #note({ electors, heard }: Attempt, id: DidKey): void {
    const elector = electors.members.findIndex(({ member }) => member.id === id)
    if (elector >= 0) heard.set(elector, this.#init.clock.monotonic())
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
