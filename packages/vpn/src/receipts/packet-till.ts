import type { Clock } from '@weft/core'
import { ReceiptAnswer, type ReceiptTill, TokenBucket, TokenBuckets } from '@weft/onion'
import { isSpendable, KeyRing } from './key-ring.ts'
import type { Payment } from './receipt-books.ts'
import { receiptEpoch } from './receipt-epoch.ts'
import type { IssuerKey } from './receipt-issuer.ts'
import { readSpend, verifySpend } from './spend.ts'

/** A payment on its way to the books, by whose number they answer. */
export interface NumberedPayment extends Payment {
  readonly number: number
}

interface PacketTillInit {
  readonly networkId: string
  /** Node key of this node. */
  readonly self: Uint8Array
  readonly clock: Pick<Clock, 'now' | 'monotonic'>
  /** Brings payments to the books. */
  readonly keep: (payment: NumberedPayment) => void
}

/** Payments that are verified a second, 0.2 ms each, of all circuits of a packet worker; and those that wait for the books. */
const PER_SECOND = 500
/** Of those each neighbour may have so many in any case, and more while there are more than half of a second's left. */
const SHARE_PER_SECOND = 32
const FOR_SHARES = PER_SECOND / 2
const MOST_WAITING = 2_048
/** Key ids that stand in a receipt. */
const MOST_KEYS = 16

/** Takes payments in a packet thread: verifies them, and answers when the books have them. */
export class PacketTill implements ReceiptTill {
  readonly #init: PacketTillInit
  readonly #ring: KeyRing
  readonly #bucket: TokenBucket
  readonly #shares = new TokenBuckets(SHARE_PER_SECOND, SHARE_PER_SECOND)
  readonly #waiting = new Map<number, (answer: ReceiptAnswer) => void>()
  #last = 0
  #keys: readonly Uint8Array[] = []
  #epoch = 0

  constructor(init: PacketTillInit) {
    this.#init = init
    this.#ring = new KeyRing(init.networkId)
    this.#bucket = new TokenBucket(PER_SECOND, PER_SECOND, init.clock.monotonic())
  }

  get keys(): readonly Uint8Array[] {
    if (receiptEpoch(this.#init.clock.now()) !== this.#epoch) this.#readKeys()
    return this.#keys
  }

  /** What issuers have. None: nothing is to be paid. */
  setKeys(keys: readonly IssuerKey[]): void {
    for (const issuer of new Set(keys.map((key) => key.issuer)))
      this.#ring.take(keys.filter((key) => key.issuer === issuer))
    this.#readKeys()
  }

  #readKeys(): void {
    const now = this.#init.clock.now()
    this.#ring.prune(now)
    this.#epoch = receiptEpoch(now)
    this.#keys = this.#ring
      .spendable(now)
      .slice(0, MOST_KEYS)
      .map(({ key }) => key.id)
  }

  take(spend: Uint8Array, from: string, done: (answer: ReceiptAnswer) => void): void {
    const { clock, self, keep } = this.#init
    const read = readSpend(spend, this.#ring, (epoch) => isSpendable(epoch, clock.now()))
    if (typeof read === 'number') return done(read)
    if (this.#waiting.size >= MOST_WAITING || !this.#mayVerify(from)) return done(ReceiptAnswer.noRoom)
    const checked = verifySpend(read, self)
    if (typeof checked === 'number') return done(checked)
    const number = ++this.#last
    this.#waiting.set(number, done)
    keep({ number, epoch: checked.key.epoch, nonce: checked.nonce.slice(), spend: spend.slice() })
  }

  #mayVerify(from: string): boolean {
    const now = this.#init.clock.monotonic()
    return this.#bucket.take(now, this.#shares.take(from, now) ? 0 : FOR_SHARES)
  }

  /** The books answered. */
  kept(number: number, answer: ReceiptAnswer): void {
    const done = this.#waiting.get(number)
    this.#waiting.delete(number)
    done?.(answer)
  }
}
