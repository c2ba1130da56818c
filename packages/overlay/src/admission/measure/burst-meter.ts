/**
 * How fast bytes come: the highest rate at which a whole window of them did. A connection that is new starts slowly
 * (RFC 5681, section 3.1), so that an average over all of a burst would tell its round-trip time, not its bandwidth.
 */
export class BurstMeter {
  readonly #window: number
  /** Arrivals from the one that begins the window on: when, and how much. */
  readonly #arrivals: { readonly at: number; readonly bytes: number }[] = []
  #begin = 0
  /** Bytes that came after the arrival that begins the window. */
  #inWindow = 0
  #total = 0
  #best = 0

  /** @param window bytes */
  constructor(window: number) {
    this.#window = window
  }

  /** @param at ms of a clock that only goes forward */
  add(at: number, bytes: number): void {
    this.#arrivals.push({ at, bytes })
    // How long the first took to come says nothing about its rate.
    if (this.#arrivals.length === 1) return
    this.#inWindow += bytes
    this.#total += bytes
    for (;;) {
      const next = this.#arrivals[this.#begin + 1]?.bytes ?? 0
      if (this.#inWindow - next < this.#window) break
      this.#inWindow -= next
      this.#begin++
    }
    if (this.#inWindow < this.#window) return
    const ms = at - (this.#arrivals[this.#begin]?.at ?? at)
    this.#best = Math.max(this.#best, ms <= 0 ? Infinity : this.#inWindow / ms)
  }

  /** Bytes a ms; where no window was filled, that of all that came until `now`. */
  rate(now: number): number {
    const first = this.#arrivals[0]
    if (this.#best > 0) return this.#best
    return first === undefined || now <= first.at ? 0 : this.#total / (now - first.at)
  }
}
