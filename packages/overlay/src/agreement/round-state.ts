import type { SignedProposal } from './agreement-message.ts'
import type { Phase } from './vote.ts'
import { VoteTally } from './vote-tally.ts'

/** What is known of one round. */
export class RoundState {
  proposal: SignedProposal | undefined
  readonly tallies: Readonly<Record<Phase, VoteTally>>
  /** What the rules do once in a round and was done. */
  readonly done = new Set<'prevote-timer' | 'precommit-timer' | 'polka'>()

  /** @param quorum votes that are one */
  constructor(quorum: number) {
    this.tallies = { prevote: new VoteTally(quorum), precommit: new VoteTally(quorum) }
  }

  /** Validators that were heard in it. */
  get speakers(): ReadonlySet<number> {
    const speakers = this.tallies.prevote.voters.union(this.tallies.precommit.voters)
    return this.proposal === undefined ? speakers : speakers.union(new Set([this.proposal.proposer]))
  }
}
