import { WeftError } from '@weft/core'

export interface ServerEvent {
  readonly id: string | undefined
  /** 'message' when the stream did not name it. */
  readonly name: string
  readonly data: string
}

/** Characters; one event of the daemon has a few hundred. */
const MAX_EVENT = 1_048_576

/**
 * Parses server-sent events as they arrive (HTML Living Standard, section 9.2.6): feed it text, get whole events.
 * Comments (heartbeats) and unknown fields are skipped, as the standard says.
 */
export class EventStreamParser {
  #rest = ''
  #id: string | undefined
  #name = ''
  #data: string[] = []
  #length = 0

  /** @throws WeftError E_EVENT_STREAM when one event grows over 1 MiB: nothing the daemon sends is that long. */
  push(text: string): ServerEvent[] {
    const events: ServerEvent[] = []
    // A CR at the end may be half of a CRLF: it waits for what follows.
    const all = this.#rest + text
    const whole = all.endsWith('\r') ? all.slice(0, -1) : all
    const lines = whole.split(/\r\n|\r|\n/)
    this.#rest = (lines.pop() as string) + all.slice(whole.length)
    for (const line of lines) {
      const event = this.#line(line)
      if (event !== undefined) events.push(event)
    }
    if (this.#rest.length + this.#length > MAX_EVENT) {
      throw new WeftError({
        code: 'E_EVENT_STREAM',
        cause: `The daemon's event stream holds an event of more than ${MAX_EVENT} characters.`,
        fix: 'Restart the daemon: weft stop, then weft start.',
      })
    }
    return events
  }

  #line(line: string): ServerEvent | undefined {
    if (line === '') return this.#dispatch()
    const colon = line.indexOf(':')
    if (colon === 0) return undefined
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (field === 'event') this.#name = value
    else if (field === 'id' && !value.includes('\0')) this.#id = value
    else if (field === 'data') {
      this.#data.push(value)
      this.#length += value.length
    }
    return undefined
  }

  #dispatch(): ServerEvent | undefined {
    const event =
      this.#data.length === 0
        ? undefined
        : { id: this.#id, name: this.#name === '' ? 'message' : this.#name, data: this.#data.join('\n') }
    this.#name = ''
    this.#data = []
    this.#length = 0
    return event
  }
}
