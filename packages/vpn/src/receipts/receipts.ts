import {
  type Clock,
  type Fault,
  isWeftError,
  type Logger,
  messageOf,
  type Random,
  randomInt,
  type Scope,
} from '@weft/core'
import type { DidKey } from '@weft/crypto'
import { ReceiptAnswer } from '@weft/onion'
import { isKept, KeyRing } from './key-ring.ts'
import { PURSE_TOKENS } from './packet-purse.ts'
import type { NumberedPayment } from './packet-till.ts'
import type { Payment, ReceiptBooks } from './receipt-books.ts'
import { receiptChallenge, receiptEpoch, REDEEMED_EPOCHS } from './receipt-epoch.ts'
import { type IssuerKey, MAX_BATCH, type ReceiptIssuer } from './receipt-issuer.ts'
import type { PurseStatus, ReceiptsStatus } from './receipts-status.ts'
import type { OwnToken } from './spend.ts'
import type { TokenWallet } from './token-wallet.ts'

export interface ReceiptsInit {
  readonly networkId: string
  /** Whose tokens are used, the first one's before others'. */
  readonly issuers: readonly ReceiptIssuer[]
  readonly wallet: TokenWallet
  /** Of a node that carries for others. */
  readonly books: ReceiptBooks | undefined
  /** ms between two times at which what came in is redeemed; each a quarter more or less. */
  readonly redeemMs: number
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly scope: Scope
}

/** Tokens in the wallet below which more are fetched, and up to which: 1 GiB over three hops. */
const FEW_TOKENS = PURSE_TOKENS
const MANY_TOKENS = 4 * PURSE_TOKENS
/** ms between looks, where nothing else is due: all nodes notice a new epoch at times of their own; and after an issuer could not be asked, doubled up to the first. */
const LOOK_MS = 60_000
const AGAIN_MS = 1_000

interface KnownIssuer {
  readonly issuer: ReceiptIssuer
  left: number | undefined
  /** Why the last call failed. */
  fault: Fault | undefined
  /** What is wrong with its keys, as it named them last. */
  keyFault: Fault | undefined
  /** Monotonic ms from which what it owes is redeemed next. */
  redeemAt: number
}

/** The main thread's side of pay for circuits: fetches tokens, keeps what others paid, redeems it. */
export class Receipts {
  readonly #init: ReceiptsInit
  readonly #ring: KeyRing
  readonly #issuers: readonly KnownIssuer[]
  #onKeys: (keys: readonly IssuerKey[]) => void = () => {}
  #onTokens: () => void = () => {}
  /** Epoch for which issuers' keys were asked last, of all of them. */
  #epoch: number | undefined
  #againMs = AGAIN_MS
  #working: Promise<void> | undefined
  #cancel: (() => void) | undefined
  #isNeeded = false
  /** More is wanted than the look that is under way knows of. */
  #isMore = false
  #isClosed = false

  constructor(init: ReceiptsInit) {
    this.#init = init
    this.#ring = new KeyRing(init.networkId)
    const nothing = { left: undefined, fault: undefined, keyFault: undefined }
    this.#issuers = init.issuers.map((issuer) => ({ issuer, ...nothing, redeemAt: this.#nextRedeeming() }))
    init.scope.use('receipts', this)
  }

  /** Begins to ask issuers. `onKeys` is told what hops take, `onTokens` when the wallet has more than before. */
  start(onKeys: (keys: readonly IssuerKey[]) => void, onTokens: () => void): void {
    this.#onKeys = onKeys
    this.#onTokens = onTokens
    this.#look()
  }

  /** Keys of issuers, as they are known now. */
  get keys(): readonly IssuerKey[] {
    return this.#ring.all().map(({ issuer, epoch, bytes }) => ({ issuer, epoch, bytes }))
  }

