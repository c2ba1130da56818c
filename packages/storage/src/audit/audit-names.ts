import { type Random, randomInt } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { ShardName } from '../holder/shard-name.ts'
import { ASKED_NAMES } from './audit-limits.ts'

/** Holders of which names are kept. */
const MAX_HOLDERS = 1024

interface Sample {
  readonly names: ShardName[]
  /** How many were offered, so that each has the same chance to stay. */
  offered: number
}

/**
 * Shards that owners' records name holders of, as an auditor comes across them while it audits others: what a holder
 * leaves out of its manifest is found by them. Those of an epoch are asked for in the next: by then they are committed.
 */
export class AuditNames {
  readonly #random: Random
  #epoch = -1
  #learning = new Map<DidKey, Sample>()
  #known: ReadonlyMap<DidKey, Sample> = new Map()

  constructor(random: Random) {
    this.#random = random
  }

  learn(epoch: number, holder: DidKey, name: ShardName): void {
    this.#turnTo(epoch)
    let sample = this.#learning.get(holder)
    if (sample === undefined) {
      if (this.#learning.size >= MAX_HOLDERS) return
      sample = { names: [], offered: 0 }
      this.#learning.set(holder, sample)
    }
    const { names } = sample
    if (names.some(({ object, segment, index }) => isName(name, object, segment, index))) return
    sample.offered++
    // A reservoir (Vitter 1985, algorithm R).
    if (names.length < ASKED_NAMES) names.push(name)
    else {
      const at = randomInt(this.#random, sample.offered)
      if (at < ASKED_NAMES) names[at] = name
    }
  }

  /** Of epochs before this one. */
  of(epoch: number, holder: DidKey): readonly ShardName[] {
    this.#turnTo(epoch)
    return this.#known.get(holder)?.names ?? []
  }

  #turnTo(epoch: number): void {
    if (epoch <= this.#epoch) return
    this.#epoch = epoch
    this.#known = this.#learning
    this.#learning = new Map()
  }
}

function isName(name: ShardName, object: Uint8Array, segment: number, index: number): boolean {
  return name.segment === segment && name.index === index && Buffer.compare(name.object, object) === 0
}
