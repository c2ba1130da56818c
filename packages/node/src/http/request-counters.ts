export interface RequestCount {
  readonly method: string
  readonly route: string
  readonly status: number
  count: number
  seconds: number
}

/** Requests by route and status. Bounded: methods and routes are the declared ones, all else counts as one. */
export class RequestCounters {
  readonly #counts = new Map<string, RequestCount>()

  count(method: string, route: string, status: number, seconds: number): void {
    const known = route === 'unmatched' ? 'ANY' : method
    const key = `${known} ${route} ${status}`
    let count = this.#counts.get(key)
    if (count === undefined) {
      count = { method: known, route, status, count: 0, seconds: 0 }
      this.#counts.set(key, count)
    }
    count.count++
    count.seconds += seconds
  }

  list(): readonly Readonly<RequestCount>[] {
    return [...this.#counts.values()]
  }
}
