import type { Random } from '@weft/core'
import { randomFraction } from '../simulation/random-fraction.ts'

/** What one direction of a link does to packets. */
export interface LineProfile {
  /** ms from one end to the other. */
  readonly delayMs: number
  /** Part of the packets that are lost, from 0 to 1. */
  readonly loss: number
  /** Mbit/s; by default as much as the machine moves. */
  readonly mbit?: number
  /** Bytes that wait for the line at most; more are dropped. Default 100 ms of the rate, 64 KiB at least. */
  readonly queueBytes?: number
}

interface Travelling {
  readonly packet: Uint8Array
  readonly due: number
}

const LEAST_QUEUE = 64 * 1024
const QUEUE_MS = 100

/** One direction of a link: packets in order, late, some of them never. Time comes in from outside. */
export class Line {
  /** Packets that were lost by chance, and for want of room. */
  lost = 0
  dropped = 0
  #profile: LineProfile
  readonly #random: Random
  #bytesPerMs = Number.POSITIVE_INFINITY
  #queueMs = 0
  readonly #travelling: Travelling[] = []
  #at = 0
  /** ms: when the line has sent all that it was given. */
  #busyUntil = 0

  constructor(profile: LineProfile, random: Random) {
    this.#profile = profile
    this.#random = random
    this.change(profile)
  }

  /** What it does to packets that it takes from now on. They come behind those before, however late these are. */
  change(profile: LineProfile): void {
    const { mbit, queueBytes } = profile
    this.#profile = profile
    this.#bytesPerMs = mbit === undefined ? Number.POSITIVE_INFINITY : mbit * 125
    this.#queueMs = (queueBytes ?? Math.max(LEAST_QUEUE, QUEUE_MS * this.#bytesPerMs)) / this.#bytesPerMs
  }

  /** Takes a packet at `now`, ms; it must not be changed afterwards. */
  send(packet: Uint8Array, now: number): void {
    const { delayMs, loss } = this.#profile
    const begin = Math.max(now, this.#busyUntil)
    if (begin - now > this.#queueMs) {
      this.dropped++
      return
    }
    this.#busyUntil = begin + packet.length / this.#bytesPerMs
    // What is lost has been sent all the same.
    if (loss > 0 && randomFraction(this.#random) < loss) this.lost++
    else this.#travelling.push({ packet, due: this.#busyUntil + delayMs })
  }

  /** When the next packet is there, ms; undefined while none is under way. */
  get nextDue(): number | undefined {
    return this.#travelling[this.#at]?.due
  }

  /** The next packet that is there at `now`. */
  receive(now: number): Uint8Array | undefined {
    const next = this.#travelling[this.#at]
    if (next === undefined || next.due > now) return undefined
    this.#at++
    if (this.#at === this.#travelling.length || this.#at > 4_096) {
      this.#travelling.splice(0, this.#at)
      this.#at = 0
    }
    return next.packet
  }
}
