/**
 * Decides how many packets may be in flight. All packets have the same size, so windows count packets, not bytes.
 * Pure arithmetic: no clock of its own; times are monotonic ms.
 */
export interface CongestionController {
  /** Packets that may be in flight. */
  readonly window: number
  /** True while the window still looks for the capacity of the path; pacing is more generous then. */
  readonly isSlowStart: boolean
  /** `packets` were acknowledged. @param limited whether the window, and not the application, bounded what was in flight */
  onAcked(packets: number, now: number, smoothedRtt: number, limited: boolean): void
  /** One RTT sample, ms, less the other side's delay. */
  onRtt(sample: number): void
  /** A packet that was sent in this round was acknowledged: a new round begins. */
  onRound(): void
  /**
   * Packets were lost to congestion; called once a round trip at most.
   * @param floor packets that the path carries without a queue, as far as that is known: to go below would leave it idle
   */
  onCongestion(now: number, floor: number): void
  /** Every loss that the last onCongestion was called for proved to be reordering. */
  onSpuriousCongestion(now: number): void
  /** Nothing came through for several probe timeouts (RFC 9002, section 7.6). */
  onPersistentCongestion(): void
}
