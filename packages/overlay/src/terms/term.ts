import { toHex } from '@weft/core'
import { type DidKey, fromDidKey } from '@weft/crypto'
import { quorumOf } from '../network/quorum.ts'

/** A validator's place in a term. */
export interface Seat {
  readonly id: DidKey
  /** Where it listens, `/ip4/…/tcp/…`; 1 to 8. */
  readonly addresses: readonly string[]
  readonly family: string
}

/** The validators from an epoch on, until the next term begins (docs/specs/terms.md). */
export interface Term {
  /** 0 is that of the network file. */
  readonly number: number
  /** Map epoch: maps and certificates of it and later ones are signed by these validators. */
  readonly fromEpoch: number
  readonly validators: readonly Seat[]
  /** Of the last rotation before it (docs/specs/terms.md, Rotation); 0 of the network file. */
  readonly rotation: number
  /** Signatures that make a certificate or a map. */
  readonly quorum: number
  isValidator(id: DidKey): boolean
  /** The validator with this public key; undefined when there is none. */
  validatorWith(publicKey: Uint8Array): DidKey | undefined
}

/** What a term is made of. */
export type TermInit = Pick<Term, 'number' | 'fromEpoch' | 'validators' | 'rotation'>

export function termOf({ number, fromEpoch, validators, rotation }: TermInit): Term {
  const byKey = new Map(validators.map(({ id }) => [toHex(fromDidKey(id)), id]))
  const ids = new Set(byKey.values())
  return {
    number,
    fromEpoch,
    validators,
    rotation,
    quorum: quorumOf(validators.length),
    isValidator: (id) => ids.has(id),
    validatorWith: (publicKey) => byKey.get(toHex(publicKey)),
  }
}
