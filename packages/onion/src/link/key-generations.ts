import type { LinkKeys } from './link-keys.ts'
import type { KeySlot, LinkHost } from './link-host.ts'
import { REJECT_AFTER_MS } from './timing.ts'

/** A link's keys in three generations: in use, before (for receiving), answered but not confirmed. Times are monotonic ms. */
export class KeyGenerations<L> {
  readonly #host: Pick<LinkHost<L>, 'limits' | 'addKeys' | 'dropKeys' | 'confirmed'>
  readonly #link: L
  #current: KeySlot<L> | undefined
  #previous: KeySlot<L> | undefined
  #next: KeySlot<L> | undefined

  constructor(host: Pick<LinkHost<L>, 'limits' | 'addKeys' | 'dropKeys' | 'confirmed'>, link: L) {
    this.#host = host
    this.#link = link
  }

  /** Those to send under. */
  get current(): KeySlot<L> | undefined {
    return this.#current
  }

  /** Those of an initiation that this side answered, before a packet under them came. */
  get next(): KeySlot<L> | undefined {
    return this.#next
  }

  /** Keys that the other side has, since it answered: sends under them from now on; those before stay good for receiving. */
  use(keys: LinkKeys, now: number): void {
    this.#use(this.#add(keys, now))
  }

  /** Keys of an initiation that this side answered: good for receiving, and for sending once {@link confirm} is called. */
  answer(keys: LinkKeys, now: number): KeySlot<L> {
    this.dropNext()
    this.#next = this.#add(keys, now)
    return this.#next
  }

  /** A packet under the answered keys came. */
  confirm(slot: KeySlot<L>): void {
    this.#next = undefined
    this.#host.confirmed(slot)
    this.#use(slot)
  }

  dropNext(): void {
    this.#next = this.#drop(this.#next)
  }

  /** Forgets what is too old; true when keys were in use and none are left to send under, now or once confirmed. */
  expire(now: number): boolean {
    const had = this.#current !== undefined
    this.#previous = this.#keep(this.#previous, now)
    this.#next = this.#keep(this.#next, now)
    this.#current = this.#keep(this.#current, now)
    return had && this.#current === undefined && this.#next === undefined
  }

  /** When {@link expire} has something to do; Infinity without keys. */
  expiresAt(): number {
    return Math.min(expiry(this.#current), expiry(this.#previous), expiry(this.#next))
  }

  wipe(): void {
    this.#current = this.#drop(this.#current)
    this.#previous = this.#drop(this.#previous)
    this.dropNext()
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
