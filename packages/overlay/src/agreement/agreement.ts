import { equalBytes, isWeftError } from '@weft/core'
import { type SigningKey, sha256 } from '@weft/crypto'
import type { AgreementAction, AgreementTimer, Step } from './agreement-action.ts'
import {
  type AgreementMessage,
  type Certificate,
  type SignedProposal,
  type SignedVote,
  type VoteQuorum,
  epochOf,
} from './agreement-message.ts'
import { AgreementLog } from './agreement-log.ts'
import type { AgreementState, CastVote } from './agreement-state.ts'
import { lackingMessages } from './lacking-messages.ts'
import { malformed } from './malformed.ts'
import { encodeProposal } from './proposal.ts'
import type { Summary } from './summary.ts'
import type { Timeouts } from './timeouts.ts'
import type { ValidatorSet } from './validator-set.ts'
import { isPolka, verifyQuorum } from './verify-message.ts'
import { MAX_ROUNDS, type Phase, encodeVote } from './vote.ts'

export interface AgreementInit {
  readonly set: ValidatorSet
  readonly key: SigningKey
  readonly epoch: number
  readonly timeouts: Timeouts
  /** A value of one's own; undefined while there is none (`getValue` of the paper). */
  readonly propose: () => Uint8Array | undefined
  /** Whether a value may be agreed on; undefined while that cannot be told yet (`valid` of the paper). */
  readonly judge: (value: Uint8Array) => boolean | undefined
  /** Of this epoch, after a restart. */
  readonly restored?: AgreementState | undefined
}

/** Before round 0. */
const NOT_STARTED = -1

/**
 * One agreement among validators on one value: Tendermint (Buchman, Kwon and Milosevic, arXiv:1807.04938v3, algorithm
 * 1) for the one height that an epoch is; `line` in comments is a line of that algorithm. No clock, no network, no disk:
 * messages and timers go in, actions come out, and equal inputs make equal actions. What it keeps is bounded by
 * MAX_ROUNDS and the number of validators, whatever is sent (docs/specs/agreement.md; departures: docs/adr/0016).
 */
export class Agreement {
  readonly epoch: number
  readonly #init: AgreementInit
  readonly #self: number
  readonly #log: AgreementLog
  #actions: AgreementAction[] = []
  #round = NOT_STARTED
  #step: Step = 'propose'
  /** What this validator said in the round. */
  #own: Pick<AgreementState, 'proposal' | Phase> = { proposal: undefined, prevote: undefined, precommit: undefined }
  #locked: AgreementState['locked']
  #valid: Certificate | undefined
  #decision: Certificate | undefined

  /** @throws RangeError when the key is not that of a validator */
  constructor(init: AgreementInit) {
    this.#init = init
    this.epoch = init.epoch
    const self = init.set.indexOf(init.key.publicKey)
    if (self === undefined) throw new RangeError('only a validator takes part in the agreement')
    this.#self = self
    this.#log = new AgreementLog(init.set, (evidence) => this.#actions.push({ type: 'evidence', evidence }))
  }

  /** The round that it is in; undefined before `start`. */
  get round(): number | undefined {
    return this.#round === NOT_STARTED ? undefined : this.#round
  }

  /** Whether it gave its precommit to a value: in another agreement about the same it must not. */
  get isLocked(): boolean {
    return this.#locked !== undefined
  }

  /** The value that was agreed on with the precommits that prove it. */
  get decision(): Certificate | undefined {
    return this.#decision
  }

