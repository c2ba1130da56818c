import type { AgreementMessage, Certificate } from './agreement-message.ts'
import type { RoundState } from './round-state.ts'
import type { Summary } from './summary.ts'

const NOTHING = { proposal: false, prevotes: new Set<number>(), precommits: new Set<number>() }

/**
 * What another validator lacks of an agreement that is under way: of its own round what it does not have, and the newest
 * rounds, by which it skips those between. So whatever one honest validator has heard all others hear in the end, as the
 * paper's gossip property asks.
 * @param round the round that this validator is in
 * @param valid the newest quorum of prevotes that it knows
 */
export function lackingMessages(
  rounds: ReadonlyMap<number, RoundState>,
  round: number,
  valid: Certificate | undefined,
  asked: Summary,
): AgreementMessage[] {
  const messages: AgreementMessage[] = []
  if (valid !== undefined && valid.quorum.vote.round > (asked.validRound ?? -1)) {
    messages.push({ kind: 'certificate', certificate: valid })
  }
  for (const wanted of new Set([asked.round, round - 1, round, round + 1])) {
    const state = rounds.get(wanted)
    if (state === undefined || wanted < asked.round) continue
    const has = wanted === asked.round ? asked : NOTHING
    const { proposal, tallies } = state
    if (proposal !== undefined && !has.proposal) messages.push({ kind: 'proposal', proposal })
    for (const vote of tallies.prevote.votes) if (!has.prevotes.has(vote.voter)) messages.push({ kind: 'vote', vote })
    for (const vote of tallies.precommit.votes)
      if (!has.precommits.has(vote.voter)) messages.push({ kind: 'vote', vote })
  }
  return messages
}
