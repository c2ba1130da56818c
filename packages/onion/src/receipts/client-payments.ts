import { type Random, equalBytes } from '@weft/core'
import { type Pay, type Receipt, ReceiptAnswer } from './receipt.ts'
import { CELLS_IN_USE, UseMeter } from './use-meter.ts'

/** Where a client's payments come from. */
export interface ReceiptPurse {
  /**
   * A payment to a node that takes tokens of these keys; undefined when there is none at hand. What is handed out is never handed out again.
   * @param hop its node key
   */
  pay(hop: Uint8Array, keys: readonly Uint8Array[]): Uint8Array | undefined
  /** There is nothing to pay anybody with. */
  readonly hasNone: boolean
  /** What a hop says of a payment. */
  answered(hop: Uint8Array, answer: ReceiptAnswer): void
  /** A hop says that more is due than this client can account for; it is not paid. */
  overcharged(hop: Uint8Array): void
}

/** ms after which what got no answer is sent again; and between looks what is to be asked. */
const AGAIN_MS = 500
const LOOK_MS = 500
/** ms between questions to a hop while it is in use. */
const ASK_MS = 5_000
/** Cells that a hop has counted as use may be fewer here: those that were lost on the way back. */
const CELLS_TO_ASK = (7 * CELLS_IN_USE) / 8
/** Payments to a hop that may be out at once. */
const MOST_OUT = 32
/** Of what is due by its own count a client pays so much more: cells that were lost on the way count at one end only. */
const TOLERANCE = 1.25
const TOLERATED = 2

interface Out extends Pay {
  sentAt: number
}

interface PaidHop {
  readonly meter: UseMeter
  /** As it was told last; undefined before the first answer. */
  keys: readonly Uint8Array[] | undefined
  told: number
  taken: number
  askedAt: number
  question: Uint8Array | undefined
  /** Whether it carried anything since it was asked last; and whether it is to be asked at the next look, as a payment became due. */
  isUsed: boolean
  isDue: boolean
  isOvercharging: boolean
  readonly out: Out[]
}

interface ClientPaymentsInit {
  readonly purse: ReceiptPurse
  readonly random: Random
  /** Node keys, the entry first. */
  readonly hops: readonly Uint8Array[]
  readonly now: number
  /** The circuit has a tier: when hops are asked follows from what passes the entry, padding as well as what is real. */
  readonly hasTier: boolean
  readonly send: (depth: number, pay: Pay) => void
}

/**
 * What a client pays the hops of one circuit: what they say is due, as far as its own count of what each of them carried bears it out. It asks when a payment is
 * due by that, and from time to time. Times are monotonic ms.
 */
export class ClientPayments {
  readonly #init: ClientPaymentsInit
  readonly #hops: readonly PaidHop[]
  #lookAt: number
  /** When what got no answer is looked for. */
  #againAt: number
  #isDue = false
  #isSending = false
  /** Of a circuit with a tier: what the entry passed on without payments to other hops and their answers, of which there are more where more is real. */
  readonly #traffic: UseMeter | undefined

