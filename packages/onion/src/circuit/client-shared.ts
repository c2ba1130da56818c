import { type Clock, type Random } from '@weft/core'
import { type Packet } from '../packet/packet.ts'
import type { Suites } from '../packet/suite.ts'
import type { ShapingParts } from '../shaping/shaping-parts.ts'
import type { ReceiptPurse } from '../receipts/client-payments.ts'
import { type Padding } from './padding.ts'

/** What all circuits of a client share. */
export interface ClientShared {
  readonly networkId: string
  readonly clock: Pick<Clock, 'now' | 'monotonic'>
  readonly random: Random
  readonly padding: Padding
  readonly suites: Suites
  /** The slot to send from: a link is done with it when its call returns. */
  readonly slot: Packet
  /** Of circuits with a tier. */
  readonly shaping: ShapingParts
  /** Pays hops; undefined where nothing is paid. */
  readonly purse: ReceiptPurse | undefined
  /** A link message's content. */
  readonly content: Uint8Array
}
