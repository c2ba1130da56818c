import { type WeftError, isWeftError, messageOf, orAborted, throwIfAborted, toWeftError, withTimeout } from '@weft/core'
import type { DidKey, SigningKey } from '@weft/crypto'
import type { Member } from '@weft/overlay'
import { authorizePut } from '../holder/shard-authorization.ts'
import { nextHolder } from '../placement/place-shards.ts'
import type { StorageClass, StorageEvents } from '../storage.ts'
import type { HolderLinks } from './holder-links.ts'
import { type LostHolder, holdersLost } from './lost-holders.ts'
import { type ObjectContext, isReachable, storageMembers } from './object-context.ts'
import { type OpenHolder, UNUSABLE, openHolder } from './open-holder.ts'
import { openHolders } from './open-holders.ts'
import { ShardReleases } from './shard-releases.ts'

/** Spares that are opened ahead, and tried beside slow holders at once, as a share of n. */
const SPARE_SHARE = 0.2
/** A spare that was not needed has this long to say that it released what it got, ms. */
const GIVE_BACK_MS = 5_000

export interface PutHoldersInit {
  readonly context: ObjectContext
  readonly links: HolderLinks
  /** The object's key: lets its shards be put, and released where they are not wanted any more. */
  readonly key: SigningKey
  readonly stored: StorageClass
  readonly signal: AbortSignal
  readonly onHolderLost: ((event: StorageEvents['holderLost']) => void) | undefined
}

interface Seat {
  holder: OpenHolder
  /** Runs while the seat has nobody. */
  change: Promise<void> | undefined
  /** A spare that is tried beside its holder. */
  rival: PromiseWithResolvers<void> | undefined
}

/**
 * The n seats of a put, and who sits there: shard j of segment i belongs to seat (i + j) mod n. Whoever falls out is
 * replaced by the next node of the placement beside those that stay, so that in the end n distinct nodes have a seat
 * each. A broken stream is opened again first: its holder keeps what it has for a while (docs/specs/shards.md).
 */
export class PutHolders {
  readonly #init: PutHoldersInit
  readonly #stop: AbortController
  readonly #seats: readonly Seat[]
  /** Who has a seat, or is about to. */
  readonly #sitting: Map<DidKey, Member>
  readonly #lost = new Map<DidKey, WeftError>()
  readonly #releases: ShardReleases
  /** Spares that are asked to release what they got, before they may be asked to take something again. */
  readonly #returning = new Set<Promise<void>>()
  /** Fires with the put, and when it has failed. */
  readonly signal: AbortSignal
  #changes = 0

  private constructor(init: PutHoldersInit, stop: AbortController, signal: AbortSignal, holders: OpenHolder[]) {
    this.#init = init
    this.#stop = stop
    this.signal = signal
    this.#releases = new ShardReleases(init.key, init.links, init.context.logger)
    for (const holder of holders) this.#releases.opened(holder)
    this.#seats = holders.map((holder) => ({ holder, change: undefined, rival: undefined }))
    this.#sitting = new Map(holders.map(({ id, member }) => [id, member]))
  }

  /**
   * Chooses n holders and opens a stream to each, before a byte is sent.
   * @throws WeftError E_CLASS_UNAVAILABLE, E_ABORTED
   */
  static async open(init: PutHoldersInit): Promise<PutHolders> {
    const { context, links, key, stored } = init
    const stop = new AbortController()
    const signal = AbortSignal.any([init.signal, stop.signal])
    const opened = await openHolders(context, links, key.publicKey, stored, init.signal)
    const authorization = authorizePut(key, context.self)
    const holders = opened.map(({ member, client }) => openHolder(member, client, authorization, signal, false))
    const put = new PutHolders(init, stop, signal, holders)
    put.#openAhead()
    return put
  }

  get n(): number {
    return this.#seats.length
  }

  /** Grows whenever a seat gets another holder, or another stream. */
  get changes(): number {
    return this.#changes
  }

