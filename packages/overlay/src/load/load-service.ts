import { type Clock, Emitter, type Logger, type Random, type Scope, equalBytes, messageOf, shuffled } from '@weft/core'
import { type DidKey, type SigningKey, fromDidKey, shortId } from '@weft/crypto'
import { type Membership, carriesPackets } from '../member.ts'
import type { Transport } from '../transport/transport.ts'
import { RateLimiter } from '../transport/rate-limiter.ts'
import { type Load, LoadBook } from './load-book.ts'
import {
  CARRIER_ASKS_MS,
  CHANGE,
  LIGHT_ASKS_MS,
  MAX_LISTED,
  MAX_TOLD,
  SAID_ANEW,
  SENDER_RATE,
  SOURCE_MS,
  SLOT_MS,
  TOLD_EVERY_MS,
} from './load-limits.ts'
import { LoadSchedule } from './load-schedule.ts'
import { type LoadStatement, decodeLoads, encodeLoads, signLoad, verifyLoad } from './load-statement.ts'
import type { LoadStep } from './load-step.ts'

/** How loaded the nodes are that carry packets, as each of them says it (docs/specs/load.md). */
export interface Loads {
  /** Of one member; undefined where it is not known, or was said too long ago. */
  get(id: DidKey): Load | undefined
  /** Of all of whom it is known. */
  all(): ReadonlyMap<DidKey, Load>
  /**
   * Has this node kept up to date until the function that is returned is called. Nodes that carry packets are so anyway; others ask one that does
   * every few seconds.
   */
  follow(): () => void
  /**
   * Says this node's own load from now on, in the slots of docs/specs/load.md; of a node that carries packets.
   * @param read its step now; undefined while there is none to be said
   */
  publish(read: () => LoadStep | undefined): () => void
  /** Calls back after steps changed, at most twice a second; returns the unsubscribe function. */
  onChange(listener: () => void): () => void
}

export interface LoadServiceInit {
  readonly key: SigningKey
  readonly membership: Membership
  readonly transport: Pick<Transport, 'call' | 'handle' | 'connected'>
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** Bytes that name a book. */
const BOOK_LENGTH = 8

/** A statement on its way to others, and who told it. */
interface Fresh {
  readonly statement: LoadStatement
  readonly from: DidKey | undefined
  readonly kind: typeof CHANGE | typeof SAID_ANEW
}

/** Whom this node asks, and what it has of it already. */
interface Source {
  readonly id: DidKey
  readonly book: Uint8Array
  readonly after: bigint
  /** Monotonic ms: when it was chosen. */
  readonly since: number
}

/** Says this node's load, passes on what others say of theirs, and asks for what it missed. */
export class LoadService implements Loads {
  readonly #init: LoadServiceInit
  readonly #book = new LoadBook()
  /** Numbers of statements are of this process. */
  readonly #name: Uint8Array
  readonly #senders: RateLimiter
  readonly #emitter = new Emitter<{ readonly change: undefined }>()
  readonly #fresh = new Map<DidKey, Fresh>()
  #signal: AbortSignal | undefined
  #followers = 0
  #source: Source | undefined
  /** It told of somebody whom this node's map does not have as a carrier: the next map may. */
  #hasMissed = false
  #isAsking = false
  #cancelTell: (() => void) | undefined
  /** Monotonic ms: when what is new is passed on. */
  #tellAt = Number.POSITIVE_INFINITY
  #cancelAsk: (() => void) | undefined
  #cancelChange: (() => void) | undefined

