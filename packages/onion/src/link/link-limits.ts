import { REJECT_AFTER_PACKETS, REKEY_AFTER_PACKETS } from './timing.ts'

/** Limits of docs/specs/packets.md. */
export interface LinkLimits {
  readonly links: number
  /** Of one IPv4 address or IPv6 /64; counts links that others initiated. */
  readonly linksPerPrefix: number
  /** The same of one IPv4 /24 or IPv6 /48, whose owner has many such prefixes. */
  readonly linksPerNetwork: number
  /** Part of `links` that others than members may have made. */
  readonly strangersShare: number
  /** Initiations that wait to be looked into; a quarter of the room is for prefixes that have a link. */
  readonly waitingHandshakes: number
  /** When so many wait, or half of `handshakes` are not confirmed, this side is under load, and asks for cookies. */
  readonly loadedFrom: number
  /** In a turn, behind its packets: initiations looked into; packets of nobody's link that are tried as one; of these, answered by a cookie. */
  readonly handshakesPerTurn: number
  readonly initiationsPerTurn: number
  readonly cookieRepliesPerTurn: number
  /** Under load, initiations of one IPv4 address or IPv6 /64 a second. */
  readonly handshakesPerPrefix: number
  /** The same of one IPv4 /24 or IPv6 /48. */
  readonly handshakesPerNetwork: number
  /** Handshakes answered that no packet has confirmed yet. */
  readonly handshakes: number
  /** Packets kept while a link is being made. */
  readonly queued: number
  /** Keys are renewed when either side sent so many packets, and not used any more when it sent so many. Others only in tests. */
  readonly rekeyAfterPackets: number
  readonly rejectAfterPackets: number
}

export const LINK_LIMITS: LinkLimits = {
  links: 4_096,
  linksPerPrefix: 256,
  linksPerNetwork: 768,
  strangersShare: 3 / 4,
  waitingHandshakes: 256,
  loadedFrom: 32,
  handshakesPerTurn: 2,
  initiationsPerTurn: 256,
  cookieRepliesPerTurn: 64,
  handshakesPerPrefix: 20,
  handshakesPerNetwork: 60,
  handshakes: 256,
  queued: 48,
  rekeyAfterPackets: REKEY_AFTER_PACKETS,
  rejectAfterPackets: REJECT_AFTER_PACKETS,
}

/** Packets that a set of links dropped, by reason; each only ever rises. */
export interface LinkCounters {
  /** No index of this side, and no initiation that its key opens. */
  unknown: number
  /** The index is known, the tag is wrong. */
  notAuthentic: number
  /** A counter that came before, or is too old to tell. */
  replayed: number
  /** Authentic, but against the format. */
  malformed: number
  /** An initiation that came before, or whose time is more than five minutes off. */
  initiationTime: number
  /** An initiation beyond the limits on links. */
  tooManyLinks: number
  /** An initiation that was not looked into: too many waited, or too many came from there. */
  tooManyHandshakes: number
  /** An initiation that was not looked into, under load: its sender was asked to show that he receives where he sends from. */
  cookieReplies: number
  /** Not sent: the queue of a link that is being made is full, or its keys are used up. */
  unsent: number
}

export function newLinkCounters(): LinkCounters {
  return {
    unknown: 0,
    notAuthentic: 0,
    replayed: 0,
    malformed: 0,
    initiationTime: 0,
    tooManyLinks: 0,
    tooManyHandshakes: 0,
    cookieReplies: 0,
    unsent: 0,
  }
}
