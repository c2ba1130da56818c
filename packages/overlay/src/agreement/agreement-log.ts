import { equalBytes, toHex } from '@weft/core'
import type { Certificate, SignedProposal, SignedVote, VoteQuorum } from './agreement-message.ts'
import type { Equivocation, SignedPayload } from './equivocation.ts'
import { malformed } from './malformed.ts'
import { RoundState } from './round-state.ts'
import type { ValidatorSet } from './validator-set.ts'
import { verifyProposal, verifyQuorum, verifyVote } from './verify-message.ts'

/**
 * The messages of one agreement that were verified. Of each validator one proposal and one vote of each phase a round
 * are kept, and of each round one quorum; the rounds are bounded by the form of the messages. What is known already costs
 * no look at a signature.
 */
export class AgreementLog {
  readonly #set: ValidatorSet
  readonly #onEvidence: (evidence: Equivocation) => void
  readonly #rounds = new Map<number, RoundState>()
  /** By the hex of their hash: of proposals and quorums. */
  readonly #values = new Map<string, Uint8Array>()
  /** Validators with evidence against them: one piece each is enough. */
  readonly #accused = new Set<number>()

  constructor(set: ValidatorSet, onEvidence: (evidence: Equivocation) => void) {
    this.#set = set
    this.#onEvidence = onEvidence
  }

  get rounds(): ReadonlyMap<number, RoundState> {
    return this.#rounds
  }

  round(round: number): RoundState {
    let state = this.#rounds.get(round)
    if (state === undefined) this.#rounds.set(round, (state = new RoundState(this.#set.quorum)))
    return state
  }

  /** True for the first proposal of its round. @throws WeftError E_SIGNATURE_INVALID */
  addProposal(signed: SignedProposal): boolean {
    const { proposer, payload, lock } = signed
    const state = this.round(signed.proposal.round)
    const earlier = state.proposal
    if (earlier !== undefined && (equalBytes(earlier.payload, payload) || this.#accused.has(proposer))) return false
    verifyProposal(this.#set, signed)
    if (earlier !== undefined) {
      this.#accuse(proposer, 'proposal', earlier, signed)
      return false
    }
    if (lock !== undefined) verifyQuorum(this.#set, lock)
    this.keepProposal(signed)
    return true
  }

  /** Keeps a proposal of one's own, or one that was verified. */
  keepProposal(signed: SignedProposal): void {
    this.round(signed.proposal.round).proposal = signed
    this.keepValue(signed.proposal.value, signed.value)
  }

  keepValue(hash: Uint8Array, value: Uint8Array): void {
    this.#values.set(toHex(hash), value)
  }

  /** @throws WeftError E_SIGNATURE_INVALID */
  addVote(signed: SignedVote): void {
    const earlier = this.#tallyOf(signed).of(signed.voter)
    const isKnown = earlier !== undefined && equalBytes(earlier.payload, signed.payload)
    if (isKnown || (earlier !== undefined && this.#accused.has(signed.voter))) return
    verifyVote(this.#set, signed)
    this.#count(signed)
  }

  /** Keeps a vote of one's own. */
  keepVote(signed: SignedVote): void {
    this.#tallyOf(signed).add(signed)
  }

  /** Takes a quorum of prevotes with its value; false when it is known. @throws WeftError E_SIGNATURE_INVALID, E_AGREEMENT_MALFORMED */
  addPolka({ quorum, value }: Certificate, self: number): boolean {
    const { round, value: hash } = quorum.vote
    if (hash === undefined) throw malformed('a certificate is for no value')
    const tally = this.round(round).tallies.prevote
    if (this.withValue(tally.quorum()) !== undefined) return false
    verifyQuorum(this.#set, quorum)
    this.keepValue(hash, value)
    tally.certify(quorum)
    for (const [voter, signature] of quorum.signatures) {
      if (voter !== self) this.#count({ vote: quorum.vote, payload: quorum.payload, voter, signature })
    }
    return true
  }

  /** A quorum with what it is for; undefined while the value is not known. */
  withValue(quorum: VoteQuorum | undefined): Certificate | undefined {
    const hash = quorum?.vote.value
    const value = hash === undefined ? undefined : this.#values.get(toHex(hash))
    return quorum === undefined || value === undefined ? undefined : { quorum, value }
  }

  #tallyOf({ vote }: SignedVote) {
    return this.round(vote.round).tallies[vote.phase]
  }

  /** Counts a vote that was verified, or accuses its voter of two. */
  #count(signed: SignedVote): void {
    const tally = this.#tallyOf(signed)
    const earlier = tally.of(signed.voter)
    if (earlier === undefined) tally.add(signed)
    else if (!equalBytes(earlier.payload, signed.payload)) this.#accuse(signed.voter, 'vote', earlier, signed)
  }

  #accuse(validator: number, of: Equivocation['of'], first: SignedPayload, second: SignedPayload): void {
    if (this.#accused.has(validator)) return
    this.#accused.add(validator)
    const signed = ({ payload, signature }: SignedPayload): SignedPayload => ({ payload, signature })
    this.#onEvidence({ validator, of, first: signed(first), second: signed(second) })
  }
}
