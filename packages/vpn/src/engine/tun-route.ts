import { type Clock, type Fault, toWeftError } from '@weft/core'
import type { IpChannel, SessionStream } from '@weft/onion'
import { leaveStream } from './leave-stream.ts'
import type { PathSet } from './path-set.ts'
import type { TakeStream } from './stream-opener.ts'

/** A channel of IP packets to an exit. */
export interface IpRoute {
  readonly stream: SessionStream
  readonly channel: IpChannel
  readonly paths: PathSet
  /** What the exit gave. */
  readonly address4: Uint8Array
  readonly address6: Uint8Array | undefined
}

export interface TunRouteInit {
  readonly clock: Clock
  /** Opens a channel to an exit that carries IP packets. @throws WeftError as `StreamOpener.open` */
  readonly open: (signal: AbortSignal, take: TakeStream) => Promise<void>
  /** As `PathSets.isLeft`. */
  readonly isLeft: (paths: PathSet) => boolean
  /** This channel is the one in use from now on. */
  readonly onTaken: (route: IpRoute) => void
  readonly onPacket: (route: IpRoute, bytes: Uint8Array) => void
  readonly onChange: () => void
}

/** ms between attempts to get a channel; and to get one over another path set where one stands. */
const RETRY_MS = 1_000
const FOLLOW_MS = 15_000

/** The channel that packets of the whole machine go over: another one is taken when it ends or falls silent, and when its path set is to be left. */
export class TunRoute {
  readonly #init: TunRouteInit
  readonly #controller = new AbortController()
  #current: IpRoute | undefined
  /** Packets that channels of before dropped. */
  #dropped = 0
  #isOpening = false
  /** Monotonic ms. */
  #retryAt = Number.NEGATIVE_INFINITY
  #cancelRetry: (() => void) | undefined
  #fault: Fault | undefined

  constructor(init: TunRouteInit) {
    this.#init = init
  }

  /** Undefined while there is none. */
  get current(): IpRoute | undefined {
    return this.#current
  }

  /** Why there is none, or none over the path set that it is to go over. */
  get fault(): Fault | undefined {
    return this.#fault
  }

  /** Packets that waited for this channel, or those before, for too long. */
  get dropped(): number {
    return this.#dropped + (this.#current?.channel.queue.dropped ?? 0)
  }

  /** Asks for a channel where one is missing or to be left; not while one is asked for, nor soon after that came to nothing. */
  look(): void {
    const { clock, open, isLeft, onChange } = this.#init
    const { signal } = this.#controller
    const current = this.#current
    const isWell = current?.paths.healthy === true
    if (isWell && !isLeft(current.paths)) return
    if (this.#isOpening || signal.aborted || clock.monotonic() < this.#retryAt) return
    this.#isOpening = true
    open(signal, (stream, paths) => this.#take(stream, paths, isWell))
      .catch((error: unknown) => {
        const { code, cause, fix } = toWeftError(error, NO_CHANNEL)
        this.#fault = { code, cause, fix }
        // Better none than one that is not what is asked for now.
        if (this.#current?.paths.outdated === true) this.#leave()
        this.#lookLater(RETRY_MS)
      })
      .finally(() => {
        this.#isOpening = false
        onChange()
      })
  }

  /** Gives up the channel; no other is asked for. */
  close(): void {
    this.#controller.abort()
    this.#cancelRetry?.()
    this.#leave()
  }

  #lookLater(ms: number): void {
    const { clock } = this.#init
    this.#retryAt = clock.monotonic() + ms
    this.#cancelRetry?.()
    if (!this.#controller.signal.aborted) this.#cancelRetry = clock.after(ms, () => this.look())
  }

  /** @param follows another path set was asked for than that of the channel in use, which is well */
  #take(stream: SessionStream, paths: PathSet, follows: boolean): void {
    const { ip: channel, address: given } = stream
    if (channel === undefined || this.#controller.signal.aborted) return leaveStream(stream, paths)
    this.#fault = undefined
    if (this.#current?.paths === paths && paths.healthy) {
      // Connections that go over this one need not end for another one of the same way.
      leaveStream(stream, paths)
      if (!follows) return
      this.#fault = NOT_FOLLOWED
      return this.#lookLater(FOLLOW_MS)
    }
    const address6 = given.length === 16 ? given : undefined
    const route = { stream, channel, paths, address4: given.subarray(given.length - 4), address6 }
    const lost = (): void => {
      paths.forget(stream)
      if (this.#current !== route) return
      this.#dropped = this.dropped
      this.#current = undefined
      this.look()
      this.#init.onChange()
    }
    stream.handler = { onReset: lost, onEnd: lost }
    channel.handler = { onPacket: (bytes) => this.#init.onPacket(route, bytes) }
    this.#leave()
    this.#current = route
    this.#init.onTaken(route)
  }

  #leave(): void {
    const route = this.#current
    this.#dropped = this.dropped
    this.#current = undefined
    if (route !== undefined) leaveStream(route.stream, route.paths)
  }
}

const NO_CHANNEL: Fault = {
  code: 'E_INTERNAL',
  cause: 'No exit could be asked to carry IP packets.',
  fix: 'See the log of this node.',
}

const NOT_FOLLOWED: Fault = {
  code: 'E_EXIT_NO_IP',
  cause:
    'No exit of the routes that are asked for now carries IP packets: what the machine sends goes over those of before.',
  fix: 'Nothing to do: they are asked again. Operators allow it with exit.ip; a profile with other exits may have one.',
}
