/** How long a round waits, in ms (`timeoutPropose`, `timeoutPrevote` and `timeoutPrecommit` of the paper). */
export interface Timeouts {
  /** For the proposal. */
  propose(round: number): number
  /** For further votes, once a quorum voted and did not agree. */
  vote(round: number): number
  /** Between two questions for what was missed. */
  readonly pull: number
}

/** Parts of an epoch that the first round waits; measured in ADR 16. */
const PROPOSE = 1 / 10
const VOTE = 1 / 20
/** ms: in long epochs nothing is won by more. */
const MOST_PROPOSE = 10_000
/** Growth with each round: rounds outgrow whatever the network takes, as the proof of termination needs. */
const GROWTH = 1 / 2

/**
 * Timeouts of an epoch. With the first proposer down, the next proposes after 0.15 of the epoch; a third after 0.375,
 * a fourth after 0.675.
 * @param epochMs length of an epoch, ms
 */
export function timeoutsOf(epochMs: number): Timeouts {
  const propose = Math.min(epochMs * PROPOSE, MOST_PROPOSE)
  const vote = (propose * VOTE) / PROPOSE
  const grown = (base: number, round: number): number => Math.ceil(base * (1 + round * GROWTH))
  return { propose: (round) => grown(propose, round), vote: (round) => grown(vote, round), pull: Math.ceil(vote) }
}
