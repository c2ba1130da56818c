import type { Random } from '@weft/core'
import type { SigningKey } from '@weft/crypto'
import { type BeaconKeyEntry, type BeaconKeyPair, deriveBeaconKey, enterBeaconKey } from './beacon-key.ts'

/** The beacon key of this node, made when it is a validator, and what it is listed with. */
export class OwnBeaconKey {
  readonly #network: string
  readonly #key: SigningKey
  readonly #random: Random
  #pair: BeaconKeyPair | undefined
  #entry: BeaconKeyEntry | undefined

  constructor(network: string, key: SigningKey, random: Random) {
    this.#network = network
    this.#key = key
    this.#random = random
  }

  get pair(): BeaconKeyPair {
    return (this.#pair ??= deriveBeaconKey(this.#key))
  }

  /** The same as long as the process lives. */
  get entry(): BeaconKeyEntry {
    return (this.#entry ??= enterBeaconKey(this.#network, this.#key.publicKey, this.pair, this.#random))
  }
}
