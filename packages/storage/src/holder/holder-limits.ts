/** Limits of the shard protocol's server. Counts unless a unit is given. */
export interface HolderLimits {
  /** Shard streams of all peers together, and of those outside of the map together. */
  readonly streams: number
  readonly strangerStreams: number
  /** Shard streams of one peer, by whether it is in the map. */
  readonly streamsPerMember: number
  readonly streamsPerStranger: number
  /** What one peer may have provisional: bytes as the quota counts them, and objects. */
  readonly provisionalBytesPerPeer: number
  readonly provisionalObjectsPerPeer: number
  /** Requests that may be under way on one stream; more break the protocol. */
  readonly pendingPerStream: number
  /** A stream that stops in the middle of a request, or does not read its answers, for this long is reset, ms. */
  readonly stallMs: number
  /** A stream on which nothing is asked for this long is reset, ms; whoever puts waits for its source meanwhile. */
  readonly idleMs: number
  /** Provisional shards are kept for this long after the last stream that put some of the object, ms. */
  readonly graceMs: number
}

/** @param quotaBytes the holder's quota: one peer may have half of it provisional. */
export function defaultHolderLimits(quotaBytes: number): HolderLimits {
  return {
    streams: 512,
    strangerStreams: 128,
    streamsPerMember: 64,
    streamsPerStranger: 16,
    provisionalBytesPerPeer: Math.ceil(quotaBytes / 2),
    provisionalObjectsPerPeer: 1024,
    pendingPerStream: 64,
    stallMs: 60_000,
    idleMs: 600_000,
    graceMs: 15_000,
  }
}
