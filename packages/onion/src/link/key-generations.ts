import type { LinkKeys } from './link-keys.ts'
import type { KeySlot, LinkHost } from './link-host.ts'
import { REJECT_AFTER_MS } from './timing.ts'

/**
 * Answered initiations of a link whose keys may still be confirmed. Two, as one may go over each of two ways, and the other side uses whichever
 * answer gets to it.
 */
const MOST_ANSWERED = 2

/** A link's keys in three generations: in use, before (for receiving), answered but not confirmed. Times are monotonic ms. */
export class KeyGenerations<L> {
  readonly #host: Pick<LinkHost<L>, 'limits' | 'addKeys' | 'dropKeys' | 'confirmed'>
  readonly #link: L
  #current: KeySlot<L> | undefined
  #previous: KeySlot<L> | undefined
  /** Oldest first. */
  #answered: KeySlot<L>[] = []

  constructor(host: Pick<LinkHost<L>, 'limits' | 'addKeys' | 'dropKeys' | 'confirmed'>, link: L) {
    this.#host = host
    this.#link = link
  }

  /** Those to send under. */
  get current(): KeySlot<L> | undefined {
    return this.#current
  }

  /** Whether these are of an initiation that this side answered, before a packet under them came. */
  isAnswered(slot: KeySlot<L>): boolean {
    return this.#answered.length > 0 && this.#answered.includes(slot)
  }

  /** Keys that the other side has, since it answered: sends under them from now on; those before stay good for receiving. */
  use(keys: LinkKeys, now: number): void {
    this.#use(this.#add(keys, now))
  }

  /** Keys of an initiation that this side answered: good for receiving, and for sending once {@link confirm} is called. */
  answer(keys: LinkKeys, now: number): KeySlot<L> {
    if (this.#answered.length === MOST_ANSWERED) this.#drop(this.#answered.shift())
    const slot = this.#add(keys, now)
    this.#answered.push(slot)
    return slot
  }

  /** A packet under answered keys came. Later ones stay: the other side goes over to them when their answer comes. */
  confirm(slot: KeySlot<L>): void {
    const at = this.#answered.indexOf(slot)
    for (const older of this.#answered.slice(0, at)) this.#drop(older)
    this.#answered = this.#answered.slice(at + 1)
    for (const known of [slot, ...this.#answered]) this.#host.confirmed(known)
    this.#use(slot)
  }

  /** Forgets answered keys; true when none at all are left. */
  giveUp(slot: KeySlot<L>): boolean {
    this.#answered = this.#answered.filter((other) => other !== slot)
    this.#drop(slot)
    return this.#current === undefined && this.#answered.length === 0
  }

  /** Forgets what is too old; true when keys were in use and none are left to send under, now or once confirmed. */
  expire(now: number): boolean {
    const had = this.#current !== undefined
    this.#previous = this.#keep(this.#previous, now)
    this.#answered = this.#answered.filter((slot) => this.#keep(slot, now) !== undefined)
    this.#current = this.#keep(this.#current, now)
    return had && this.#current === undefined && this.#answered.length === 0
  }

  /** When {@link expire} has something to do; Infinity without keys. */
  expiresAt(): number {
    return Math.min(expiry(this.#current), expiry(this.#previous), expiry(this.#answered[0]))
  }

  wipe(): void {
    this.#current = this.#drop(this.#current)
    this.#previous = this.#drop(this.#previous)
    for (const slot of this.#answered.splice(0)) this.#drop(slot)
  }

  #add(keys: LinkKeys, now: number): KeySlot<L> {
    keys.limit(this.#host.limits.rejectAfterPackets)
    const slot: KeySlot<L> = { link: this.#link, keys, createdAt: now }
    this.#host.addKeys(slot)
    return slot
  }

  #use(slot: KeySlot<L>): void {
    this.#drop(this.#previous)
    this.#previous = this.#current
    this.#current = slot
  }

  #keep(slot: KeySlot<L> | undefined, now: number): KeySlot<L> | undefined {
    return now < expiry(slot) ? slot : this.#drop(slot)
  }

  #drop(slot: KeySlot<L> | undefined): undefined {
    if (slot === undefined) return
    this.#host.dropKeys(slot)
    slot.keys.wipe()
  }
}

function expiry(slot: { readonly createdAt: number } | undefined): number {
  return slot === undefined ? Infinity : slot.createdAt + REJECT_AFTER_MS
}
