/** Characters of an event that is not yet whole; the daemon's are far smaller. */
const MAX_PENDING = 1024 * 1024

/**
 * Reads a stream of server-sent events (HTML Living Standard, section 9.2.6) as far as this page needs it: names and
 * ids. `EventSource` does the same but cannot show who asks.
 */
export class EventStreamParser {
  #pending = ''
  #name = ''
  #hasData = false
  #id: string | undefined
  #lastId: string | undefined

  /** The id to resume from. */
  get lastId(): string | undefined {
    return this.#lastId
  }

  /** Takes the next text of the stream; gives the names of the events that it completes. @throws RangeError beyond 1 Mi characters */
  push(text: string): string[] {
    const lines = (this.#pending + text).split('\n')
    this.#pending = lines.pop() ?? ''
    if (this.#pending.length > MAX_PENDING) throw new RangeError('an event is too long')
    return lines.flatMap((line) => this.#line(line.replace(/\r$/, '')))
  }

  /** Forgets the part of an event that came before its stream broke off. */
  reset(): void {
    this.#pending = ''
    this.#clear()
  }

  #line(line: string): string[] {
    if (line === '') return this.#dispatch()
    const [, field, value = ''] = /^([^:]*)(?:: ?(.*))?$/.exec(line) ?? []
    if (field === 'event') this.#name = value
    else if (field === 'data') this.#hasData = true
    else if (field === 'id') this.#id = value
    return []
  }

  #dispatch(): string[] {
    const names = this.#hasData ? [this.#name === '' ? 'message' : this.#name] : []
    this.#lastId = this.#id ?? this.#lastId
    this.#clear()
    return names
  }

  #clear(): void {
    this.#name = ''
    this.#hasData = false
    this.#id = undefined
  }
}
