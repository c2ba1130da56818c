/** Limits of the shard protocol's server. Counts unless a unit is given. */
export interface HolderLimits {
  /** Shard streams of all peers together, and of one. */
  readonly streams: number
  readonly streamsPerPeer: number
  /** Bytes that one peer may have provisional. */
  readonly provisionalBytesPerPeer: number
  /** Answers that may be owed on one stream before no more is read from it. */
  readonly pendingPerStream: number
  /** A stream that stops in the middle of a request for this long is reset, ms. */
  readonly stallMs: number
  /** Provisional shards are kept for this long after the last stream that put some of the object, ms. */
  readonly graceMs: number
}

/** @param quotaBytes the holder's quota: one peer may have half of it provisional. */
export function defaultHolderLimits(quotaBytes: number): HolderLimits {
  return {
    streams: 512,
    streamsPerPeer: 16,
    provisionalBytesPerPeer: Math.ceil(quotaBytes / 2),
    pendingPerStream: 64,
    stallMs: 60_000,
    graceMs: 15_000,
  }
}
