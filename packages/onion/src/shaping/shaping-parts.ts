import type { Clock } from '@weft/core'
import type { Padding } from '../circuit/padding.ts'
import { Packet } from '../packet/packet.ts'
import { HeldCells } from '../queue/held-cells.ts'
import { DueHeap } from './due-heap.ts'

/** What the circuits of a node, or of a client, share for their tiers. */
export interface ShapingParts {
  readonly clock: Pick<Clock, 'monotonic'>
  readonly random: Padding
  readonly held: HeldCells
  readonly due: DueHeap
  /** For cells that leave. */
  readonly slot: Packet
}

/** @param onSooner `due.next()` became earlier */
export function newShapingParts(clock: ShapingParts['clock'], random: Padding, onSooner: () => void): ShapingParts {
  return { clock, random, held: new HeldCells(), due: new DueHeap(onSooner), slot: new Packet() }
}
