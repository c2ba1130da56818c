import { type DidKey, fromDidKey, toDidKey } from '@weft/crypto'
import type { AvailabilityStore } from './availability-store.ts'

export interface AvailabilityInit {
  /** ms of one map epoch. */
  readonly epochMs: number
  readonly store: AvailabilityStore
}

/** ms of a part of the history, for which a member has one number; and parts that are looked at: seven days. */
const PART_MS = 6 * 3_600_000
const PARTS = 28
/** ms for which a validator must have watched a member before it judges it. */
const LEAST_WATCHED_MS = 24 * 3_600_000
/** Members that are remembered at most, 112 bytes each; further ones are not judged. */
const MAX_MEMBERS = 65_536
/** ms between two writes. */
const WRITE_EVERY_MS = 600_000
/** Bytes of a member in a part that is stored: its key and a number. */
const ENTRY = 36
const MILLION = 1_000_000

/**
 * For how much of the last seven days each member was in the signed map, as this validator held it. Times in which it held none,
 * as it was down, count for nobody; of a new member what was before it came counts neither. Kept on disk, so that a restart forgets
 * ten minutes at most.
 */
export class Availability {
  readonly #epochMs: number
  readonly #store: AvailabilityStore
  /** ms watched in each of the last parts: part n is at n modulo {@link PARTS}. */
  readonly #watched = new Float64Array(PARTS)
  /** The same of each member: ms for which it was there. */
  readonly #there = new Map<DidKey, Uint32Array>()
  /** The part that runs. */
  #part = -1
  #epoch = -1
  #writtenAt = 0

  constructor({ epochMs, store }: AvailabilityInit) {
    this.#epochMs = epochMs
    this.#store = store
    const stored = store.availability().toSorted((a, b) => a.part - b.part)
    for (const { part, watched, members } of stored) {
      this.#turnTo(part)
      this.#watched[part % PARTS] = watched
      const view = new DataView(members.buffer, members.byteOffset, members.byteLength)
      for (let at = 0; at + ENTRY <= members.length; at += ENTRY)
        this.#add(toDidKey(members.subarray(at, at + 32)), view.getUint32(at + 32))
    }
  }

  /** A map of this epoch is held, with these members. Epochs before the newest seen are passed over. @throws WeftError of the store */
  observe(epoch: number, members: readonly { readonly id: DidKey }[]): void {
    if (epoch <= this.#epoch) return
    this.#epoch = epoch
    const at = epoch * this.#epochMs
    const part = Math.floor(at / PART_MS)
    if (part > this.#part) {
      if (this.#part >= 0) this.#write()
      this.#turnTo(part)
    }
    this.#watched[part % PARTS] = (this.#watched[part % PARTS] ?? 0) + this.#epochMs
    for (const { id } of members) this.#add(id, this.#epochMs)
    if (at - this.#writtenAt < WRITE_EVERY_MS) return
    this.#writtenAt = at
    this.#write()
  }

  /** Of a million parts for how many it was there; undefined for one that was not watched for a day yet. */
  of(id: DidKey): number | undefined {
    const own = this.#there.get(id)
    if (own === undefined) return undefined
    let [watched, there] = [0, 0]
    for (let part = this.#part - PARTS + 1; part <= this.#part; part++) {
      const at = (part + PARTS) % PARTS
      const ms = own[at] ?? 0
      // Of the part in which it came only that counts for which it was there, and nothing of those before.
      if (there > 0) watched += this.#watched[at] ?? 0
      else watched += ms
      there += ms
    }
    if (watched < LEAST_WATCHED_MS) return undefined
    return Math.min(MILLION, Math.floor((there / watched) * MILLION))
  }

  #add(id: DidKey, ms: number): void {
    let own = this.#there.get(id)
    if (own === undefined) {
      if (this.#there.size >= MAX_MEMBERS) return
      this.#there.set(id, (own = new Uint32Array(PARTS)))
    }
    own[this.#part % PARTS] = (own[this.#part % PARTS] ?? 0) + ms
  }

  /** Begins a part: what was at its place is more than seven days old. */
  #turnTo(part: number): void {
    const first = Math.max(this.#part + 1, part - PARTS + 1)
    for (let each = first; each <= part; each++) {
      this.#watched[each % PARTS] = 0
      for (const own of this.#there.values()) own[each % PARTS] = 0
    }
    for (const [id, own] of this.#there) if (own.every((ms) => ms === 0)) this.#there.delete(id)
    this.#part = part
  }

  #write(): void {
    const column = this.#part % PARTS
    const there = [...this.#there].filter(([, own]) => own[column] !== 0)
    const members = new Uint8Array(there.length * ENTRY)
    const view = new DataView(members.buffer)
    for (const [at, [id, own]] of there.entries()) {
      members.set(fromDidKey(id), at * ENTRY)
      view.setUint32(at * ENTRY + 32, own[column] ?? 0)
    }
    const watched = this.#watched[column] ?? 0
    this.#store.saveAvailability({ part: this.#part, watched, members }, this.#part - PARTS)
  }
}
