import { type Random, equalBytes } from '@weft/core'
import { type Pay, type Receipt, ReceiptAnswer } from './receipt.ts'
import { UseMeter } from './use-meter.ts'

/** Where a client's payments come from. */
export interface ReceiptPurse {
  /**
   * A payment to a node that takes tokens of these keys; undefined when there is none at hand. What is handed out is never handed out again.
   * @param hop its node key
   */
  pay(hop: Uint8Array, keys: readonly Uint8Array[]): Uint8Array | undefined
  /** What a hop says of a payment. */
  answered(hop: Uint8Array, answer: ReceiptAnswer): void
  /** A hop says that more is due than this client can account for; it is not paid. */
  overcharged(hop: Uint8Array): void
}

/** ms after which what got no answer is sent again. */
const AGAIN_MS = 500
/** ms between questions to a hop while its circuit is in use. */
const ASK_MS = 10_000
/** Cells of a circuit after which its hops are asked whether they want pay: an eighth of a payment. */
const FIRST_CELLS = 373
/** Payments to a hop that may be out at once. */
const MOST_OUT = 32
/** Of what is due by its own count a client pays so much more: cells that were lost on the way count at one end only. */
const TOLERANCE = 1.25
const TOLERATED = 2

interface Out extends Pay {
  sentAt: number
}

interface PaidHop {
  /** As it was told last; undefined before the first answer. */
  keys: readonly Uint8Array[] | undefined
  told: number
  taken: number
  askedAt: number | undefined
  question: Uint8Array | undefined
  isOvercharging: boolean
  readonly out: Out[]
}

interface ClientPaymentsInit {
  readonly purse: ReceiptPurse
  readonly random: Random
  /** Node keys, the entry first. */
  readonly hops: readonly Uint8Array[]
  readonly now: number
  readonly send: (depth: number, pay: Pay) => void
}

/**
 * What a client pays the hops of one circuit: what they say is due, as far as its own count bears it out. It asks when a payment is due by that, and from
 * time to time. Times are monotonic ms.
 */
export class ClientPayments {
  readonly #init: ClientPaymentsInit
  readonly #meter = new UseMeter()
  readonly #hops: readonly PaidHop[]
  #lookAt: number
  /** Whether something was carried since the last look; and whether a payment became due by it. */
  #isUsed = false
  #isDue = false

  constructor(init: ClientPaymentsInit) {
    this.#init = init
    this.#lookAt = init.now + AGAIN_MS
    this.#hops = init.hops.map(() => ({
      keys: undefined,
      told: 0,
      taken: 0,
      askedAt: undefined,
      question: undefined,
      isOvercharging: false,
      out: [],
    }))
  }

  /** Payments that became due since the beginning, by its own count. */
  get due(): number {
    return this.#meter.due
  }

  /** Those that each hop took. */
  get taken(): readonly number[] {
    return this.#hops.map(({ taken }) => taken)
  }

  /** When {@link look} is wanted though nothing is carried; undefined while nothing is out. */
  get nextLook(): number | undefined {
    return this.#hops.some(({ out, question }) => out.length > 0 || question !== undefined) ? this.#lookAt : undefined
  }

  /** A cell of a session was sent or came. */
  carried(now: number): void {
    this.#isUsed = true
    const isDue = this.#meter.add(now)
    if (!isDue && now < this.#lookAt) return
    this.#isDue ||= isDue
    this.look(now)
  }

  /** Sends what is to be sent. */
  look(now: number): void {
    const [isUsed, isMore] = [this.#isUsed, this.#isDue]
    this.#isUsed = false
    this.#isDue = false
    this.#lookAt = now + AGAIN_MS
    for (const [depth, hop] of this.#hops.entries()) {
      for (const out of hop.out) if (now - out.sentAt >= AGAIN_MS) this.#send(depth, out, now)
      const waits = now - (hop.askedAt ?? now)
      const isNew = isUsed && (hop.askedAt === undefined ? this.#isWorthIt : waits >= ASK_MS)
      const isOut = hop.question !== undefined
      if (isNew || (isOut && waits >= AGAIN_MS) || (isMore && !isOut && hop.keys?.length !== 0))
        this.#ask(depth, hop, now)
      this.#settle(depth, hop, now)
    }
  }

  /** A hop answered. @returns false when it answers nothing that is out */
  receipt(depth: number, { token, answer, due, keys }: Receipt, now: number): boolean {
    const hop = this.#hops[depth]
    if (hop === undefined) return false
    const isAsked = hop.question !== undefined && equalBytes(hop.question, token)
    const at = hop.out.findIndex((out) => equalBytes(out.token, token))
    if (!isAsked && at < 0) return false
    hop.keys = keys.map((key) => key.slice())
    hop.told = Math.max(hop.told, due)
    if (isAsked) hop.question = undefined
    else this.#answered(depth, hop, at, answer)
    this.#settle(depth, hop, now)
    return true
  }

  get #isWorthIt(): boolean {
    return this.#meter.due > 0 || this.#meter.cells >= FIRST_CELLS
  }

  #answered(depth: number, hop: PaidHop, at: number, answer: ReceiptAnswer): void {
    // The same payment is sent again when its time comes.
    if (answer === ReceiptAnswer.tooEarly || answer === ReceiptAnswer.noRoom) return
    hop.out.splice(at, 1)
    if (answer === ReceiptAnswer.taken) hop.taken++
    this.#init.purse.answered(this.#init.hops[depth] as Uint8Array, answer)
  }

  #ask(depth: number, hop: PaidHop, now: number): void {
    hop.question ??= this.#init.random.bytes(8)
    hop.askedAt = now
    this.#init.send(depth, { token: hop.question, spend: new Uint8Array() })
  }

  #settle(depth: number, hop: PaidHop, now: number): void {
    const { purse, hops } = this.#init
    const { keys, out } = hop
    if (keys === undefined || keys.length === 0) return
    const id = hops[depth] as Uint8Array
    const most = Math.floor(this.#meter.due * TOLERANCE) + TOLERATED
    if (hop.told > most && !hop.isOvercharging) purse.overcharged(id)
    hop.isOvercharging = hop.told > most
    const due = Math.min(hop.told, most)
    while (hop.taken + out.length < due && out.length < MOST_OUT) {
      const spend = purse.pay(id, keys)
      if (spend === undefined) return
      const pay = { token: this.#init.random.bytes(8), spend, sentAt: now }
      out.push(pay)
      this.#send(depth, pay, now)
    }
  }

  #send(depth: number, out: Out, now: number): void {
    out.sentAt = now
    this.#init.send(depth, out)
  }
}