  /** Those that fell out. */
  get lost(): readonly LostHolder[] {
    return [...this.#lost].map(([node, error]) => ({ node, error }))
  }

  /** Who has shards: those with a seat, and who fell out or was tried and did not let go of them for certain. */
  get mayHave(): readonly DidKey[] {
    return this.#releases.mayHave
  }

  /** Who sits where now; a seat that is being filled has its former holder. */
  get all(): readonly OpenHolder[] {
    return this.#seats.map(({ holder }) => holder)
  }

  /** The holder of a seat, once it has one. @throws WeftError as {@link replace} */
  async holder(seat: number): Promise<OpenHolder> {
    const place = this.#seats[seat] as Seat
    while (place.change !== undefined) await place.change
    return place.holder
  }

  /** Ends everything that is under way; the put has failed. */
  fail(error: unknown): void {
    this.#stop.abort(error)
  }

  /**
   * Puts another in the place of a holder that failed: itself by a new stream where only the stream broke, else a spare.
   * Does nothing when the seat has another one already.
   * @throws WeftError E_HOLDERS_LOST when nobody is left, E_ABORTED
   */
  async replace(seat: number, failed: OpenHolder, error: unknown): Promise<void> {
    const place = this.#seats[seat] as Seat
    if (place.holder !== failed) return
    place.change ??= this.#change(place, failed, error).finally(() => {
      place.change = undefined
      this.#changes++
    })
    await place.change
  }

  /**
   * A spare to try beside a holder that is late; its seat is one that can be taken over by {@link unseat} only, until
   * {@link giveBack}. Undefined when there is none, or enough are tried.
   */
  async rival(seat: number, late: OpenHolder): Promise<OpenHolder | undefined> {
    const place = this.#seats[seat] as Seat
    if (place.holder !== late || place.change !== undefined || place.rival !== undefined) return undefined
    const tried = this.#seats.filter(({ rival }) => rival !== undefined).length
    const member = tried < this.#spares ? this.#next() : undefined
    if (member === undefined) return undefined
    place.rival = Promise.withResolvers()
    this.#sitting.set(member.id, member)
    const opened = await this.#tryOpen(member, false)
    if (!isWeftError(opened)) return opened
    this.#decided(place)
    this.#sitting.delete(member.id)
    this.#lost.set(member.id, opened)
    return undefined
  }

  /**
   * Gives the seat of a holder that is late to the rival, which was faster; false when the seat changed meanwhile.
   * @param seated is called before the former holder's calls end.
   */
  unseat(
    seat: number,
    late: OpenHolder,
    rival: OpenHolder,
    error: WeftError,
    seated: (rival: OpenHolder) => void,
  ): boolean {
    const place = this.#seats[seat] as Seat
    if (place.holder !== late || place.change !== undefined) return false
    place.holder = rival
    this.#decided(place)
    this.#changes++
    seated(rival)
    late.giveUp(error)
    late.client.abort(error)
    this.#drop(late, error, true)
    return true
  }

  /** The rival is not needed; with an error it failed. What it got is released before it may be asked again. */
  giveBack(seat: number, rival: OpenHolder, error?: unknown): void {
    if (error === undefined) {
      const returning = this.#return(rival).finally(() => this.#returning.delete(returning))
      this.#returning.add(returning)
    } else {
      this.#drop(rival, toWeftError(error, UNUSABLE), error !== rival.client.failure)
    }
    this.#decided(this.#seats[seat] as Seat)
  }

  #decided(place: Seat): void {
    place.rival?.resolve()
    place.rival = undefined
  }

  async #return(rival: OpenHolder): Promise<void> {
    const { id } = rival
    const { clock } = this.#init.context
    const late = (): WeftError => toWeftError(undefined, UNUSABLE)
    try {
      await withTimeout(clock, GIVE_BACK_MS, undefined, late, (signal) => this.#releases.release(rival, signal))
      this.#sitting.delete(id)
    } catch (error) {
      this.#sitting.delete(id)
      this.#lost.set(id, toWeftError(error, UNUSABLE))
    }
  }

  /** Whoever sits at the end, and what is still on the way from those that fell out. */
  async release(signal: AbortSignal): Promise<void> {
    const sitting = this.all.filter(({ id }) => !this.#lost.has(id))
    await this.#releases.releaseAll(sitting, this.#returning, signal)
  }

  async #change(place: Seat, failed: OpenHolder, error: unknown): Promise<void> {
    const reason = toWeftError(error, UNUSABLE)
    failed.giveUp(reason)
    const hasBroken = error === failed.client.failure
    if (hasBroken && (!failed.isReopened || failed.served)) {
      const again = await this.#tryOpen(failed.member, true)
      throwIfAborted(this.signal)
      if (!isWeftError(again)) {
        place.holder = again
        this.#log('the stream of a holder broke and was opened again', failed.id, reason)
        return
      }
    }
    this.#drop(failed, reason, !hasBroken)
    place.holder = await this.#spare()
  }

  #drop(holder: OpenHolder, error: WeftError, canBeAsked: boolean): void {
    const { id } = holder
    this.#sitting.delete(id)
    this.#lost.set(id, error)
    this.#init.links.blame(id)
    this.#log('a holder fell out of a put', id, error)
    const { code, cause, fix } = error
    this.#init.onHolderLost?.({ node: id, fault: { code, cause, fix } })
    if (canBeAsked) this.#releases.drop(holder)
  }

  async #spare(): Promise<OpenHolder> {
    const { stored } = this.#init
    for (;;) {
      throwIfAborted(this.signal)
      const member = this.#next()
      const tried = this.#seats.flatMap(({ rival }) => (rival === undefined ? [] : [rival.promise]))
      if (member === undefined && tried.length + this.#returning.size > 0) {
        await Promise.race([...tried, ...this.#returning])
        continue
      }
      if (member === undefined) throw holdersLost(stored, this.lost)
      this.#sitting.set(member.id, member)
      const opened = await this.#tryOpen(member, false)
      if (!isWeftError(opened)) return opened
      this.#sitting.delete(member.id)
      this.#lost.set(member.id, opened)
    }
  }

  get #spares(): number {
    return Math.ceil((1 + SPARE_SHARE) * this.n) - this.n
  }

  /** Opens streams to the next nodes of the placement, so that they need not be waited for when they are needed. */
  #openAhead(): void {
    const staying = [...this.#sitting.values()]
    for (let count = 0; count < this.#spares; count++) {
      const member = this.#next(staying)
      if (member === undefined || !isReachable(this.#init.context, member)) return
      staying.push(member)
      this.#init.links.client(member.id).catch(() => {})
    }
  }

  #next(staying: readonly Member[] = [...this.#sitting.values()]): Member | undefined {
    const { context, links, key, stored } = this.#init
    const usable = storageMembers(context).filter(({ id }) => !this.#lost.has(id))
    const likely = usable.filter((member) => isReachable(context, member) && !links.failed(member.id))
    return nextHolder(key.publicKey, stored, staying, likely) ?? nextHolder(key.publicKey, stored, staying, usable)
  }

  async #tryOpen(member: Member, isReopened: boolean): Promise<OpenHolder | WeftError> {
    try {
      const client = await orAborted(this.#init.links.client(member.id), this.signal)
      const { key, context } = this.#init
      const holder = openHolder(member, client, authorizePut(key, context.self), this.signal, isReopened)
      this.#releases.opened(holder)
      return holder
    } catch (error) {
      return toWeftError(error, UNUSABLE)
    }
  }

  #log(what: string, node: DidKey, error: WeftError): void {
    this.#init.context.logger.warn(`storage: ${what}`, { node, code: error.code, error: messageOf(error) })
  }
}
