import type { Clock, Random } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { ByteStream } from '@weft/overlay'
import type { StreamProtocol } from '@weft/wire'
import { randomFraction } from './random-fraction.ts'
import type { SimulatedLinks } from './simulated-links.ts'
import type { SimulatedProcess } from './simulated-process.ts'
import type { Trace } from './trace.ts'

/** What stands at each end of a connection: one identity of a process. */
export interface ConnectionEnd {
  readonly id: DidKey
  readonly networkId: string
  readonly process: SimulatedProcess
  /** Takes a stream of a protocol, with the address that it came from; undefined when it does not offer that. */
  acceptor(protocol: StreamProtocol): ((stream: ByteStream, address: string) => void) | undefined
  /** A connection was made. */
  opened(connection: SimulatedConnection, to: DidKey): void
  /** A connection is over, as this end sees it. */
  closed(connection: SimulatedConnection, to: DidKey): void
}

/** What a connection knows of the world around it. */
export interface ConnectionWorld {
  readonly time: Clock
  readonly links: SimulatedLinks
  readonly random: Random
  readonly trace: Trace
  /** Whether packets get from one side to the other. */
  readonly reaches: (a: ConnectionEnd, b: ConnectionEnd) => boolean
}

/** One side of a connection, as its process sees it. */
interface Side {
  readonly endpoint: ConnectionEnd
  /** What the other side sees it come from: a multiaddr. */
  readonly address: string
  open: boolean
  /** ms: when the last of what was sent from here arrives; what follows does not overtake it. */
  lastArrival: number
  /** What was sent from here and waits for the way to be open. */
  readonly held: (() => void)[]
  readonly closeListeners: Set<() => void>
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
 * A connection between two nodes: what is sent arrives in order, later, and whole, or the connection ends. While the way
 * is cut, what is sent waits, as TCP sends it again and again; a side that hears nothing gives up after 20 to 50 s.
 */
export class SimulatedConnection {
  readonly #world: ConnectionWorld
  readonly #sides: readonly [Side, Side]
  /** ms of the simulation's clock: when it was made. */
  readonly openedAt: number
  /** Streams over it that are no control streams. */
  bulk = 0

  constructor(
    world: ConnectionWorld,
    dialler: { readonly endpoint: ConnectionEnd; readonly address: string },
    listener: { readonly endpoint: ConnectionEnd; readonly address: string },
  ) {
    this.#world = world
    this.#sides = [sideOf(dialler), sideOf(listener)]
    this.openedAt = world.time.monotonic()
    for (const { endpoint } of this.#sides) endpoint.opened(this, this.other(endpoint).id)
  }

  other(endpoint: ConnectionEnd): ConnectionEnd {
    return this.#to(endpoint).endpoint
  }

  /** Whether a side made it. */
  isDialler(endpoint: ConnectionEnd): boolean {
    return this.#sides[0].endpoint === endpoint
  }

  /** The address from which a side is seen. */
  addressOf(endpoint: ConnectionEnd): string {
    return this.#from(endpoint).address
  }

  isOpen(endpoint: ConnectionEnd): boolean {
    return this.#from(endpoint).open
  }

  /** Calls back when this side sees the end; at once when it has. Returns the unsubscribe function. */
  onClose(endpoint: ConnectionEnd, listener: () => void): () => void {
    const { open, closeListeners } = this.#from(endpoint)
    if (!open) {
      listener()
      return () => {}
    }
    closeListeners.add(listener)
    return () => closeListeners.delete(listener)
  }

  /** Sends so many bytes; `arrive` is run by the other process when they are there, and never if the connection ends. */
  send(from: ConnectionEnd, bytes: number, arrive: () => void): void {
    const [here, there] = [this.#from(from), this.#to(from)]
    if (!here.open || from.process.over) return
    const { time, links, trace } = this.#world
    const due = links.arrival(time.now(), from.process.site, there.endpoint.process.site, bytes + OVERHEAD)
    from.process.sent++
    here.lastArrival = Math.max(here.lastArrival, due)
    time.after(here.lastArrival - time.now(), () => {
      const deliver = (): void => {
        if (!there.open || there.endpoint.process.over) return
        trace.note(time.monotonic(), `bytes ${from.process.name} ${there.endpoint.process.name} ${bytes}`)
        there.endpoint.process.arrive(() => {
          if (there.open) arrive()
        })
      }
      if (here.held.length > 0 || !this.#reaches()) here.held.push(deliver)
      else deliver()
    })
  }

  /** Ends it from one side: that side at once, the other when it hears of it. */
  close(from: ConnectionEnd): void {
    const there = this.#to(from)
    if (!this.#from(from).open) return
    this.send(from, 0, () => this.#end(there))
    this.#end(this.#from(from))
  }

  /** The process of one side ended: its machine resets the connection. */
  reset(from: ConnectionEnd): void {
    const { time, links } = this.#world
    const [here, there] = [this.#from(from), this.#to(from)]
    this.#end(here)
    const ms = links.crossing(from.process.site, there.endpoint.process.site)
    time.after(ms, () => {
      // A reset that is lost is not sent again: the other side finds out by itself.
      if (this.#reaches()) there.endpoint.process.arrive(() => this.#end(there))
      else this.refresh()
    })
  }

  /** Something changed that decides whether the sides hear each other. */
  refresh(): void {
    const open = this.#reaches()
    for (const side of this.#sides) {
      if (open) this.#release(side)
      const { process } = this.#to(side.endpoint).endpoint
      this.#watch(side, !open || process.state !== 'running')
    }
  }

  #release(side: Side): void {
    const { time } = this.#world
    if (side.held.length === 0) return
    const flush = (): void => {
      if (!this.#reaches()) return
      for (const deliver of side.held.splice(0)) deliver()
    }
    time.after(RETRY_MS, flush)
  }

  #watch(side: Side, silent: boolean): void {
    if (!silent || !side.open || side.endpoint.process.over) {
      side.cancelWatch?.()
      side.cancelWatch = undefined
      return
    }
    if (side.cancelWatch !== undefined) return
    const { time, random } = this.#world
    const ms = MONITOR_TIMEOUT_MS + MONITOR_INTERVAL_MS * randomFraction(random)
    side.cancelWatch = time.after(ms, () => side.endpoint.process.arrive(() => this.#end(side)))
  }

  #end(side: Side): void {
    if (!side.open) return
    side.open = false
    side.cancelWatch?.()
    side.held.length = 0
    side.endpoint.closed(this, this.other(side.endpoint).id)
    for (const listener of side.closeListeners) listener()
    side.closeListeners.clear()
  }

  #reaches(): boolean {
    return this.#world.reaches(this.#sides[0].endpoint, this.#sides[1].endpoint)
  }

  #from(endpoint: ConnectionEnd): Side {
    return this.#sides[0].endpoint === endpoint ? this.#sides[0] : this.#sides[1]
  }

  #to(endpoint: ConnectionEnd): Side {
    return this.#sides[0].endpoint === endpoint ? this.#sides[1] : this.#sides[0]
  }
}

function sideOf({ endpoint, address }: { readonly endpoint: ConnectionEnd; readonly address: string }): Side {
  return {
    endpoint,
    address,
    open: true,
    lastArrival: 0,
    held: [],
    closeListeners: new Set(),
    cancelWatch: undefined,
  }
}
