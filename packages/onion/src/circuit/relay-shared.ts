import { type Clock } from '@weft/core'
import { Packet } from '../packet/packet.ts'
import type { Suites } from '../packet/suite.ts'
import { newLinkContent } from './link-content.ts'
import type { QueueDrops } from '../queue/fair-queue.ts'
import { type Padding } from './padding.ts'

/** Units and cells that a node dropped, by why. */
export interface CircuitDrops extends QueueDrops {
  /** Wrong tag, or a counter that was there before. */
  unopened: number
  /** Nothing stands behind the circuit (yet, or any more), or the unit does not belong there. */
  outOfPlace: number
  /** The neighbour's link took nothing. */
  linkBusy: number
}

/** What all circuits of a node share: two slots to send from, since a link is done with a slot when its call returns. */
export interface RelayShared {
  readonly clock: Pick<Clock, 'monotonic'>
  readonly padding: Padding
  readonly suites: Suites
  /** Packets on their way through. */
  readonly through: Packet
  /** Packets that begin here. */
  readonly own: Packet
  /** A link message's content. */
  readonly content: Uint8Array
  readonly drops: CircuitDrops
  /** Cells that the neighbours' links took. */
  forwarded: number
}

export function newCircuitDrops(): CircuitDrops {
  return { unopened: 0, outOfPlace: 0, linkBusy: 0, queueFull: 0, queueLate: 0 }
}

export function newRelayShared(given: Pick<RelayShared, 'clock' | 'padding' | 'suites' | 'drops'>): RelayShared {
  return {
    ...given,
    through: new Packet(),
    own: new Packet(),
    content: newLinkContent(),
    forwarded: 0,
  }
}
