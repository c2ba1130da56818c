import { toHex } from '@weft/core'
import type { SignedVote, VoteQuorum } from './agreement-message.ts'
import type { Vote } from './vote.ts'

/** The votes of one phase of one round: the first of each validator, and the one quorum for a value that there can be. */
export class VoteTally {
  readonly #needed: number
  readonly #votes = new Map<number, SignedVote>()
  #certified: VoteQuorum | undefined

  /** @param needed votes that are a quorum */
  constructor(needed: number) {
    this.#needed = needed
  }

  /** Validators that voted, for whatever. */
  get voters(): ReadonlySet<number> {
    return new Set(this.#votes.keys())
  }

  get votes(): Iterable<SignedVote> {
    return this.#votes.values()
  }

  of(voter: number): SignedVote | undefined {
    return this.#votes.get(voter)
  }

  /** Keeps the first vote of a validator; of a further one nothing is kept, so that nobody fills memory. */
  add(vote: SignedVote): void {
    if (!this.#votes.has(vote.voter)) this.#votes.set(vote.voter, vote)
  }

  /**
   * Takes a quorum as a whole. Its votes may differ from those that came one by one, as whoever lies votes twice: without
   * it two honest validators that each heard another half of the liar would never see the same.
   */
  certify(quorum: VoteQuorum): void {
    this.#certified ??= quorum
  }

  /** Whether a quorum voted, for whatever. */
  get isComplete(): boolean {
    return this.#votes.size >= this.#needed
  }

  /** Whether a quorum voted for no value. */
  get isNil(): boolean {
    return [...this.#votes.values()].filter(({ vote }) => vote.value === undefined).length >= this.#needed
  }

  /** The quorum for a value. Two of them would share an honest validator that voted twice. */
  quorum(): VoteQuorum | undefined {
    if (this.#certified !== undefined || this.#votes.size < this.#needed) return this.#certified
    const byValue = new Map<string, SignedVote[]>()
    for (const signed of this.#votes.values()) {
      if (signed.vote.value === undefined) continue
      const key = toHex(signed.vote.value)
      const same = byValue.get(key) ?? []
      same.push(signed)
      byValue.set(key, same)
      if (same.length >= this.#needed) return (this.#certified = quorumOf(signed.vote, signed.payload, same))
    }
    return undefined
  }
}

function quorumOf(vote: Vote, payload: Uint8Array, votes: readonly SignedVote[]): VoteQuorum {
  return { vote, payload, signatures: new Map(votes.map(({ voter, signature }) => [voter, signature])) }
}
