/** Limits of docs/specs/packets.md. */
export interface LinkLimits {
  readonly links: number
  /** Of one IPv4 address or IPv6 /64; counts links that others initiated. */
  readonly linksPerPrefix: number
  /** Part of `links` that others than members may have made. */
  readonly strangersShare: number
  /** Initiations looked into a second; a quarter of them only from prefixes that have a link. */
  readonly handshakesPerSecond: number
  /** Handshakes answered that no packet has confirmed yet. */
  readonly handshakes: number
  /** Packets kept while a link is being made. */
  readonly queued: number
}

export const LINK_LIMITS: LinkLimits = {
  links: 4_096,
  linksPerPrefix: 256,
  strangersShare: 3 / 4,
  handshakesPerSecond: 200,
  handshakes: 256,
  queued: 16,
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
  /** An initiation that was not looked into: too many came. */
  tooManyHandshakes: number
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
    unsent: 0,
  }
}
