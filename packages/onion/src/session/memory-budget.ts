import { MIN_CAPACITY, WRITE_CHUNK } from './tuning.ts'

/** Part of what is free that one session may hold. So n stalled sessions hold n/(n + 4) of the limit, never all of it. */
const SHARE = 1 / 4
/** One stream is allowed for so many bytes of the limit: what it takes on the heap, beside its buffers. */
const BYTES_PER_STREAM = 6_144
/** Part of the limit that records of sent packets take at most, and of what is free of that the part of one session. What streams have in flight takes 15 times as much. */
const RECORDS = 1 / 4
const RECORD_SHARE = 1 / 2
/** Part of the free streams that one session may have more; below that of bytes, since every session has streams. */
const STREAM_SHARE = 1 / 8

/** Sessions that are told at once that there is memory again; the next ones are when some more is given back. */
const TOLD_AT_ONCE = 64

/** What a session does with its memory. */
export interface MemoryUser {
  /** Its streams that may write could take more than is the session's: those have to be stopped. */
  onShort(): void
  /** There is enough for what waits. Told once for each wait(). */
  onMemory(): void
}

/** The bound that all sessions of an exit share for bytes that are not acknowledged or not in order yet, and for records of packets that are not acknowledged. */
export class MemoryBudget {
  readonly limit: number
  #used = 0
  #streams = 0
  #records = 0
  /** Sessions with streams that may write; below so many free bytes one of them has to be looked at. */
  readonly #writing = new Set<SessionMemory>()
  #least = 0
  /** Sessions with streams that wait; from so many free bytes on one of them can go on. */
  readonly #waiting = new Set<SessionMemory>()
  #enough = Infinity

  /** @param limit bytes */
  constructor(limit: number) {
    this.limit = limit
  }

  get used(): number {
    return this.#used
  }

  get free(): number {
    return this.limit - this.#used
  }

  /** Bytes that one session may hold at the moment (dynamic thresholds, Choudhury and Hahne 1998). */
  get share(): number {
    return this.free * SHARE
  }

  /** True when more than half is taken: nothing is kept then that can be made again. */
  get isTight(): boolean {
    return this.#used > this.limit / 2
  }

  /** Takes `bytes` if they are free. */
  take(bytes: number): boolean {
    if (bytes > this.free) return false
    this.#used += bytes
    return true
  }

  give(bytes: number): void {
    this.#used -= bytes
    this.goOn()
  }

  /** Takes `bytes` for records of a session that has `held` of them; false when it is beyond its share. */
  takeRecords(bytes: number, held: number): boolean {
    const free = this.limit * RECORDS - this.#records
    if (held + bytes > free * RECORD_SHARE || !this.take(bytes)) return false
    this.#records += bytes
    this.review()
    return true
  }

  giveRecords(bytes: number): void {
    this.#records -= bytes
    this.give(bytes)
  }

