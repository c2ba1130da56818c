import type { DidKey, SignedEnvelope } from '@weft/crypto'
import { GOSSIP_ROUNDS, MAX_QUEUE } from './liveness-limits.ts'
import type { StatementPurpose } from './statement-signatures.ts'

interface Item {
  readonly purpose: StatementPurpose
  readonly subject: DidKey
  readonly envelope: SignedEnvelope
  readonly audience: Audience
  sent: number
}

/** To whom a statement is of use. */
export interface Audience {
  readonly size: number
  has(id: DidKey): boolean
}

/** Statements of others, as messages carry them. */
export interface Statements {
  readonly alive: readonly SignedEnvelope[]
  readonly suspicions: readonly SignedEnvelope[]
}

/**
 * Statements on their way to the other neighbours: those that were sent least go first, and each goes only so often as
 * it takes to reach everybody whom it is of use to (SWIM, section 4.1). Bounded: what was sent most gives way.
 */
export class GossipQueue {
  readonly #audienceOf: (subject: DidKey) => Audience
  readonly #items = new Map<string, Item>()

  constructor(audienceOf: (subject: DidKey) => Audience) {
    this.#audienceOf = audienceOf
  }

  get size(): number {
    return this.#items.size
  }

  /** Signs of life go before suspicions, and the one of a node replaces all that is said against it. */
  putAlive(subject: DidKey, envelope: SignedEnvelope): void {
    this.forget(subject)
    this.#put(`alive ${subject}`, {
      purpose: 'alive',
      subject,
      envelope,
      audience: this.#audienceOf(subject),
      sent: -1,
    })
  }

  putSuspicion(subject: DidKey, observer: DidKey, envelope: SignedEnvelope): void {
    const audience = this.#audienceOf(subject)
    this.#put(`${observer} ${subject}`, { purpose: 'suspicion', subject, envelope, audience, sent: 0 })
  }

  /** Drops all suspicions of a node. */
  forget(subject: DidKey): void {
    for (const [key, item] of this.#items) {
      if (item.subject === subject && item.purpose === 'suspicion') this.#items.delete(key)
    }
  }

  /** There is something for this node. */
  hasFor(to: DidKey): boolean {
    return this.#items.values().some((item) => isFor(item, to))
  }

  /** The next `most` statements for a node, which is told nothing about itself here; each counts as sent. */
  take(to: DidKey, most: number): Statements {
    const alive: SignedEnvelope[] = []
    const suspicions: SignedEnvelope[] = []
    if (this.#items.size > 0) {
      const next = [...this.#items].filter(([, item]) => isFor(item, to)).sort(([, a], [, b]) => a.sent - b.sent)
      for (const [key, item] of next.slice(0, most)) {
        ;(item.purpose === 'alive' ? alive : suspicions).push(item.envelope)
        if (++item.sent >= GOSSIP_ROUNDS * Math.ceil(Math.log2(item.audience.size + 2))) this.#items.delete(key)
      }
    }
    return { alive, suspicions }
  }

  #put(key: string, item: Item): void {
    if (item.audience.size === 0) return
    this.#items.set(key, item)
    if (this.#items.size <= MAX_QUEUE) return
    const [most] = [...this.#items].sort(([, a], [, b]) => b.sent - a.sent)
    if (most !== undefined) this.#items.delete(most[0])
  }
}

function isFor({ subject, audience }: Item, to: DidKey): boolean {
  return subject !== to && audience.has(to)
}
