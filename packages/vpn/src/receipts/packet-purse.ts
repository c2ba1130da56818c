import { type Clock, equalBytes } from '@weft/core'
import { parseToken, toDidKey, wipe } from '@weft/crypto'
import { ReceiptAnswer, receiptAnswerText, type ReceiptPurse } from '@weft/onion'
import { isSpendable } from './key-ring.ts'
import type { PurseStatus } from './receipts-status.ts'
import { makeSpend, type OwnToken } from './spend.ts'

/** Tokens at hand beyond which no more are asked for: those of a second at 100 MB/s over three hops. */
const FEW = 96
export const PURSE_TOKENS = 192
/** What went wrong that is told. */
const MOST_TOLD = 16

/** Pays in a packet thread, from a stock that the main thread fills. */
export class PacketPurse implements ReceiptPurse {
  readonly #clock: Pick<Clock, 'now'>
  readonly #want: (tokens: number) => void
  readonly #stock: OwnToken[] = []
  readonly #refused: { readonly node: string; readonly answer: ReceiptAnswer }[] = []
  readonly #overcharged = new Set<string>()
  #taken = 0
  #isAsked = false
  #isEmpty = false

  /** @param want asks the main thread for so many; {@link fill} answers */
  constructor(clock: Pick<Clock, 'now'>, want: (tokens: number) => void) {
    this.#clock = clock
    this.#want = want
  }

  get status(): PurseStatus {
    return {
      tokens: this.#stock.length,
      paid: this.#taken,
      isEmpty: this.#isEmpty,
      refused: this.#refused.map(({ node, answer }) => ({ node, why: receiptAnswerText(answer) })),
      overcharged: [...this.#overcharged],
    }
  }

  fill(tokens: readonly OwnToken[]): void {
    this.#isAsked = false
    this.#stock.push(...tokens)
    if (tokens.length > 0) this.#isEmpty = false
  }

  /** What is left of the stock goes back to the wallet. */
  empty(): readonly OwnToken[] {
    return this.#stock.splice(0)
  }

  get hasNone(): boolean {
    return this.#stock.length === 0
  }

  pay(hop: Uint8Array, keys: readonly Uint8Array[]): Uint8Array | undefined {
    this.#forgetOld()
    const at = this.#stock.findIndex(({ token }) => {
      const keyId = parseToken(token)?.keyId
      return keyId !== undefined && keys.some((key) => equalBytes(key, keyId))
    })
    const [own] = at < 0 ? [] : this.#stock.splice(at, 1)
    this.#isEmpty = own === undefined
    if (this.#stock.length < FEW && !this.#isAsked) {
      this.#isAsked = true
      this.#want(PURSE_TOKENS - this.#stock.length)
    }
    if (own === undefined) return undefined
    const spend = makeSpend(own, hop)
    wipe(own.seed)
    return spend
  }

  answered(hop: Uint8Array, answer: ReceiptAnswer): void {
    if (answer === ReceiptAnswer.taken) {
      this.#taken++
      return
    }
    this.#refused.push({ node: toDidKey(hop), answer })
    if (this.#refused.length > MOST_TOLD) this.#refused.shift()
  }

  /** Those that nobody takes any more. */
  #forgetOld(): void {
    const now = this.#clock.now()
    for (let at = this.#stock.length - 1; at >= 0; at--)
      if (!isSpendable(this.#stock[at]?.epoch ?? 0, now)) for (const { seed } of this.#stock.splice(at, 1)) wipe(seed)
  }

  overcharged(hop: Uint8Array): void {
    if (this.#overcharged.size < MOST_TOLD) this.#overcharged.add(toDidKey(hop))
  }
}
