import type { Random } from '@weft/core'
import type { Packet } from '../packet/packet.ts'
import type { Endpoint } from './endpoint.ts'
import type { CircuitCommand } from './link-command.ts'
import type { LinkInitiation } from './link-handshake.ts'
import type { LinkKeys } from './link-keys.ts'
import type { LinkCounters, LinkLimits } from './link-limits.ts'

export type LinkDownReason = 'no answer' | 'silent' | 'idle' | 'keys expired' | 'given up' | 'closed'

/** Keys in use by a link `L`, and since when (monotonic ms). */
export interface KeySlot<L> {
  readonly link: L
  readonly keys: LinkKeys
  readonly createdAt: number
}

/** What a link `L` needs of the set that it belongs to. */
export interface LinkHost<L> {
  readonly limits: LinkLimits
  readonly counters: LinkCounters
  readonly random: Random
  /** For packets that a link itself makes; valid until the next call into the set. */
  readonly scratch: Packet
  monotonic(): number
  /** @param isOwn of a link that this side made */
  send(bytes: Uint8Array, to: Endpoint, isOwn: boolean): void
  onCell(link: L, circuitId: number, packet: Packet): void
  onMessage(link: L, command: CircuitCommand, circuitId: number, content: Uint8Array): void
  /** Tells of `up`; a link that goes down is taken out of the set. */
  onUp(link: L): void
  onDown(link: L, reason: LinkDownReason, wasUp: boolean): void
  /** Writes an initiation into the scratch slot and routes its answer to the link. @param cookie that the other side wants to see */
  initiate(link: L, cookie: Uint8Array | undefined): LinkInitiation
  dropInitiation(initiation: LinkInitiation): void
  addKeys(slot: KeySlot<L>): void
  dropKeys(slot: KeySlot<L>): void
  confirmed(slot: KeySlot<L>): void
  moved(link: L, from: Endpoint): void
  /** The link wants `onTimeout` at that time at the latest. */
  schedule(due: number): void
}
