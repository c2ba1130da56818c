import { toHex } from '@weft/core'
import { TokenKey } from '@weft/crypto'
import type { IssuerKey } from './receipt-issuer.ts'
import { receiptChallenge, receiptEpoch, REDEEMED_EPOCHS, SPENT_EPOCHS } from './receipt-epoch.ts'

/** A key of an issuer, ready to be used. */
export interface RingKey extends IssuerKey {
  readonly key: TokenKey
  readonly challenge: Uint8Array
}

/** Keys of an issuer that are kept: of the epochs whose tokens it takes back, and of the next one. */
const KEYS_OF_ISSUER = REDEEMED_EPOCHS + 1

/** The keys of issuers as a node knows them. */
export class KeyRing {
  readonly #networkId: string
  readonly #keys = new Map<string, RingKey>()

  constructor(networkId: string) {
    this.#networkId = networkId
  }

  /**
   * Takes what an issuer says now. A key that an epoch had before stays: an issuer has one for all, and changes none.
   * @returns epochs for which it named another one than before, or none that can be used
   */
  take(keys: readonly IssuerKey[]): readonly number[] {
    const wrong: number[] = []
    for (const { issuer, epoch, bytes } of keys.slice(0, KEYS_OF_ISSUER)) {
      const key = TokenKey.parse(bytes)
      const known = this.all().find((one) => one.issuer === issuer && one.epoch === epoch)
      if (key === undefined || (known !== undefined && toHex(known.key.id) !== toHex(key.id))) wrong.push(epoch)
      else if (known === undefined)
        this.#keys.set(toHex(key.id), {
          issuer,
          epoch,
          bytes: key.bytes,
          key,
          challenge: receiptChallenge(this.#networkId, issuer, epoch),
        })
    }
    return wrong
  }

  /** Forgets those whose tokens nobody takes back any more. @param now ms since the Unix epoch */
  prune(now: number): void {
    for (const [name, { epoch }] of this.#keys)
      if (epoch <= receiptEpoch(now) - REDEEMED_EPOCHS) this.#keys.delete(name)
  }

  all(): readonly RingKey[] {
    return [...this.#keys.values()]
  }

  of(keyId: Uint8Array): RingKey | undefined {
    return this.#keys.get(toHex(keyId))
  }

  /** Those whose tokens hops take at that time, the newest first. @param now ms since the Unix epoch */
  spendable(now: number): readonly RingKey[] {
    return this.all()
      .filter(({ epoch }) => isSpendable(epoch, now))
      .toSorted((one, other) => other.epoch - one.epoch)
  }
}

/** @param now ms since the Unix epoch */
export function isSpendable(epoch: number, now: number): boolean {
  const age = receiptEpoch(now) - epoch
  return age >= 0 && age < SPENT_EPOCHS
}
