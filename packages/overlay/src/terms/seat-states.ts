import type { DidKey } from '@weft/crypto'
import type { Term } from './term.ts'

/** How a validator of the newest term does, as this node knows it. */
export interface SeatStatus {
  readonly id: DidKey
  /** `unknown`: this node keeps no connection to it, and has no other sign of it. */
  readonly state: 'answers' | 'silent' | 'unknown'
  /** Whether it is in the newest map: validators leave out whom they do not hear, and who leaves. */
  readonly inMap: boolean
}

/** What this node knows of others. */
export interface SeatWitness {
  readonly self: DidKey
  /** Before the first map nobody is a member. */
  readonly hasMap: boolean
  readonly isMember: (id: DidKey) => boolean
  /** Of a peer to which a connection is kept. */
  readonly kept: (id: DidKey) => { readonly state: 'connected' | 'connecting' | 'unreachable' } | undefined
  /** As several observers hold; of kept peers. */
  readonly suspects: ReadonlySet<DidKey>
  readonly connected: ReadonlySet<DidKey>
  /** Of the held map; nobody while it is stale. */
  readonly signers: ReadonlySet<DidKey>
}

/** Each seat of a term: what this node sees of it, and else whether it signed the newest map. */
export function seatStates({ validators }: Pick<Term, 'validators'>, witness: SeatWitness): readonly SeatStatus[] {
  return validators.map(({ id }) => ({ id, state: stateOf(id, witness), inMap: witness.isMember(id) }))
}

function stateOf(id: DidKey, witness: SeatWitness): SeatStatus['state'] {
  const { self, hasMap, isMember, kept, suspects, connected, signers } = witness
  if (id === self) return 'answers'
  const state = isMember(id) ? kept(id)?.state : undefined
  if (suspects.has(id) || state === 'unreachable') return 'silent'
  if (state === 'connected' || connected.has(id) || signers.has(id)) return 'answers'
  // The other validators left it out, as they do not hear it or it said that it leaves.
  return hasMap && !isMember(id) ? 'silent' : 'unknown'
}
