import type { Random } from '@weft/core'
import type { LinkProfile } from './link-profile.ts'
import { randomFraction } from './random-fraction.ts'
import type { Site } from './site.ts'

/** Payload of one packet: 1,500 bytes less IPv4 and TCP with timestamps. */
const PACKET = 1_448
/** ms: least wait before a lost segment is sent again, as Linux has it; doubles each time (RFC 6298, section 5.5). */
const LEAST_RETRANSMISSION_MS = 200
/** Losses of one message in a row that are played through; more would be a broken link. */
const MOST_RETRANSMISSIONS = 6

/**
 * When bytes arrive. Overlay traffic runs over TCP, so loss is delay: what a packet is lost of comes after a
 * retransmission. Draws its chances in the order of the calls, which makes it as repeatable as these are.
 */
export class SimulatedLinks {
  readonly #profile: LinkProfile
  readonly #random: Random
  /** Until when the line of each machine is busy with what it sends, ms; by address. */
  readonly #busyUntil = new Map<string, number>()
  /** ms one way, by the region that is left and the one that is reached. */
  readonly #latency = new Map<string, Map<string, number>>()

  constructor(profile: LinkProfile, random: Random) {
    this.#profile = profile
    this.#random = random
  }

  /** When a message that is sent at `now` (ms) is there, whole. */
  arrival(now: number, from: Site, to: Site, bytes: number): number {
    const { slow } = this.#profile
    const sent = this.#through(from.address, now, bytes)
    const there = sent + this.crossing(from, to) + this.#retransmission(from, to, bytes)
    // A line that is slow is slow for what it takes as well; of others only that counts which they send.
    return slow?.has(to.address) === true ? this.#through(`to ${to.address}`, there, bytes) : there
  }

  /** When so many bytes, which wait for those before them, are through a line. */
  #through(line: string, now: number, bytes: number): number {
    const { bytesPerMs, slow } = this.#profile
    const begin = Math.max(now, this.#busyUntil.get(line) ?? 0)
    const end = begin + bytes / (slow?.get(line.replace('to ', '')) ?? bytesPerMs)
    this.#busyUntil.set(line, end)
    return end
  }

  /** ms that one small packet takes, if it is not lost. */
  crossing(from: Site, to: Site): number {
    const { jitterMs } = this.#profile
    return this.#latencyOf(from, to) + (jitterMs === 0 ? 0 : jitterMs * randomFraction(this.#random))
  }

  #latencyOf({ region: from }: Site, { region: to }: Site): number {
    let row = this.#latency.get(from)
    if (row === undefined) this.#latency.set(from, (row = new Map<string, number>()))
    let ms = row.get(to)
    if (ms === undefined) row.set(to, (ms = this.#profile.latencyMs(from, to)))
    return ms
  }

  #retransmission(from: Site, to: Site, bytes: number): number {
    const { loss } = this.#profile
    if (loss === 0) return 0
    let delay = 0
    let chance = 1 - (1 - loss) ** Math.ceil(bytes / PACKET)
    let wait = Math.max(LEAST_RETRANSMISSION_MS, 3 * this.#latencyOf(from, to))
    for (let times = 0; times < MOST_RETRANSMISSIONS && randomFraction(this.#random) < chance; times++) {
      delay += wait
      wait *= 2
      // What is sent again is what was lost: most often one packet.
      chance = loss
    }
    return delay
  }
}
