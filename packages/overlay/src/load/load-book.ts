import { toHex } from '@weft/core'
import { type DidKey, fromDidKey } from '@weft/crypto'
import { type Member, carriesPackets } from '../member.ts'
import { AHEAD_MS, SLOT_MS, lifeMs } from './load-limits.ts'
import type { LoadStep } from './load-step.ts'
import { type LoadStatement, PREFIX_LENGTH } from './load-statement.ts'

/** What a member said of its load last. */
export interface Load {
  readonly step: LoadStep
  /** Since the beginning of the slot that it is of, ms; 0 where that lies ahead of this node's clock. */
  readonly ageMs: number
}

export interface Page {
  readonly statements: readonly LoadStatement[]
  /** Number of the last of them; what was asked for when there are none. */
  readonly last: number
  readonly more: boolean
}

interface Entry {
  readonly statement: LoadStatement
  readonly number: number
}

/**
 * The newest statement of each member that carries packets, in the order in which they were taken in. Nothing else is kept, so that it is as
 * large as the map makes it.
 */
export class LoadBook {
  /** By prefix: those whose statements count. Of two with one prefix neither does. */
  #carriers = new Map<string, DidKey>()
  /** The latest last. */
  readonly #entries = new Map<DidKey, Entry>()
  #last = 0

  /** Nodes that carry packets, as the map has it. */
  get carriers(): number {
    return this.#carriers.size
  }

  /** Number of the statement that was taken in last. */
  get last(): number {
    return this.#last
  }

  /** Follows the map: who is no longer there, or carries no more, is forgotten. */
  setMembers(members: readonly Member[]): void {
    const carriers = new Map<string, DidKey>()
    const twice = new Set<string>()
    for (const { id, roles } of members) {
      if (!carriesPackets(roles)) continue
      const prefix = toHex(fromDidKey(id).subarray(0, PREFIX_LENGTH))
      if (carriers.has(prefix)) twice.add(prefix)
      carriers.set(prefix, id)
    }
    for (const prefix of twice) carriers.delete(prefix)
    this.#carriers = carriers
    const kept = new Set(carriers.values())
    for (const id of this.#entries.keys()) if (!kept.has(id)) this.#entries.delete(id)
  }

  /** Whose statement it would be; undefined for nobody who carries packets. */
  signerOf({ prefix }: LoadStatement): DidKey | undefined {
    return this.#carriers.get(toHex(prefix))
  }

  /** Whether a statement would be news, before its signature is looked at: newer than what is held, not too old, and not of the future. */
  isNews(id: DidKey, { slot, step }: LoadStatement, now: number): boolean {
    const at = slot * SLOT_MS
    if (at > now + AHEAD_MS || now - at > lifeMs(this.carriers)) return false
    const held = this.#entries.get(id)?.statement
    // Of two of one slot all keep the same.
    return held === undefined || slot > held.slot || (slot === held.slot && step > held.step)
  }

  /** Takes in what is news and truly signed. @returns whether the step changed */
  put(id: DidKey, statement: LoadStatement): boolean {
    const before = this.#entries.get(id)?.statement.step
    this.#entries.delete(id)
    this.#entries.set(id, { statement, number: ++this.#last })
    return before !== statement.step
  }

  /** Statements taken in behind a number, in their order. */
  since(after: number, most: number): Page {
    const statements: LoadStatement[] = []
    let last = after
    for (const { statement, number } of this.#entries.values()) {
      if (number <= after) continue
      if (statements.length === most) return { statements, last, more: true }
      statements.push(statement)
      last = number
    }
    return { statements, last, more: false }
  }

  get(id: DidKey, now: number): Load | undefined {
    const held = this.#entries.get(id)
    if (held === undefined) return undefined
    const { slot, step } = held.statement
    const ageMs = Math.max(0, now - slot * SLOT_MS)
    return ageMs > lifeMs(this.carriers) ? undefined : { step, ageMs }
  }

  /** Of all whose load is known. */
  all(now: number): Map<DidKey, Load> {
    const loads = new Map<DidKey, Load>()
    for (const id of this.#entries.keys()) {
      const load = this.get(id, now)
      if (load !== undefined) loads.set(id, load)
    }
    return loads
  }

  /** Forgets what is too old. @returns whether anything was */
  prune(now: number): boolean {
    let any = false
    for (const id of this.#entries.keys()) {
      if (this.get(id, now) !== undefined) continue
      this.#entries.delete(id)
      any = true
    }
    return any
  }
}
