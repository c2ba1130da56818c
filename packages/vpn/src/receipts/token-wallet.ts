import { concatBytes, type Random, WeftError } from '@weft/core'
import { type BlindedMessage, SigningKey, tokenInput, wipe } from '@weft/crypto'
import { isSpendable, type RingKey } from './key-ring.ts'
import { MAX_BATCH, type ReceiptIssuer } from './receipt-issuer.ts'
import type { OwnToken } from './spend.ts'
import type { WalletFile } from './wallet-file.ts'

interface Blinded extends BlindedMessage {
  readonly seed: Uint8Array
  readonly input: Uint8Array
}

/** A client's tokens: fetched in batches ahead of their use, and handed out once. */
export class TokenWallet {
  readonly #file: WalletFile
  readonly #random: Random

  constructor(file: WalletFile, random: Random) {
    this.#file = file
    this.#random = random
  }

  /** Tokens that hops take at that time. @param now ms since the Unix epoch */
  count(now: number): number {
    return this.#file.tokens.filter(({ epoch }) => isSpendable(epoch, now)).length
  }

  /** So many at most, the oldest first; they are this wallet's no more. */
  take(most: number, now: number): readonly OwnToken[] {
    return this.#file.remove(most, ({ epoch }) => isSpendable(epoch, now))
  }

  /** Takes back what was not spent. */
  putBack(tokens: readonly OwnToken[]): void {
    this.#file.add(tokens)
  }

  /** Wipes what nobody takes any more. @returns how many these were */
  prune(now: number): number {
    const old = this.#file.remove(Infinity, ({ epoch }) => !isSpendable(epoch, now))
    for (const { seed } of old) wipe(seed)
    return old.length
  }

  /**
   * Fetches so many, 64 at most. What was asked for and did not come is lost, and counted at the issuer.
   * @throws WeftError of the issuer; E_RECEIPT_SIGNATURE when what it answers is no signature of its key
   */
  async fetch(
    issuer: ReceiptIssuer,
    { epoch, key }: RingKey,
    challenge: Uint8Array,
    count: number,
    signal: AbortSignal,
  ): Promise<void> {
    const blinded: Blinded[] = []
    for (let at = 0; at < Math.min(count, MAX_BATCH); at++) {
      const seed = this.#random.bytes(32)
      const input = tokenInput(new SigningKey(seed).publicKey, challenge, key)
      blinded.push({ seed, input, ...key.blind(input, this.#random) })
      // Blinding takes a ms, and this is the thread of everything else.
      await new Promise((resolve) => setImmediate(resolve))
    }
    try {
      const signatures = await issuer.issue(
        epoch,
        blinded.map((one) => one.blinded),
        signal,
      )
      const tokens: OwnToken[] = []
      for (const [at, { seed, input, inverse }] of blinded.entries()) {
        const authenticator = key.finalize(input, signatures[at] ?? new Uint8Array(), inverse)
        if (authenticator === undefined) throw badSignature(issuer.id)
        tokens.push({ epoch, seed: seed.slice(), token: concatBytes([input, authenticator]) })
      }
      this.#file.add(tokens)
    } finally {
      for (const { seed, inverse } of blinded) wipe(seed, inverse)
    }
  }
}

function badSignature(issuer: string): WeftError {
  return new WeftError({
    code: 'E_RECEIPT_SIGNATURE',
    cause: `The issuer ${issuer} answered with something that is no signature of its own key.`,
    fix: 'Take it out of receipts.issuers, or ask its operator.',
  })
}
