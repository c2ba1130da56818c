import { equalBytes } from '@weft/core'
import { type DidKey, type PrivacyToken, TokenKey } from '@weft/crypto'
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
  /** By issuer and epoch. */
  readonly #keys = new Map<string, RingKey>()

  constructor(networkId: string) {
    this.#networkId = networkId
  }

  /**
   * Takes what an issuer says now. A key that an epoch had before stays: an issuer has one for all, and changes none. What another issuer names is no
   * matter here: whose a token is, its challenge says.
   * @returns epochs for which it named another one than before, one of another epoch, or none that can be used
   */
  take(keys: readonly IssuerKey[]): readonly number[] {
    const wrong: number[] = []
    for (const { issuer, epoch, bytes } of keys.slice(0, KEYS_OF_ISSUER)) {
      const key = TokenKey.parse(bytes)
      const own = this.#of(issuer)
      const known = own.find((one) => one.epoch === epoch)
      const same = key && own.find((one) => equalBytes(one.key.id, key.id))
      if (key === undefined || known !== same) wrong.push(epoch)
      else if (known === undefined)
        this.#keys.set(`${issuer} ${epoch}`, {
          issuer,
          epoch,
          bytes: key.bytes,
          key,
          challenge: receiptChallenge(this.#networkId, issuer, epoch),
        })
    }
    return wrong
  }

  /** Other issuers that name a key which this one names as well. */
  sharing(issuer: DidKey): readonly DidKey[] {
    const own = this.#of(issuer)
    const isShared = ({ key }: RingKey): boolean => own.some((one) => equalBytes(one.key.id, key.id))
    const others = this.all().filter((one) => one.issuer !== issuer && isShared(one))
    return [...new Set(others.map((one) => one.issuer))]
  }

  /** Forgets those whose tokens nobody takes back any more. @param now ms since the Unix epoch */
  prune(now: number): void {
    for (const [name, { epoch }] of this.#keys)
      if (epoch <= receiptEpoch(now) - REDEEMED_EPOCHS) this.#keys.delete(name)
  }

  all(): readonly RingKey[] {
    return [...this.#keys.values()]
  }

  /** By which a token is verified. Of issuers that name the same key, that of the one for which the token is. */
  of({ keyId, challengeDigest }: Pick<PrivacyToken, 'keyId' | 'challengeDigest'>): RingKey | undefined {
    const named = this.all().filter(({ key }) => equalBytes(key.id, keyId))
    return named.find(({ challenge }) => equalBytes(challenge, challengeDigest)) ?? named[0]
  }

  /** Those whose tokens hops take at that time, the newest first. @param now ms since the Unix epoch */
  spendable(now: number): readonly RingKey[] {
    return this.all()
      .filter(({ epoch }) => isSpendable(epoch, now))
      .toSorted((one, other) => other.epoch - one.epoch)
  }

  #of(issuer: DidKey): readonly RingKey[] {
    return this.all().filter((one) => one.issuer === issuer)
  }
}

/** Whether a key of that epoch is kept: those whose tokens an issuer takes back, and the next one. @param now ms since the Unix epoch */
export function isKept(epoch: number, now: number): boolean {
  const age = receiptEpoch(now) - epoch
  return age >= -1 && age < REDEEMED_EPOCHS
}

/** @param now ms since the Unix epoch */
export function isSpendable(epoch: number, now: number): boolean {
  const age = receiptEpoch(now) - epoch
  return age >= 0 && age < SPENT_EPOCHS
}
