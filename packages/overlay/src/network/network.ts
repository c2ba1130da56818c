import { Emitter } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import { type Seat, type Term, type TermInit, termOf } from '../terms/term.ts'
import { waysOf } from './admission-policy.ts'
import type { NetworkFile } from './network-file.ts'
import { networkIdOf } from './network-id.ts'

/**
 * A network file with what follows from it, and the terms of validators that are known so far. The validators named
 * without an epoch are those of the newest term.
 */
export interface Network {
  readonly id: string
  readonly file: NetworkFile
  readonly quorum: number
  readonly validators: readonly Seat[]
  isValidator(id: DidKey): boolean
  /** Whether its invitations count: it is named as an inviter, or nobody is and it is a validator of the file. */
  isInviter(id: DidKey): boolean
  /** Whether its attestations count. */
  isAttester(id: DidKey): boolean
  /** The newest that is known. */
  readonly term: Term
  /** The one whose validators sign what is of this map epoch. */
  termAt(epoch: number): Term
  /** Begins a term that was verified. @throws RangeError when it does not follow the newest */
  begin(term: TermInit): void
  /** Calls back after each term that began here; returns the unsubscribe function. */
  onTerm(listener: (term: Term) => void): () => void
}

export function networkOf(file: NetworkFile): Network {
  const genesis = termOf({ number: 0, fromEpoch: 0, validators: file.validators, rotation: 0 })
  const terms: [Term, ...Term[]] = [genesis]
  const newest = (): Term => terms.at(-1) ?? genesis
  const emitter = new Emitter<{ term: Term }>()
  const inviters = new Set(
    waysOf(file.policy).includes('invite') ? (file.inviters ?? file.validators.map(({ id }) => id)) : [],
  )
  const attesters = new Set(file.attesters)
  return {
    id: networkIdOf(file),
    file,
    get quorum() {
      return newest().quorum
    },
    get validators() {
      return newest().validators
    },
    isValidator: (id) => newest().isValidator(id),
    isInviter: (id) => inviters.has(id),
    isAttester: (id) => attesters.has(id),
    get term() {
      return newest()
    },
    termAt: (epoch) => terms.findLast(({ fromEpoch }) => fromEpoch <= epoch) ?? genesis,
    begin(next) {
      const { number, fromEpoch } = newest()
      if (next.number !== number + 1 || next.fromEpoch <= fromEpoch)
        throw new RangeError(`term ${next.number} from epoch ${next.fromEpoch} does not follow ${number}`)
      const term = termOf(next)
      terms.push(term)
      emitter.emit('term', term)
    },
    onTerm: (listener) => emitter.on('term', listener),
  }
}