  constructor(init: ClientPaymentsInit) {
    this.#init = init
    this.#lookAt = init.now + LOOK_MS
    this.#againAt = init.now
    if (init.hasTier) this.#traffic = new UseMeter(CELLS_TO_ASK)
    this.#hops = init.hops.map(() => ({
      meter: new UseMeter(CELLS_TO_ASK),
      keys: undefined,
      told: 0,
      taken: 0,
      askedAt: -Infinity,
      question: undefined,
      isUsed: false,
      isDue: false,
      isOvercharging: false,
      out: [],
    }))
  }

  /** Payments to each hop that became due since the beginning, by the client's own count. */
  get due(): readonly number[] {
    return this.#hops.map(({ meter }) => meter.due)
  }

  /** Those that each hop took. */
  get taken(): readonly number[] {
    return this.#hops.map(({ taken }) => taken)
  }

  /** When {@link again} is wanted though nothing is carried; undefined while nothing is out. */
  get nextLook(): number | undefined {
    return this.#hops.some(({ out, question }) => out.length > 0 || question !== undefined) ? this.#againAt : undefined
  }

  /** Whether a payment to a hop is due, and there is none. Where there are others than of the keys that it names it is not: a hop may name what nobody has. */
  owes(depth: number): boolean {
    const hop = this.#hops[depth]
    if (hop?.keys === undefined || hop.keys.length === 0 || !this.#init.purse.hasNone) return false
    return hop.taken + hop.out.length < Math.min(hop.told, mostDue(hop))
  }

  /** A cell was sent or came that the first so many hops passed on, or gave to the session. */
  carried(hops: number, now: number): void {
    this.count(hops, now)
    if (this.#isDue || now >= this.#lookAt) this.#look(now)
  }

  /** As {@link carried}, where nothing may be sent at the moment. */
  count(hops: number, now: number): void {
    if (this.#isSending) return this.countOwn(hops, now)
    for (let depth = 0; depth < hops; depth++) (this.#hops[depth] as PaidHop).isUsed = true
    if (hops > 0) this.#traffic?.add(now)
    this.countOwn(hops, now)
  }

  /** As {@link count}, of a cell with a payment or with what a hop says of one. */
  countOwn(hops: number, now: number): void {
    for (let depth = 0; depth < hops; depth++) {
      const hop = this.#hops[depth] as PaidHop
      if (hop.meter.add(now)) this.#onDue(hop)
    }
  }

  /** Sends again what got no answer. */
  again(now: number): void {
    if (now < this.#againAt) return
    this.#againAt = now + AGAIN_MS
    for (const [depth, hop] of this.#hops.entries()) {
      for (const out of hop.out) if (now - out.sentAt >= AGAIN_MS) this.#send(depth, out, now)
      if (hop.question !== undefined && now - hop.askedAt >= AGAIN_MS) this.#ask(depth, hop, now)
    }
  }

  /** Hops that are asked with the entry are not asked when a payment to them becomes due: that tells what is real. */
  #onDue(hop: PaidHop): void {
    if (this.#isTogether && hop !== this.#hops[0]) return
    hop.isDue = true
    this.#isDue = true
  }

  /** With a tier all hops are asked at once while cells flow, whatever they are. */
  get #isTogether(): boolean {
    return this.#traffic !== undefined && (this.#traffic.isInUse || this.#traffic.wasInUse)
  }

  /** Runs when a cell was carried, and at no other time: with a tier these are what whoever watches the first link sees anyhow. */
  #look(now: number): void {
    this.#lookAt = now + LOOK_MS
    this.#isDue = false
    const [entry] = this.#hops
    const isForAll = this.#traffic !== undefined && entry !== undefined && this.#isToAsk(entry, now)
    for (const [depth, hop] of this.#hops.entries()) {
      const wantsNone = hop.keys?.length === 0 && now - hop.askedAt < ASK_MS
      const isAsked = hop.question !== undefined || wantsNone
      if (!isAsked && (isForAll || (this.#traffic === undefined ? this.#isToAsk(hop, now) : hop.isDue)))
        this.#ask(depth, hop, now)
      hop.isDue = false
      this.#settle(depth, hop, now)
    }
    this.again(now)
  }

  #isToAsk({ isDue, isUsed, askedAt, meter, told }: PaidHop, now: number): boolean {
    if (isDue || !isUsed || now - askedAt < ASK_MS) return isDue
    if (this.#traffic !== undefined) return this.#isTogether
    // One whose span began later than here says so later.
    return meter.isInUse || (meter.wasInUse && told < meter.due)
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
    hop.isUsed = false
    this.#wait(now)
    this.#sendPay(depth, { token: hop.question, spend: new Uint8Array() })
  }

  #settle(depth: number, hop: PaidHop, now: number): void {
    const { purse, hops } = this.#init
    const { keys, out } = hop
    if (keys === undefined || keys.length === 0) return
    const id = hops[depth] as Uint8Array
    const most = mostDue(hop)
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
    this.#wait(now)
    this.#sendPay(depth, out)
  }

  #sendPay(depth: number, pay: Pay): void {
    this.#isSending = true
    this.#init.send(depth, pay)
    this.#isSending = false
  }

  /** Something is out from now on. */
  #wait(now: number): void {
    if (this.#againAt <= now) this.#againAt = now + AGAIN_MS
  }
}

/** Payments for which the client can account. */
function mostDue({ meter }: PaidHop): number {
  return Math.floor(meter.due * TOLERANCE) + TOLERATED
}