  /** So many tokens at most for a purse; where there are too few, more are fetched. */
  takeTokens(most: number): readonly OwnToken[] {
    const tokens = this.#init.wallet.take(most, this.#init.clock.now())
    this.#isNeeded ||= tokens.length < most
    if (this.#init.wallet.count(this.#init.clock.now()) < FEW_TOKENS) this.#look()
    return tokens
  }

  /** What a purse did not spend. */
  putBack(tokens: readonly OwnToken[]): void {
    this.#init.wallet.putBack(tokens)
  }

  /** Keeps what a circuit paid. */
  async keep(payment: NumberedPayment): Promise<ReceiptAnswer> {
    return this.#init.books?.keep(payment) ?? ReceiptAnswer.noRoom
  }

  status(purse: PurseStatus | undefined): ReceiptsStatus {
    const { wallet, books, clock } = this.#init
    const issuers = this.#issuers.map((known) => ({
      node: known.issuer.id,
      left: known.left,
      fault: this.#faultOf(known),
    }))
    const tokens = wallet.count(clock.now())
    return { issuers, tokens, purse, books: books?.totals, fault: this.#fault(purse, tokens) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    this.#cancel?.()
    await this.#working
  }

  /** Why hops are not paid, or do not get theirs. */
  #fault(purse: PurseStatus | undefined, tokens: number): Fault | undefined {
    const fault = this.#issuers.map((one) => this.#faultOf(one)).find((one) => one !== undefined)
    if (purse?.isEmpty === true && purse.tokens > 0)
      return {
        code: 'E_RECEIPT_NO_TOKENS',
        cause: "A hop of this node's circuits wants to be paid, and takes none of the tokens that it has.",
        fix: 'Name an issuer in receipts.issuers whose tokens the nodes of the network take.',
      }
    if (purse?.isEmpty === true && tokens === 0)
      return {
        code: 'E_RECEIPT_NO_TOKENS',
        cause: `Hops of this node's circuits want to be paid, and it has no tokens: ${fault?.cause ?? 'none came yet'}`,
        fix: fault?.fix ?? 'Wait a moment; weft vpn receipts shows when there are some.',
      }
    return fault
  }

  #faultOf({ issuer, fault, keyFault }: KnownIssuer): Fault | undefined {
    const others = this.#ring.sharing(issuer.id)
    return fault ?? keyFault ?? (others.length === 0 ? undefined : sharedKey([issuer.id, ...others]))
  }

  #look(): void {
    if (this.#isClosed) return
    if (this.#working !== undefined) {
      this.#isMore = true
      return
    }
    this.#isMore = false
    this.#cancel?.()
    this.#working = this.#workOnce()
  }

  async #workOnce(): Promise<void> {
    const isDone = await this.#work().catch((error: unknown) => this.#failed(error))
    this.#working = undefined
    this.#againMs = isDone ? AGAIN_MS : Math.min(LOOK_MS, 2 * this.#againMs)
    const { clock } = this.#init
    const redeemAt = this.#init.books === undefined ? [] : this.#issuers.map((known) => known.redeemAt)
    // Up to whole ms: a timer that fires a part of one early would find nothing due, again and again.
    const redeemIn = Math.max(0, Math.ceil(Math.min(...redeemAt) - clock.monotonic()))
    const regular = this.#isMore ? 0 : Math.min(LOOK_MS, redeemIn)
    if (!this.#isClosed) this.#cancel = clock.after(isDone ? regular : this.#againMs, () => this.#look())
  }

  /** @returns false when something failed that is to be tried again soon */
  async #work(): Promise<boolean> {
    const { clock, wallet, books } = this.#init
    const epoch = receiptEpoch(clock.now())
    let isDone = true
    if (epoch !== this.#epoch) {
      wallet.prune(clock.now())
      await books?.prune(epoch)
      this.#ring.prune(clock.now())
      isDone = await this.#askKeys()
      if (isDone) this.#epoch = epoch
      this.#onKeys(this.keys)
    }
    if (!(await this.#fetch(epoch))) isDone = false
    if (books !== undefined && !(await this.#redeem(books))) isDone = false
    return isDone
  }

  #failed(error: unknown): false {
    this.#init.logger.warn('tokens or books could not be looked after', { reason: messageOf(error) })
    return false
  }

  async #askKeys(): Promise<boolean> {
    let isDone = true
    for (const known of this.#issuers) if (!(await this.#ask(known, 'keys', () => this.#keysOf(known)))) isDone = false
    return isDone
  }

  async #keysOf(known: KnownIssuer): Promise<void> {
    const { keys, left } = await known.issuer.keys(this.#init.scope.signal)
    known.left = left
    // A clock that differs a little has keys of an epoch more, or less.
    const kept = keys.filter(({ epoch }) => isKept(epoch, this.#init.clock.now()))
    const wrong = this.#ring.take(kept.map((key) => ({ ...key, issuer: known.issuer.id })))
    // It is not asked again for that: it would say the same.
    known.keyFault = wrong.length === 0 ? undefined : otherKey(known.issuer.id, wrong)
  }

  /** Fills the wallet when it is wanted: when this node has begun to pay. */
  async #fetch(epoch: number): Promise<boolean> {
    const { wallet, clock, scope } = this.#init
    if (this.#init.books !== undefined && !this.#isNeeded) return true
    if (wallet.count(clock.now()) >= FEW_TOKENS) return true
    for (const known of this.#issuers) {
      const key = this.#ring.all().find((one) => one.issuer === known.issuer.id && one.epoch === epoch)
      if (key === undefined) continue
      while (wallet.count(clock.now()) < MANY_TOKENS && (known.left ?? 0) > 0 && !this.#isClosed) {
        const count = Math.min(MAX_BATCH, known.left ?? 0)
        const isFetched = await this.#ask(known, 'tokens', () =>
          wallet.fetch(known.issuer, key, key.challenge, count, scope.signal),
        )
        if (!isFetched) break
        known.left = (known.left ?? count) - count
        this.#onTokens()
      }
      if (known.left === 0 && wallet.count(clock.now()) === 0) known.fault ??= noneLeft(known.issuer.id)
    }
    return wallet.count(clock.now()) >= FEW_TOKENS
  }

  /** Each issuer apart from the others, at a time of its own: one that is slow or away holds up nothing of theirs, and learns nothing of when they are asked. */
  async #redeem(books: ReceiptBooks): Promise<boolean> {
    const { clock } = this.#init
    const due = this.#issuers.filter(({ redeemAt }) => clock.monotonic() >= redeemAt)
    const all = due.map(async (known) => {
      const isDone = await this.#redeemAll(known, books).catch((error: unknown) => this.#failed(error))
      if (isDone) known.redeemAt = this.#nextRedeeming()
      return isDone
    })
    return (await Promise.all(all)).every(Boolean)
  }

  /** What one issuer owes, the oldest epoch first. @returns false when there is more that is to be tried again soon */
  async #redeemAll(known: KnownIssuer, books: ReceiptBooks): Promise<boolean> {
    if (books.totals.owed === 0) return true
    const { networkId, clock } = this.#init
    const end = clock.monotonic() + LOOK_MS
    const present = receiptEpoch(clock.now())
    for (let epoch = present - REDEEMED_EPOCHS + 1; epoch <= present; epoch++) {
      const challenge = receiptChallenge(networkId, known.issuer.id, epoch)
      let after: Uint8Array = new Uint8Array()
      for (;;) {
        const owed = books.owed(challenge, after, MAX_BATCH)
        const last = owed.at(-1)
        if (last === undefined) break
        if (this.#isClosed || clock.monotonic() >= end) return false
        const settled = await this.#redeemSome(known, books, owed)
        if (settled === undefined) return false
        // It has no room for more of that epoch.
        if (settled === 0) break
        after = last.nonce
      }
    }
    return true
  }

  /** @returns how many are owed no more; undefined where that failed */
  async #redeemSome(known: KnownIssuer, books: ReceiptBooks, owed: readonly Payment[]): Promise<number | undefined> {
    let settled: number | undefined
    await this.#ask(known, 'redeeming', async () => {
      const spends = owed.map(({ spend }) => spend)
      const answers = await known.issuer.redeem(spends, this.#init.scope.signal)
      settled = await books.settle(
        owed.map(({ nonce }, at) => ({ nonce, answer: answers[at] ?? ReceiptAnswer.noRoom })),
      )
    })
    return settled
  }

  async #ask(known: KnownIssuer, what: string, call: () => Promise<void>): Promise<boolean> {
    try {
      known.fault = undefined
      await call()
      return known.fault === undefined
    } catch (error) {
      if (this.#isClosed) return false
      const { code, cause, fix } = isWeftError(error)
        ? error
        : { code: 'E_INTERNAL', cause: messageOf(error), fix: 'Please report it.' }
      known.fault = { code, cause, fix }
      this.#init.logger.debug('an issuer of tokens did not do what was asked', { what, code, cause })
      return false
    }
  }

  #nextRedeeming(): number {
    const { redeemMs, random, clock } = this.#init
    return clock.monotonic() + redeemMs * (0.75 + randomInt(random, 1_000) / 2_000)
  }
}

function noneLeft(issuer: string): Fault {
  return {
    code: 'E_RECEIPT_QUOTA',
    cause: `This node has spent all tokens that the issuer ${issuer} grants it until the next epoch.`,
    fix: "Wait for the next day (UTC), or have the issuer's operator raise receipts.quota, or receipts.guest_quota for who is no member.",
  }
}

function otherKey(issuer: string, epochs: readonly number[]): Fault {
  return {
    code: 'E_RECEIPT_KEY',
    cause: `The issuer ${issuer} named another key for epoch ${epochs.join(', ')} than before, that of another epoch, or none that can be used.`,
    fix: 'Take it out of receipts.issuers: an issuer that shows keys of its own to some can know their tokens again.',
  }
}

function sharedKey(issuers: readonly DidKey[]): Fault {
  return {
    code: 'E_RECEIPT_KEY',
    cause: `The issuers ${issuers.join(' and ')} name the same key, which one of them alone can have made.`,
    fix: 'Ask their operators whose it is, and take the other one out of receipts.issuers.',
  }
}
