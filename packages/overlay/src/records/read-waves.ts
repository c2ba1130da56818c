import type { DidKey } from '@weft/crypto'
import type { Wave } from './ask-holders.ts'
import type { RecordPlan } from './record-placement.ts'

/** Holders that are asked first for what may be immutable: the first valid answer ends the read. */
const FIRST_FEW = 2

export interface WaveOptions {
  /** Holders that are asked only when the others are not enough. */
  readonly late: (holder: DidKey) => boolean
  /** Counts reads: where in the list of holders this one begins, so that all of them are read from, and repaired. */
  readonly turn: number
  /** The key may be that of an immutable record. */
  readonly immutable: boolean
}

/**
 * In which order a read asks: where the record may be immutable a few, then enough for a quorum of each group, then
 * everyone else. Each reader is in one wave.
 */
export function readWaves({ readers, groups }: RecordPlan, { late, turn, immutable }: WaveOptions): Wave[] {
  const start = readers.length === 0 ? 0 : turn % readers.length
  const turned = [...readers.slice(start), ...readers.slice(0, start)]
  const order = [...turned.filter((id) => !late(id)), ...turned.filter(late)]
  const quorum = new Set<DidKey>()
  for (const { ids, required } of groups) {
    let has = [...quorum].filter((id) => ids.has(id)).length
    for (const id of order) {
      if (has >= required) break
      if (!ids.has(id) || quorum.has(id)) continue
      quorum.add(id)
      has++
    }
  }
  const few = immutable ? order.filter((id) => quorum.has(id)).slice(0, FIRST_FEW) : []
  const waves: Wave[] = [
    { holders: few, impatient: true },
    { holders: order.filter((id) => quorum.has(id) && !few.includes(id)) },
    { holders: order.filter((id) => !quorum.has(id)) },
  ]
  return waves.filter(({ holders }) => holders.length > 0)
}