  /** Begins round 0, or goes on where the state of before a restart left off. */
  start(): AgreementAction[] {
    if (this.#round !== NOT_STARTED || this.#decision !== undefined) return []
    const { restored } = this.#init
    if (restored?.epoch === this.epoch) this.#resume(restored)
    else this.#startRound(0)
    return this.#settle()
  }

  /** @throws WeftError E_SIGNATURE_INVALID, E_AGREEMENT_MALFORMED; nothing of such a message is kept */
  receive(message: AgreementMessage): AgreementAction[] {
    if (this.#decision !== undefined || epochOf(message) !== this.epoch) return []
    switch (message.kind) {
      case 'proposal':
        this.#onProposal(message.proposal)
        break
      case 'vote':
        this.#onVote(message.vote)
        break
      case 'certificate':
        this.#onCertificate(message.certificate)
    }
    return this.#settle()
  }

  /** The timeouts of lines 57, 61 and 65; one of a round that is over does nothing. */
  onTimer({ step, round }: AgreementTimer): AgreementAction[] {
    if (this.#decision !== undefined || round !== this.#round) return []
    if (step === 'precommit') {
      if (round + 1 < MAX_ROUNDS) this.#startRound(round + 1)
    } else if (step === this.#step) {
      this.#cast(step === 'propose' ? 'prevote' : 'precommit', undefined)
    }
    return this.#settle()
  }

  /** To be called when `judge` or `propose` may say more than before. */
  reconsider(): AgreementAction[] {
    if (this.#round === NOT_STARTED || this.#decision !== undefined) return []
    this.#propose()
    return this.#settle()
  }

  summary(): Summary {
    const round = Math.max(this.#round, 0)
    const state = this.#log.round(round)
    return {
      epoch: this.epoch,
      round,
      proposal: state.proposal !== undefined,
      prevotes: state.tallies.prevote.voters,
      precommits: state.tallies.precommit.voters,
      validRound: this.#valid?.quorum.vote.round,
    }
  }

  /** What another validator lacks: the decision; else of its round and of the newest ones what it does not have. */
  answer(asked: Summary): AgreementMessage[] {
    if (this.#decision !== undefined) return [{ kind: 'certificate', certificate: this.#decision }]
    return lackingMessages(this.#log.rounds, this.#round, this.#valid, asked)
  }

  // --- What comes in -------------------------------------------------------------------------------------------

  #onProposal(signed: SignedProposal): void {
    const { round } = signed.proposal
    // Of later rounds only the next: values are large, and are had by a pull once their round has come.
    if (round < this.#round || round > Math.max(this.#round, 0) + 1 || signed.proposer === this.#self) return
    if (!this.#log.addProposal(signed) || signed.lock === undefined) return
    this.#noteValid({ quorum: signed.lock, value: signed.value })
  }

  #onVote(signed: SignedVote): void {
    const { round, phase } = signed.vote
    if (signed.voter === this.#self || (phase === 'prevote' && round < this.#round)) return
    this.#log.addVote(signed)
  }

  #onCertificate(certificate: Certificate): void {
    const { round, phase, value } = certificate.quorum.vote
    if (phase === 'prevote') {
      const isOld = round < this.#round && round <= (this.#valid?.quorum.vote.round ?? -1)
      if (!isOld && this.#log.addPolka(certificate, this.#self) && round <= this.#round) this.#noteValid(certificate)
      return
    }
    if (value === undefined) throw malformed('a decision is for no value')
    verifyQuorum(this.#init.set, certificate.quorum)
    this.#decide(certificate)
  }

  // --- The rules of the paper ----------------------------------------------------------------------------------

  /** Applies the rules until none has anything to do, and hands out what came of it. */
  #settle(): AgreementAction[] {
    while (this.#decision === undefined && this.#applyOne());
    const actions = this.#actions
    this.#actions = []
    // The last state remembers all that was said up to it, and a write costs a sync: one before all messages will do.
    const state = actions.findLast(({ type }) => type === 'persist')
    return state === undefined ? actions : [state, ...actions.filter(({ type }) => type !== 'persist')]
  }

  #applyOne(): boolean {
    if (this.#decideByVotes()) return true
    if (this.#round === NOT_STARTED) return false
    return this.#skipRounds() || this.#judgeProposal() || this.#lock() || this.#giveUpValue() || this.#setTimers()
  }

  /** Line 49, in any round. */
  #decideByVotes(): boolean {
    for (const { tallies } of this.#log.rounds.values()) {
      const certificate = this.#log.withValue(tallies.precommit.quorum())
      if (certificate === undefined) continue
      this.#decide(certificate)
      return true
    }
    return false
  }

  /** Line 55: some honest validator is in a later round. */
  #skipRounds(): boolean {
    const later = [...this.#log.rounds].filter(
      ([round, { speakers }]) => round > this.#round && speakers.size >= this.#init.set.someHonest,
    )
    if (later.length === 0) return false
    this.#startRound(Math.max(...later.map(([round]) => round)))
    return true
  }

  /** Lines 22 and 28. A value that a quorum prevoted needs no judgement of one's own: honest ones of it judged it. */
  #judgeProposal(): boolean {
    const signed = this.#log.round(this.#round).proposal
    if (this.#step !== 'propose' || signed === undefined) return false
    const { lockRound, value: hash } = signed.proposal
    const locked = this.#locked
    let accepted: boolean | undefined
    if (locked !== undefined && equalBytes(locked.value, hash)) accepted = true
    else if (lockRound !== undefined) accepted = locked === undefined || locked.round <= lockRound
    else if (locked !== undefined) accepted = false
    else accepted = signed.proposer === this.#self || this.#init.judge(signed.value)
    if (accepted === undefined) return false
    this.#cast('prevote', accepted ? hash : undefined)
    return true
  }

  /** Line 36. */
  #lock(): boolean {
    const state = this.#log.round(this.#round)
    if (this.#step === 'propose' || state.done.has('polka')) return false
    const certificate = this.#log.withValue(state.tallies.prevote.quorum())
    const value = certificate?.quorum.vote.value
    if (certificate === undefined || value === undefined) return false
    state.done.add('polka')
    this.#noteValid(certificate)
    if (this.#step === 'prevote') {
      this.#locked = { round: this.#round, value }
      this.#cast('precommit', value)
    }
    return true
  }

  /** Line 44. */
  #giveUpValue(): boolean {
    if (this.#step !== 'prevote' || !this.#log.round(this.#round).tallies.prevote.isNil) return false
    this.#cast('precommit', undefined)
    return true
  }

  /** Lines 34 and 47. */
  #setTimers(): boolean {
    const { tallies, done } = this.#log.round(this.#round)
    const due = (['prevote', 'precommit'] as const).filter(
      (phase) =>
        tallies[phase].isComplete && !done.has(`${phase}-timer`) && (phase === 'precommit' || this.#step === 'prevote'),
    )
    for (const phase of due) {
      done.add(`${phase}-timer`)
      this.#setTimer(phase, this.#init.timeouts.vote(this.#round))
    }
    return due.length > 0
  }

  /** Line 11. */
  #startRound(round: number): void {
    this.#round = round
    this.#step = 'propose'
    this.#own = { proposal: undefined, prevote: undefined, precommit: undefined }
    for (const [earlier, { tallies }] of this.#log.rounds) {
      const certificate = earlier < round ? this.#log.withValue(tallies.prevote.quorum()) : undefined
      if (certificate !== undefined) this.#noteValid(certificate)
    }
    this.#setTimer('propose', this.#init.timeouts.propose(round))
    this.#propose()
  }

  /** Lines 14 to 19, as soon as there is something to propose. */
  #propose(): void {
    const { set, propose } = this.#init
    const round = this.#round
    const isTurn = set.proposer(this.epoch, round) === this.#self
    if (!isTurn || this.#step !== 'propose' || this.#own.proposal !== undefined) return
    const valid = this.#valid
    if (valid !== undefined && valid.quorum.vote.round >= round) return
    const value = valid?.value ?? propose()
    if (value === undefined) return
    this.#own = { ...this.#own, proposal: { value, lockRound: valid?.quorum.vote.round } }
    const proposal = this.#signProposal(value, valid?.quorum)
    this.#say({ kind: 'proposal', proposal })
  }

  #signProposal(value: Uint8Array, lock: VoteQuorum | undefined): SignedProposal {
    const { set, key } = this.#init
    const { epoch } = this
    const hash = sha256(value)
    const proposal = { network: set.networkId, epoch, round: this.#round, lockRound: lock?.vote.round, value: hash }
    const payload = encodeProposal(proposal)
    const signature = key.sign('agreement-proposal', payload)
    const signed = { proposal, payload, proposer: this.#self, signature, value, lock }
    this.#log.keepProposal(signed)
    return signed
  }

  #cast(phase: Phase, value: Uint8Array | undefined): void {
    this.#step = phase
    this.#own = { ...this.#own, [phase]: { value } }
    this.#say({ kind: 'vote', vote: this.#signVote(phase, value) })
  }

  #signVote(phase: Phase, value: Uint8Array | undefined): SignedVote {
    const { set, key } = this.#init
    const vote = { network: set.networkId, epoch: this.epoch, round: this.#round, phase, value }
    const payload = encodeVote(vote)
    const signed = { vote, payload, voter: this.#self, signature: key.sign('agreement-vote', payload) }
    this.#log.keepVote(signed)
    return signed
  }

  #decide(certificate: Certificate): void {
    this.#decision = certificate
    this.#actions.push({ type: 'decide', certificate })
  }

  // --- What is kept --------------------------------------------------------------------------------------------

  /** Nothing is said that was not written down before. */
  #say(message: AgreementMessage): void {
    const { epoch } = this
    const entry = [...(this.#log.rounds.get(this.#round - 1)?.tallies.precommit.votes ?? [])]
    const state = { epoch, round: this.#round, ...this.#own, locked: this.#locked, valid: this.#valid, entry }
    this.#actions.push({ type: 'persist', state }, { type: 'send', message })
  }

  /** Takes up a round where it was left. What was said is said again, as it may never have left. */
  #resume({ epoch, round, proposal, prevote, precommit, locked, valid, entry }: AgreementState): void {
    this.#round = round
    this.#own = { proposal, prevote, precommit }
    this.#locked = locked
    if (valid !== undefined && isPolka(this.#init.set, epoch, valid)) {
      this.#log.keepValue(sha256(valid.value), valid.value)
      this.#noteValid(valid)
    }
    this.#reenter(entry)
    const said: AgreementMessage[] = []
    // One with a lock needs its votes again; when a newer quorum took their place, the proposal has done its part.
    const known = this.#valid?.quorum
    if (proposal !== undefined && (proposal.lockRound === undefined || proposal.lockRound === known?.vote.round)) {
      const lock = proposal.lockRound === undefined ? undefined : known
      said.push({ kind: 'proposal', proposal: this.#signProposal(proposal.value, lock) })
    }
    const repeat = (phase: Phase, cast: CastVote | undefined): void => {
      if (cast === undefined) return
      this.#step = phase
      said.push({ kind: 'vote', vote: this.#signVote(phase, cast.value) })
    }
    repeat('prevote', prevote)
    repeat('precommit', precommit)
    for (const message of said) this.#actions.push({ type: 'send', message })
    if (this.#step === 'propose') this.#setTimer('propose', this.#init.timeouts.propose(round))
    this.#propose()
  }

  /** A disk is no more to be believed than the wire: a vote that does not hold is left out. */
  #reenter(entry: readonly SignedVote[]): void {
    for (const signed of entry) {
      const { epoch, round, phase, network } = signed.vote
      const fits = epoch === this.epoch && network === this.#init.set.networkId && round === this.#round - 1
      if (!fits || phase !== 'precommit' || signed.voter >= this.#init.set.size) continue
      try {
        this.#log.addVote(signed)
      } catch (error) {
        if (!isWeftError(error, 'E_SIGNATURE_INVALID')) throw error
      }
    }
  }

  #noteValid(certificate: Certificate): void {
    if (certificate.quorum.vote.round > (this.#valid?.quorum.vote.round ?? -1)) this.#valid = certificate
  }

  #setTimer(step: Step, ms: number): void {
    this.#actions.push({ type: 'timer', timer: { step, round: this.#round }, ms })
  }
}