  #tell(): void {
    let enough = Infinity
    let told = 0
    for (const memory of this.#waiting) {
      if (memory.enough > this.free) enough = Math.min(enough, memory.enough)
      // Whoever is told may have nothing to write after all, so it is no matter that they could write more together than there is.
      else if (told++ < TOLD_AT_ONCE) {
        this.#waiting.delete(memory)
        memory.user?.onMemory()
      } else enough = 0
    }
    this.#enough = enough
  }

  /** To be called when a session that was told is done: it may have had nothing to write, and what it leaves is for the next. */
  goOn(): void {
    if (this.free >= this.#enough) this.#tell()
  }

  /** To be called when a stream wrote: has each session whose streams could take more than its share, of what is free now, stop those. */
  review(): void {
    if (this.free >= this.#least) return
    let least = 0
    for (const memory of this.#writing) {
      if (memory.least > this.free) memory.user?.onShort()
      if (this.#writing.has(memory)) least = Math.max(least, memory.least)
    }
    this.#least = least
  }

  /** Streams that all sessions have. */
  get streams(): number {
    return this.#streams
  }

  /** Counts a stream of a session that has `held` already; false when it is beyond the session's share of what is free. */
  takeStream(held: number): boolean {
    const free = this.limit / BYTES_PER_STREAM - this.#streams
    if (free < 1 || held >= Math.max(1, free * STREAM_SHARE)) return false
    this.#streams++
    return true
  }

  giveStreams(count: number): void {
    this.#streams -= count
  }

  /** Streams of a session may write, or could take more by that than before. */
  watch(memory: SessionMemory): void {
    this.#writing.add(memory)
    this.#least = Math.max(this.#least, memory.least)
  }

  unwatch(memory: SessionMemory): void {
    this.#writing.delete(memory)
  }

  /** A session is to be told when as much is free as it needs, or needs less than before. */
  wait(memory: SessionMemory): void {
    this.#waiting.add(memory)
    this.#enough = Math.min(this.#enough, memory.enough)
  }

  forget(memory: SessionMemory): void {
    this.#waiting.delete(memory)
  }

  isWatched(memory: SessionMemory): boolean {
    return this.#writing.has(memory)
  }

  isWaiting(memory: SessionMemory): boolean {
    return this.#waiting.has(memory)
  }
}

/** What one session has taken from the budget. */
export class SessionMemory {
  readonly budget: MemoryBudget
  /** Told of what is watched and waited for. */
  user: MemoryUser | undefined
  #held = 0
  #records = 0
  /** Of streams that may write: what one of them takes at most, beyond a chunk. */
  #growth = 0
  #isTurn = false
  #isStarved = false

  constructor(budget: MemoryBudget) {
    this.budget = budget
  }

  /** Bytes, without those of records: these follow from what is in flight, and take nothing of what streams may hold. */
  get held(): number {
    return this.#held
  }

  get records(): number {
    return this.#records
  }

  /** True when the session may buffer another piece from an owner. */
  get hasShare(): boolean {
    return this.#freeFor(0) <= this.budget.free
  }

  /** How many it may buffer. */
  get pieces(): number {
    return Math.max(0, Math.floor((this.budget.share - this.#held) / WRITE_CHUNK))
  }

  /** Free bytes of which the session may take a chunk and `growth`, so that it has held its share all the while. */
  #freeFor(growth: number): number {
    return (this.#held + growth + WRITE_CHUNK) / SHARE + growth
  }

  /** Free bytes that a turn beyond the share takes: so n sessions that have theirs hold n/(n + 1) of the limit, and leave others a chunk. */
  get #freeForTurn(): number {
    return this.#held + WRITE_CHUNK
  }

  /** Free bytes below which streams that may write are to be stopped. */
  get least(): number {
    return this.#isTurn ? this.#freeForTurn : this.#freeFor(this.#growth)
  }

  /** Free bytes from which on streams that wait may write. */
  get enough(): number {
    return this.#isStarved ? this.#freeForTurn : this.#freeFor(0)
  }

  /** Streams that have leave to write beyond the share have it until one of them did. */
  get isTurn(): boolean {
    return this.#isTurn
  }

  /** False while there is not enough for a turn. */
  beginTurn(): boolean {
    if (this.#freeForTurn > this.budget.free) return false
    this.#isTurn = true
    return true
  }

  endTurn(): void {
    if (!this.#isTurn) return
    this.#isTurn = false
    if (this.budget.isWatched(this)) this.budget.watch(this)
  }

  /** A stream may write, which takes up to `growth` bytes beyond a chunk. */
  watch(growth: number): void {
    this.#growth = Math.max(this.#growth, growth)
    this.budget.watch(this)
  }

  /** All streams were looked at: whether any may write, and what one of them takes beyond a chunk at most. */
  rewatch(mayWrite: boolean, growth: number): void {
    this.#growth = growth
    if (!mayWrite) this.budget.unwatch(this)
  }

  /** @param isStarved nothing of the session gives memory back: it waits for a turn, if there is no share for it */
  wait(isStarved: boolean): void {
    this.#isStarved = isStarved
    this.budget.wait(this)
  }

  /** The session is over. */
  leave(): void {
    this.budget.forget(this)
    this.budget.unwatch(this)
    this.user = undefined
  }

  /**
   * How far a ring of `capacity` bytes may grow by doubling so that the session still has its share afterwards: one that grew beyond it could
   * only wait until all was acknowledged, give its memory back, and begin anew.
   */
  reach(capacity: number): number {
    let reach = Math.max(capacity, MIN_CAPACITY)
    while (this.#freeFor(2 * reach - capacity) <= this.budget.free) reach *= 2
    return reach
  }

  take(bytes: number): boolean {
    if (!this.budget.take(bytes)) return false
    this.#held += bytes
    if (this.budget.isWatched(this)) this.budget.watch(this)
    return true
  }

  /**
   * Takes `bytes` for what came and cannot be handed on yet: no more than the session's share, and none of the half that is
   * left for sending. The other side sends again what is not kept; what was to be sent to it would be lost.
   */
  takeToReceive(bytes: number): boolean {
    return !this.budget.isTight && this.#held + bytes <= this.budget.share && this.take(bytes)
  }

  /** Takes `bytes` for records of sent packets; false when there are none for this session. */
  takeRecords(bytes: number): boolean {
    if (bytes === 0) return true
    if (!this.budget.takeRecords(bytes, this.#records)) return false
    this.#records += bytes
    return true
  }

  giveRecords(bytes: number): void {
    if (bytes === 0) return
    this.#records -= bytes
    this.budget.giveRecords(bytes)
  }

  give(bytes: number): void {
    if (bytes === 0) return
    this.#held -= bytes
    if (this.budget.isWaiting(this)) this.budget.wait(this)
    this.budget.give(bytes)
  }
}
