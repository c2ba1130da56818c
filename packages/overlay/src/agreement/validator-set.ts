import { toHex } from '@weft/core'
import { type SigningPurpose, fromDidKey, verifySignature } from '@weft/crypto'
import type { Seat, Term } from '../terms/term.ts'
import { toleratedFaults } from '../network/quorum.ts'

type AgreementPurpose = Extract<SigningPurpose, `agreement-${string}`>

/** Who agrees: the validators of a term, named by their place in it. */
export class ValidatorSet {
  readonly networkId: string
  /** Votes that are a quorum: N - f. */
  readonly quorum: number
  /** Validators of whom at least one is honest: f + 1. */
  readonly someHonest: number
  readonly #keys: readonly Uint8Array[]
  readonly #indexes: ReadonlyMap<string, number>

  /** @param networkId what each message names, so that none counts in another agreement */
  constructor(
    networkId: string,
    { validators, quorum }: { readonly validators: readonly Pick<Seat, 'id'>[] } & Pick<Term, 'quorum'>,
  ) {
    this.networkId = networkId
    this.quorum = quorum
    this.#keys = validators.map(({ id }) => fromDidKey(id))
    this.#indexes = new Map(this.#keys.map((key, index) => [toHex(key), index]))
    this.someHonest = toleratedFaults(this.#keys.length) + 1
  }

  get size(): number {
    return this.#keys.length
  }

  /** The place of a validator by its public key; undefined for anybody else. */
  indexOf(publicKey: Uint8Array): number | undefined {
    return this.#indexes.get(toHex(publicKey))
  }

  /** 32 bytes. @throws RangeError for a place that nobody has */
  keyOf(index: number): Uint8Array {
    const key = this.#keys[index]
    if (key === undefined) throw new RangeError(`there is no validator ${index}`)
    return key
  }

  /** Whether a validator signed exactly these bytes for this purpose. */
  isSigned(purpose: AgreementPurpose, payload: Uint8Array, index: number, signature: Uint8Array): boolean {
    return verifySignature(purpose, payload, signature, this.keyOf(index))
  }

  /** The one whose proposal a round decides on: each round another, and each epoch begins with another. */
  proposer(epoch: number, round: number): number {
    return (epoch + round) % this.size
  }
}
