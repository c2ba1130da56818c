import type { Clock, Random } from '@weft/core'
import { Connection, type ConnectionEnd, type Side } from './connection.ts'
import { randomFraction } from './random-fraction.ts'
import type { SimulatedLinks } from './simulated-links.ts'
import type { Trace } from './trace.ts'

/** What a connection knows of the world around it. */
export interface ConnectionWorld {
  readonly time: Clock
  readonly links: SimulatedLinks
  readonly random: Random
  readonly trace: Trace
  /** Whether packets get from one side to the other. */
  readonly reaches: (a: ConnectionEnd, b: ConnectionEnd) => boolean
}

/** The way out of one side. */
interface Way {
  readonly endpoint: ConnectionEnd
  /** ms: when the last of what was sent from here arrives; what follows does not overtake it. */
  lastArrival: number
  /** What was sent from here and waits for the way to be open. */
  readonly held: (() => void)[]
  /** Gives up a silent connection in a while; undefined while it is not silent. */
  cancelWatch: (() => void) | undefined
}

/** Bytes around a message: frames of the muxer and TLS, headers of TCP and IP, for one packet. */
const OVERHEAD = 100
/** ms: how often a node asks on a connection that nobody uses whether it is alive, and how long it waits for the answer. */
const MONITOR_INTERVAL_MS = 30_000
const MONITOR_TIMEOUT_MS = 20_000
/** ms until what was sent into a cut is sent again after the cut. */
const RETRY_MS = 200

/**
 * A direct connection. While the way is cut, what is sent waits, as TCP sends it again and again; a side that hears nothing
 * gives up after 20 to 50 s.
 */
export class SimulatedConnection extends Connection {
  readonly relayed = false
  readonly #world: ConnectionWorld
  readonly #ways: readonly [Way, Way]

  constructor(world: ConnectionWorld, dialler: Side, listener: Side) {
    super(dialler, listener, world.time.monotonic())
    this.#world = world
    this.#ways = [wayOf(dialler.endpoint), wayOf(listener.endpoint)]
    this.announce()
  }

  send(from: ConnectionEnd, bytes: number, arrive: () => void): void {
    if (!this.isOpen(from) || from.process.over) return
    const { time, links, trace } = this.#world
    const there = this.other(from)
    const here = this.#wayOf(from)
    const due = links.arrival(time.now(), from.process.site, there.process.site, bytes + OVERHEAD)
    from.process.sent++
    here.lastArrival = Math.max(here.lastArrival, due)
    time.after(here.lastArrival - time.now(), () => {
      const deliver = (): void => {
        if (!this.isOpen(there) || there.process.over) return
        trace.note(time.monotonic(), `bytes ${from.process.name} ${there.process.name} ${bytes}`)
        there.process.arrive(() => {
          if (this.isOpen(there)) arrive()
        })
      }
      if (here.held.length > 0 || !this.#reaches()) here.held.push(deliver)
      else deliver()
    })
  }

  close(from: ConnectionEnd): void {
    if (!this.isOpen(from)) return
    const there = this.other(from)
    this.send(from, 0, () => this.end(there))
    this.end(from)
  }

  reset(from: ConnectionEnd): void {
    const { time, links } = this.#world
    const there = this.other(from)
    this.end(from)
    const ms = links.crossing(from.process.site, there.process.site)
    time.after(ms, () => {
      // A reset that is lost is not sent again: the other side finds out by itself.
      if (this.#reaches()) there.process.arrive(() => this.end(there))
      else this.refresh()
    })
  }

  refresh(): void {
    const open = this.#reaches()
    for (const way of this.#ways) {
      if (open) this.#release(way)
      this.#watch(way, !open || this.other(way.endpoint).process.state !== 'running')
    }
  }

  protected override end(endpoint: ConnectionEnd): boolean {
    const way = this.#wayOf(endpoint)
    way.cancelWatch?.()
    way.held.length = 0
    return super.end(endpoint)
  }

  #release(way: Way): void {
    const { time } = this.#world
    if (way.held.length === 0) return
    const flush = (): void => {
      if (!this.#reaches()) return
      for (const deliver of way.held.splice(0)) deliver()
    }
    time.after(RETRY_MS, flush)
  }

  #watch(way: Way, silent: boolean): void {
    const { endpoint } = way
    if (!silent || !this.isOpen(endpoint) || endpoint.process.over) {
      way.cancelWatch?.()
      way.cancelWatch = undefined
      return
    }
    if (way.cancelWatch !== undefined) return
    const { time, random } = this.#world
    const ms = MONITOR_TIMEOUT_MS + MONITOR_INTERVAL_MS * randomFraction(random)
    way.cancelWatch = time.after(ms, () => endpoint.process.arrive(() => void this.end(endpoint)))
  }

  #reaches(): boolean {
    return this.#world.reaches(this.#ways[0].endpoint, this.#ways[1].endpoint)
  }

  #wayOf(endpoint: ConnectionEnd): Way {
    return this.#ways[0].endpoint === endpoint ? this.#ways[0] : this.#ways[1]
  }
}

function wayOf(endpoint: ConnectionEnd): Way {
  return { endpoint, lastArrival: 0, held: [], cancelWatch: undefined }
}
