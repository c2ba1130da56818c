import type { Clock } from '@weft/core'
import type { Throughput } from '../vpn.ts'

const EVERY_MS = 1_000

/** Looks once a second how many bytes came and went, and tells while any do. */
export class ThroughputMeter {
  readonly #clock: Clock
  readonly #bytes: () => { readonly sent: number; readonly received: number }
  readonly #tell: (rate: Throughput) => void
  #cancel: (() => void) | undefined
  #at = 0
  #rate: Throughput = { sentBytesPerSecond: 0, receivedBytesPerSecond: 0, sentBytes: 0, receivedBytes: 0 }
  /** As it was at the last look. */
  #seen = { sent: 0, received: 0 }

  /** @param bytes what came and went so far, which never falls */
  constructor(
    clock: Clock,
    bytes: () => { readonly sent: number; readonly received: number },
    tell: (rate: Throughput) => void,
  ) {
    this.#clock = clock
    this.#bytes = bytes
    this.#tell = tell
  }

  get rate(): Throughput {
    return this.#rate
  }

  start(): void {
    this.stop()
    this.#at = this.#clock.monotonic()
    this.#seen = this.#bytes()
    this.#cancel = this.#clock.after(EVERY_MS, () => this.#look())
  }

  /** Nothing is measured from now on, which is told as none; what came and went so far stays. */
  stop(): void {
    this.#cancel?.()
    this.#cancel = undefined
    this.#rate = { ...this.#rate, sentBytesPerSecond: 0, receivedBytesPerSecond: 0 }
  }

  #look(): void {
    const now = this.#clock.monotonic()
    const seconds = Math.max(0.001, (now - this.#at) / 1_000)
    const bytes = this.#bytes()
    const sent = bytes.sent - this.#seen.sent
    const received = bytes.received - this.#seen.received
    const flowed =
      sent > 0 || received > 0 || this.#rate.sentBytesPerSecond > 0 || this.#rate.receivedBytesPerSecond > 0
    this.#rate = {
      sentBytesPerSecond: Math.round(sent / seconds),
      receivedBytesPerSecond: Math.round(received / seconds),
      sentBytes: this.#rate.sentBytes + sent,
      receivedBytes: this.#rate.receivedBytes + received,
    }
    this.#at = now
    this.#seen = bytes
    if (flowed) this.#tell(this.#rate)
    this.#cancel = this.#clock.after(EVERY_MS, () => this.#look())
  }
}