  /** Registers its calls at once. */
  constructor(init: LoadServiceInit) {
    const { transport, clock, random, membership } = init
    this.#init = init
    this.#name = random.bytes(BOOK_LENGTH)
    this.#senders = new RateLimiter(clock, () => SENDER_RATE)
    this.#book.setMembers(membership.members())
    transport.handle('load.tell', async ({ statements }, { id }) => {
      for (const statement of decodeLoads(statements, MAX_TOLD)) this.#hear(statement, id)
      return {}
    })
    transport.handle('load.list', async ({ book, after }) => this.#list(book, after))
  }

  /** Follows the map, and asks, until the scope closes. */
  start(scope: Scope): void {
    const { membership } = this.#init
    this.#signal = scope.signal
    const unsubscribe = membership.onChange(() => this.#onMap())
    scope.defer('loads', () => {
      unsubscribe()
      for (const cancel of [this.#cancelTell, this.#cancelAsk, this.#cancelChange]) cancel?.()
    })
    this.#onMap()
  }

  get(id: DidKey): Load | undefined {
    return this.#book.get(id, this.#init.clock.now())
  }

  all(): ReadonlyMap<DidKey, Load> {
    return this.#book.all(this.#init.clock.now())
  }

  follow(): () => void {
    this.#followers++
    if (this.#followers === 1) this.#askIn(0)
    let isOver = false
    return () => {
      if (!isOver) this.#followers--
      isOver = true
    }
  }

  publish(read: () => LoadStep | undefined): () => void {
    const { key, clock } = this.#init
    const schedule = new LoadSchedule(key.publicKey, clock.now())
    let cancel = (): void => {}
    const next = (): void => {
      cancel = clock.after(schedule.wait(clock.now()), () => {
        if (this.#signal?.aborted === true) return
        const step = read()
        if (step !== undefined) this.#say(schedule, step)
        next()
      })
    }
    next()
    return () => cancel()
  }

  onChange(listener: () => void): () => void {
    return this.#emitter.on('change', listener)
  }

  #say(schedule: LoadSchedule, step: LoadStep): void {
    const { key, membership, clock } = this.#init
    const own = membership.member(key.id)
    if (own === undefined || !carriesPackets(own.roles)) return
    const slot = schedule.look(step, clock.now(), this.#book.carriers)
    if (slot === undefined) return
    const statement = signLoad(membership.networkId, slot, step, key)
    if (this.#book.isNews(key.id, statement, clock.now())) this.#take(key.id, statement, undefined)
  }

  /** What somebody told without being asked. */
  #hear(statement: LoadStatement, from: DidKey): void {
    const id = this.#newsOf(statement)
    // Nobody else knows better what this node carries.
    if (id === undefined || id === this.#init.key.id) return
    if (this.#senders.take(from, 1) && this.#isSigned(id, statement)) this.#take(id, statement, from)
  }

  #newsOf(statement: LoadStatement): DidKey | undefined {
    const id = this.#book.signerOf(statement)
    return id !== undefined && this.#book.isNews(id, statement, this.#init.clock.now()) ? id : undefined
  }

  #isSigned(id: DidKey, statement: LoadStatement): boolean {
    return verifyLoad(this.#init.membership.networkId, statement, fromDidKey(id))
  }

  #take(id: DidKey, statement: LoadStatement, from: DidKey | undefined): void {
    const isChange = this.#book.put(id, statement)
    if (isChange) this.#changed()
    if (!this.#isCarrier()) return
    const kind = isChange || this.#fresh.get(id)?.kind === CHANGE ? CHANGE : SAID_ANEW
    this.#fresh.set(id, { statement, from, kind })
    this.#tellIn(kind.afterMs)
  }

  #tellIn(ms: number): void {
    const { clock } = this.#init
    const due = clock.monotonic() + ms
    if (due >= this.#tellAt) return
    this.#cancelTell?.()
    this.#tellAt = due
    this.#cancelTell = clock.after(ms, () => {
      this.#tellAt = Number.POSITIVE_INFINITY
      this.#tell()
    })
  }

  /** Tells some neighbours that carry packets, too, what is new. */
  #tell(): void {
    const { transport, random, logger, membership } = this.#init
    const fresh = [...this.#fresh.values()]
    this.#fresh.clear()
    // Over connections that stand: who has none is told by others, or asks.
    const able = transport.connected().filter((id) => carriesPackets(membership.member(id)?.roles ?? []))
    for (const [place, to] of shuffled(random, able).slice(0, CHANGE.fanout).entries()) {
      const news = fresh
        .filter(({ from, kind }) => from !== to && place < kind.fanout)
        .map(({ statement }) => statement)
      for (let at = 0; at < news.length; at += MAX_TOLD) {
        const statements = encodeLoads(news.slice(at, at + MAX_TOLD))
        transport.call(to, 'load.tell', { statements }, this.#options()).catch((error: unknown) => {
          if (this.#signal?.aborted !== true)
            logger.debug('a neighbour was not told of loads', { node: shortId(to), error: messageOf(error) })
        })
      }
    }
  }

  #list(book: Uint8Array, after: bigint) {
    const isOurs = equalBytes(book, this.#name) && after <= BigInt(this.#book.last)
    this.#book.prune(this.#init.clock.now())
    const { statements, last, more } = this.#book.since(isOurs ? Number(after) : 0, MAX_LISTED)
    return { book: this.#name, last: BigInt(last), statements: encodeLoads(statements), more }
  }

  #onMap(): void {
    this.#book.setMembers(this.#init.membership.members())
    if (this.#hasMissed && this.#source !== undefined) this.#source = { ...this.#source, after: 0n }
    this.#hasMissed = false
    if (this.#cancelAsk === undefined) this.#askIn(0)
  }

  #askIn(ms: number): void {
    const { clock } = this.#init
    if (this.#signal === undefined || this.#signal.aborted || !this.#isWanted()) return
    this.#cancelAsk?.()
    this.#cancelAsk = clock.after(ms, () => {
      this.#cancelAsk = undefined
      void this.#ask().finally(() => {
        if (this.#cancelAsk === undefined) this.#askIn(this.#isCarrier() ? CARRIER_ASKS_MS : LIGHT_ASKS_MS)
      })
    })
  }

  /** Asks one node that carries packets, the same as long as it answers: it says only what it took in since. */
  async #ask(): Promise<void> {
    if (this.#isAsking) return
    this.#isAsking = true
    if (this.#book.prune(this.#init.clock.now())) this.#changed()
    const source = this.#sourceNow()
    if (source !== undefined) this.#source = await this.#read(source)
    this.#isAsking = false
  }

  #sourceNow(): Source | undefined {
    const { transport, membership, random, key, clock } = this.#init
    const carries = (id: DidKey): boolean => id !== key.id && carriesPackets(membership.member(id)?.roles ?? [])
    const known = this.#source
    // Another now and then: one that keeps something back does not do so for long.
    if (known !== undefined && carries(known.id) && clock.monotonic() - known.since < SOURCE_MS) return known
    const near = transport.connected().filter(carries)
    const able = near.length > 0 ? near : membership.members().flatMap(({ id }) => (carries(id) ? [id] : []))
    const [id] = shuffled(random, able)
    return id === undefined ? undefined : { id, book: new Uint8Array(), after: 0n, since: clock.monotonic() }
  }

  /** @returns whom to ask next, and from where; undefined when it should be another */
  async #read(from: Source): Promise<Source | undefined> {
    const { transport, logger } = this.#init
    let source = from
    try {
      // Its book has no more than the map has nodes, and some that came meanwhile.
      const pages = 1 + Math.ceil(this.#book.carriers / MAX_LISTED)
      for (let page = 0; page <= pages; page++) {
        const { id, book, after, since } = source
        const answer = await transport.call(id, 'load.list', { book, after }, this.#options())
        for (const statement of decodeLoads(answer.statements, MAX_LISTED)) {
          if (this.#book.signerOf(statement) === undefined) this.#hasMissed = true
          const signer = this.#newsOf(statement)
          if (signer === undefined || signer === this.#init.key.id) continue
          // Who passes on what is not signed has not looked at it, as it must.
          if (!this.#isSigned(signer, statement)) return undefined
          this.#take(signer, statement, id)
        }
        if (answer.book.length !== BOOK_LENGTH) return undefined
        source = { id, book: answer.book, after: answer.last, since }
        if (!answer.more) return source
      }
    } catch (error) {
      if (this.#signal?.aborted !== true)
        logger.debug('a node did not say which loads it knows', { node: shortId(from.id), error: messageOf(error) })
    }
    return undefined
  }

  #changed(): void {
    this.#cancelChange ??= this.#init.clock.after(TOLD_EVERY_MS, () => {
      this.#cancelChange = undefined
      this.#emitter.emit('change', undefined)
    })
  }

  #isWanted(): boolean {
    return this.#followers > 0 || this.#isCarrier()
  }

  /** Whether this node is in the map as one that carries packets: then others tell it. */
  #isCarrier(): boolean {
    const { membership, key } = this.#init
    return carriesPackets(membership.member(key.id)?.roles ?? [])
  }

  #options() {
    return { timeoutMs: SLOT_MS, ...(this.#signal !== undefined && { signal: this.#signal }) }
  }
}
