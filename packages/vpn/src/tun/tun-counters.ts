import type { SuperPackets } from '../vpn.ts'

/** What went through an interface, in packets as others see them. */
export interface TunCounters {
  /** That the system sent into it. */
  readPackets: number
  readBytes: number
  /** Super-packets among what was read, and packets that they were split into. */
  readSuper: number
  split: number
  /** What was read and is none. */
  unreadable: number
  /** That the system took. */
  writtenPackets: number
  writtenBytes: number
  /** Super-packets among what was written, and packets that were merged into them. */
  writtenSuper: number
  merged: number
  /** Packets that the system did not take. */
  refused: number
  /** Packets that were not written, as their lengths or checksums are false. */
  broken: number
}

/** Of those that others speak of. */
export function superPacketsOf({ readSuper, split, writtenSuper, merged }: Readonly<TunCounters>): SuperPackets {
  return { read: readSuper, split, written: writtenSuper, merged }
}

/** Packets that an interface dropped, by reason. */
export function droppedAt({ unreadable, refused, broken }: Readonly<TunCounters>): Readonly<Record<string, number>> {
  return { unreadable, untaken: refused, broken }
}

export function noTunPackets(): TunCounters {
  return {
    readPackets: 0,
    readBytes: 0,
    readSuper: 0,
    split: 0,
    unreadable: 0,
    writtenPackets: 0,
    writtenBytes: 0,
    writtenSuper: 0,
    merged: 0,
    refused: 0,
    broken: 0,
  }
}
