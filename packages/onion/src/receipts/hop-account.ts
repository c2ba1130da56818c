import { equalBytes } from '@weft/core'
import { TokenBucket } from '../token-bucket.ts'
import { type Pay, type Receipt, ReceiptAnswer } from './receipt.ts'
import { UseMeter } from './use-meter.ts'

/** Where a hop's pay goes. Everything about tokens is its business. */
export interface ReceiptTill {
  /** Names of the keys whose tokens it takes now, 32 bytes each, 16 at most; none where nothing is to be paid. */
  readonly keys: readonly Uint8Array[]
  /**
   * Looks into a payment. `done` is called once: `taken` only when it is kept for good. `spend` is valid during the call.
   * @param from the neighbour that it came from
   */
  take(spend: Uint8Array, from: string, done: (answer: ReceiptAnswer) => void): void
}

/** ms that a payment may be late; of a circuit that has paid nothing yet. */
const LATE_MS = 30_000
const FIRST_LATE_MS = 10_000
/** Beyond so many that are late by the second time, 256 MiB, and so many in any case, 4 GiB, a circuit ends. */
const MANY_LATE = 64
const MOST_LATE = 1_024
/** Payments that are taken before they are due. */
const AHEAD = 4
/** Payments and questions a second that are looked into; beyond that there is no answer, and the client asks again. */
const PAYS_PER_SECOND = 64
/** Payments that were no good, of one circuit. */
const MOST_REFUSED = 16
/** Answers that are remembered, for payments that come twice. */
const REMEMBERED = 64

const REFUSALS: ReadonlySet<ReceiptAnswer> = new Set([
  ReceiptAnswer.malformed,
  ReceiptAnswer.unknownKey,
  ReceiptAnswer.notAuthentic,
  ReceiptAnswer.notForThis,
  ReceiptAnswer.spent,
])

/** A payment that came; without an answer while the till looks into it. */
interface Answered {
  readonly token: Uint8Array
  answer: ReceiptAnswer | undefined
}

/** What a hop is owed for one circuit, and what it got. Times are monotonic ms. */
export class HopAccount {
  readonly #till: ReceiptTill
  readonly #from: string
  readonly #meter = new UseMeter()
  /** When each payment became due that neither was taken nor is looked into; the oldest first. */
  readonly #owed: number[] = []
  readonly #answers: Answered[] = []
  readonly #bucket: TokenBucket
  #taken = 0
  /** Those that the till looks into. */
  #pending = 0
  #refused = 0
  /** When a payment came last for which the till had no room. */
  #noRoomAt = -Infinity
  #isOver = false

  /** @param from the neighbour that the circuit comes from */
  constructor(till: ReceiptTill, from: string, now: number) {
    this.#till = till
    this.#from = from
    this.#bucket = new TokenBucket(PAYS_PER_SECOND, PAYS_PER_SECOND, now)
  }

  /** A cell of somebody's data was carried. */
  carried(now: number): void {
    if (!this.#meter.add(now) || this.#meter.due <= this.#taken + this.#pending) return
    this.#owed.push(now)
  }

  /** Whether it is to carry nothing more. */
  isOverdue(now: number): boolean {
    const [oldest] = this.#owed
    if (this.#refused >= MOST_REFUSED) return true
    if (oldest === undefined || this.#till.keys.length === 0) return false
    // Whoever cannot pay for want of room here is not late.
    const late = now - Math.max(oldest, this.#noRoomAt)
    const many = this.#owed.length
    if (many >= MOST_LATE) return true
    return late > (this.#taken === 0 || many > MANY_LATE ? FIRST_LATE_MS : LATE_MS)
  }

  /** A payment or a question came. `send` is called once with what is to be told, at once or later, or never. */
  pay({ token, spend }: Pay, now: number, send: (receipt: Receipt) => void): void {
    if (!this.#bucket.take(now)) return
    if (spend.length === 0) return send(this.#receipt(token, ReceiptAnswer.none))
    const known = this.#answers.find((one) => equalBytes(one.token, token))
    if (known !== undefined) {
      if (known.answer !== undefined) send(this.#receipt(token, known.answer))
      return
    }
    if (this.#taken + this.#pending >= this.#meter.due + AHEAD || this.#pending >= REMEMBERED)
      return send(this.#receipt(token, ReceiptAnswer.tooEarly))
    const one: Answered = { token: token.slice(), answer: undefined }
    this.#answers.push(one)
    if (this.#answers.length > REMEMBERED) this.#answers.shift()
    this.#pending++
    const since = this.#owed.shift()
    this.#till.take(spend, this.#from, (answer) => {
      this.#pending--
      one.answer = answer
      if (answer === ReceiptAnswer.taken) this.#taken++
      else if (this.#owed.length < this.#meter.due - this.#taken - this.#pending) this.#owed.unshift(since ?? now)
      if (answer === ReceiptAnswer.noRoom) {
        // The client may send it once more.
        this.#answers.splice(this.#answers.indexOf(one), 1)
        this.#noRoomAt = now
      }
      if (REFUSALS.has(answer)) this.#refused++
      if (!this.#isOver) send(this.#receipt(one.token, answer))
    })
  }

  /** The circuit is gone: what the till still says is told to nobody. */
  end(): void {
    this.#isOver = true
  }

  #receipt(token: Uint8Array, answer: ReceiptAnswer): Receipt {
    return { token, answer, due: this.#meter.due, taken: this.#taken, keys: this.#till.keys }
  }
}
