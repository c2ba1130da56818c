import type { RevocationsAnswer } from '@weft/node'

type Lists = Pick<RevocationsAnswer, 'inForce' | 'pending'>

/** What became of a vote that waits for others: of a node that is not ejected there is no way back to vote for. */
export function waitingState({ id, reason }: Lists['pending'][number], { inForce }: Lists): string {
  if (reason !== 'withdrawn') return 'waits for votes'
  const isEjected = inForce.some((one) => one.id === id && one.reason !== 'withdrawn')
  return isEjected ? 'way back waits for votes' : 'not ejected; counts should it be'
}
