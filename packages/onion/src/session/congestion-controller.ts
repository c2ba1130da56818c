import type { RateSample } from './delivery-rate.ts'

/**
 * Decides how many packets may be in flight, and how fast they leave. All packets have the same size, so windows count packets,
 * not bytes. Pure arithmetic: no clock of its own; times are monotonic ms.
 */
export interface CongestionController {
  /** Packets that may be in flight. */
  readonly window: number
  /** Packets a ms; infinite while nothing is known of the path. */
  readonly pacingRate: number
  /** A packet leaves. @param inFlight those before it @param isLimited whether the sender had too little to send */
  onSent(inFlight: number, isLimited: boolean, now: number): void
  /** An ACK came, and told this. */
  onAck(sample: RateSample, now: number): void
  /**
   * A packet was lost.
   * @param flightAtSend in flight when it was sent, itself counted
   * @param lostSince lost since then, itself counted
   * @param isLimited whether the sender had too little to send then
   * @param totalDelivered came through ever
   */
  onLost(flightAtSend: number, lostSince: number, isLimited: boolean, totalDelivered: number, now: number): void
  /** Losses were found, some packets or many, after onLost for each. */
  onLossEvent(): void
  /** Every packet that was lost since the last round trip began proved to be late only. */
  onSpuriousCongestion(): void
  /** Nothing came through for several probe timeouts (RFC 9002, section 7.6). */
  onPersistentCongestion(): void
}
