import type { Fault } from '@weft/core'
import type { VpnRouteAnswer } from '@weft/node'
import { faultLines } from './fault-lines.ts'
import { shortId } from './format.ts'
import type { Output } from './output.ts'
import { eventWords, throughputWords, wholeRouteLines } from './route-lines.ts'
import { Screen } from './screen.ts'

type RouteEvent = VpnRouteAnswer['events'][number]

/** Where routes are shown as they change. */
export interface RouteWatch extends Disposable {
  show(route: VpnRouteAnswer, now: number): void
  /** The daemon does not answer: why. */
  lost(fault: Fault, now: number): void
}

/** As a page that is drawn anew on a terminal, as lines of what changed elsewhere, as documents with --json. */
export function routeWatch(output: Output, long: boolean): RouteWatch {
  if (output.json) return new WatchDocuments(output)
  return output.stdout.isTTY ? new WatchPage(output, long) : new WatchLines(output)
}

class WatchDocuments implements RouteWatch {
  readonly #output: Output

  constructor(output: Output) {
    this.#output = output
  }

  show(route: VpnRouteAnswer, now: number): void {
    this.#output.document({ at: now, ...route })
  }

  lost({ code, cause, fix }: Fault, now: number): void {
    this.#output.document({ at: now, error: { code, cause, fix } })
  }

  [Symbol.dispose](): void {}
}

class WatchPage implements RouteWatch {
  readonly #output: Output
  readonly #long: boolean
  readonly #screen: Screen
  #last: readonly string[] = []

  constructor(output: Output, long: boolean) {
    this.#output = output
    this.#long = long
    this.#screen = new Screen(output.stdout)
  }

  show(route: VpnRouteAnswer, now: number): void {
    this.#last = wholeRouteLines(route, now, this.#long, this.#output)
    this.#screen.draw([`${clockTime(now)}  Ctrl-C ends`, '', ...this.#last])
  }

  lost(fault: Fault, now: number): void {
    const words = this.#output.styled('red', 'The daemon does not answer')
    const head = `${clockTime(now)}  ${words}; what it said last is below. Ctrl-C ends`
    this.#screen.draw([head, ...faultLines(fault, this.#output), '', ...this.#last])
  }

  [Symbol.dispose](): void {
    this.#screen[Symbol.dispose]()
    // What was seen last stays to be read.
    this.#output.print(...this.#last)
  }
}

class WatchLines implements RouteWatch {
  readonly #output: Output
  #told = ''
  #isLost = false
  #newest: RouteEvent | undefined

  constructor(output: Output) {
    this.#output = output
  }

  show(route: VpnRouteAnswer, now: number): void {
    if (this.#isLost) this.#line(now, 'The daemon answers again.')
    this.#isLost = false
    for (const event of this.#news(route.events)) this.#line(event.at, eventWords(event, this.#output))
    this.#newest = route.events[0]
    const words = stateWords(route)
    if (words !== this.#told) this.#line(now, `${words}  ${throughputWords(route.throughput)}`)
    this.#told = words
  }

  lost({ code, cause }: Fault, now: number): void {
    if (!this.#isLost) this.#line(now, `The daemon does not answer (${code}: ${cause}); it is asked every second.`)
    this.#isLost = true
    this.#told = ''
    this.#newest = undefined
  }

  [Symbol.dispose](): void {}

  /** The oldest first. A daemon that was restarted has other ones. */
  #news(events: readonly RouteEvent[]): RouteEvent[] {
    const newest = this.#newest
    const known = newest === undefined ? -1 : events.findIndex((event) => isSame(event, newest))
    return events.slice(0, known < 0 ? events.length : known).toReversed()
  }

  #line(at: number, words: string): void {
    this.#output.print(`${clockTime(at)}  ${words}`)
  }
}

function isSame(one: RouteEvent, two: RouteEvent): boolean {
  return one.at === two.at && one.kind === two.kind && one.cause === two.cause
}

/** How the routes stand, in one line that changes only when that does. */
function stateWords({ state, legs, others }: VpnRouteAnswer): string {
  const of = (all: VpnRouteAnswer['legs']): string =>
    all
      .map((leg) => `${leg.state} ${leg.hops.map(({ node, health }) => `…${shortId(node)} ${health}`).join(', ')}`)
      .join('; ')
  const more = others.map((other) => `; ${other.use} ${other.state} ${of(other.legs)}`)
  return `${state}  ${of(legs)}${more.join('')}`
}

function clockTime(ms: number): string {
  return new Date(ms).toISOString().slice(11, 19)
}
