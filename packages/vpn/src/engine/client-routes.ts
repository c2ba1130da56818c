import { type Clock, type Fault, type Random, WeftError, isWeftError, toWeftError } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import { type CircuitLink, type ClientCircuits, SessionCode, type SessionStream } from '@weft/onion'
import { chooseRoute, isNobodyLeft } from '../route/choose-route.ts'
import type { RouteMember } from '../route/route-member.ts'
import type { LegStatus, VpnState } from '../vpn.ts'
import type { FlushQueue } from './flush-queue.ts'
import { Leg, SLOW_BUILD_MS } from './leg.ts'

export interface ClientRoutesInit {
  readonly circuits: ClientCircuits
  /** This node itself: never part of its own routes. */
  readonly self: DidKey
  readonly queue: FlushQueue
  readonly clock: Clock
  readonly random: Random
  readonly members: () => readonly RouteMember[]
  /** Members that the overlay cannot reach at the moment: taken only where there are no others. */
  readonly unreachable: () => ReadonlySet<DidKey>
  readonly linkTo: (entry: RouteMember) => CircuitLink
  /** Legs in readiness beside the one in use. */
  readonly spares: number
  readonly onChange: () => void
}

/** Takes over a stream that its target took, within the call: the stream's first bytes may be next. */
export type TakeStream = (stream: SessionStream, leg: Leg) => void

/** ms in which a request is answered, whatever happens. */
const OPEN_MS = 4_400
/** Legs that a request is tried on. */
const MAX_TRIES = 6
/** ms for which a node that failed is left out; and all of a leg that fell silent, when it is not known which of them it was. */
const FAILED_MS = 60_000
const SILENT_MS = 20_000
/** Legs at once, those that are being built or are silent included. */
const MAX_LEGS = 6
/** ms between attempts to build when one failed; doubled up to the last. */
const RETRY_FIRST_MS = 250
const RETRY_MOST_MS = 8_000
/** Streams that have waited for a leg longer than others go first; this many may wait. */
const MAX_WAITING = 1_024

/** Keeps a leg in use and spares beside it, and opens streams on whichever works. */
export class ClientRoutes {
  readonly #init: ClientRoutesInit
  /** In the order in which they became ready: the first healthy one is in use. */
  #legs: Leg[] = []
  /** Nodes that failed, and until when they are left out, monotonic ms. */
  readonly #failed = new Map<DidKey, number>()
  /** As the overlay said last. */
  #unreachable: ReadonlySet<DidKey> = new Set()
  readonly #waiting = new Set<() => void>()
  #fault: Fault | undefined
  #retryMs = RETRY_FIRST_MS
  #cancelRetry: (() => void) | undefined
  #closed = false

  constructor(init: ClientRoutesInit) {
    this.#init = init
  }

  get state(): Exclude<VpnState, 'off'> {
    if (this.#inUse() !== undefined) return 'connected'
    return this.#fault === undefined ? 'connecting' : 'blocked'
  }

  get fault(): Fault | undefined {
    const fault = this.#fault
    if (fault === undefined || this.#inUse() !== undefined) return undefined
    if (isNobodyLeft(fault.code)) return fault
    return {
      code: 'E_ROUTE_NONE',
      cause: `No route works at the moment. The last one: ${fault.cause}`,
      fix: 'Nothing to do at once: other nodes are tried again and again. weft peers shows which members answer; a route needs an entry, a relay and an exit.',
    }
  }

  get exit(): DidKey | undefined {
    return this.#inUse()?.hops.at(-1)?.id
  }

  /** Connections that are open or being opened. */
  get streams(): number {
    return this.#legs.reduce((sum, { streams }) => sum + streams, this.#waiting.size)
  }

  get bytes(): { readonly sent: number; readonly received: number } {
    return this.#legs.reduce(
      (sum, { bytes }) => ({ sent: sum.sent + bytes.sent, received: sum.received + bytes.received }),
      { sent: 0, received: 0 },
    )
  }

  /** The one in use first. */
  legs(): LegStatus[] {
    const used = this.#inUse()
    const others = this.#legs.filter((leg) => leg !== used)
    return [...(used === undefined ? [] : [used.status('active')]), ...others.map((leg) => leg.status('spare'))]
  }

  /** Builds what is missing; to be called when members change, too. */
  keep(): void {
    if (this.#closed) return
    const members = new Set(this.#init.members().map(({ id }) => id))
    for (const leg of this.#legs) {
      if (leg.streams === 0 && leg.hops.some(({ id }) => !members.has(id))) leg.destroy()
    }
    while (
      this.#legs.length < MAX_LEGS &&
      this.#legs.filter(({ promising }) => promising).length <= this.#init.spares
    ) {
      if (!this.#build()) break
    }
  }

  /** To be called when the overlay lost a member or reached it again. */
  onReach(): void {
    const unreachable = this.#init.unreachable()
    for (const id of this.#unreachable) if (!unreachable.has(id)) this.#failed.delete(id)
    this.#unreachable = unreachable
    for (const leg of this.#legs) leg.onUnreachable(unreachable)
    this.keep()
  }

  /**
   * Opens a stream to a target. While no answer came it moves to another leg when its own falls silent, since nothing of
   * the request has been sent yet.
   * @throws WeftError E_TARGET_… by the exit's answer, E_ROUTE_TIMEOUT, E_ABORTED and those of `chooseRoute`
   */
  async open(host: string, port: number, signal: AbortSignal, take: TakeStream): Promise<void> {
    const { clock } = this.#init
    const deadline = clock.monotonic() + OPEN_MS
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const leg = this.#inUse() ?? (await this.#legReady(deadline, signal))
      if ((await this.#tryOn(leg, host, port, deadline, signal, take)) === 'opened') return
      this.keep()
    }
    throw this.#noRoute(signal)
  }

  close(): void {
    this.#closed = true
    this.#cancelRetry?.()
    for (const leg of this.#legs) leg.destroy()
    for (const wake of this.#waiting) wake()
  }

  #inUse(): Leg | undefined {
    return this.#legs.find(({ healthy }) => healthy)
  }

  /** @returns false when none can be chosen now. */
  #build(): boolean {
    const { clock, random, members, unreachable, self, linkTo, circuits, queue } = this.#init
    const now = clock.monotonic()
    for (const [id, until] of this.#failed) if (until <= now) this.#failed.delete(id)
    const busy = new Set(this.#legs.flatMap(({ hops }) => hops.map(({ id }) => id)))
    const away = unreachable()
    const failed = [...[...this.#failed.keys()].filter((id) => !away.has(id)), ...away]
    try {
      const { hops } = chooseRoute(members(), { never: new Set([self]), busy, failed }, random)
      const leg = new Leg({
        link: linkTo(hops[0] as RouteMember),
        hops,
        circuits,
        queue,
        clock,
        random,
        onReady: () => this.#onReady(),
        onSuspect: () => {
          this.keep()
          this.#wakeWaiting()
          this.#init.onChange()
        },
        onEnd: (ended) => this.#onEnd(ended),
      })
      this.#legs.push(leg)
      // One that takes long to build is not waited for: another is begun beside it, over other nodes.
      clock.after(SLOW_BUILD_MS, () => {
        if (!leg.ready && !leg.over) this.keep()
      })
      // Nobody was there for a route, and now somebody is: that it was blocked is over.
      if (this.#fault !== undefined && isNobodyLeft(this.#fault.code)) this.#fault = undefined
      this.#init.onChange()
      return true
    } catch (error) {
      // Plain data, not the error itself: it crosses to the main thread.
      const { code, cause, fix } = toWeftError(error, {
        code: 'E_INTERNAL',
        cause: 'A route could not be begun.',
        fix: 'See the log of this node.',
      })
      this.#fault = { code, cause, fix }
      this.#retryLater()
      this.#wakeWaiting()
      this.#init.onChange()
      return false
    }
  }

  #onReady(): void {
    this.#fault = undefined
    this.#wakeWaiting()
    this.#init.onChange()
  }

  #onEnd(leg: Leg): void {
    this.#legs = this.#legs.filter((other) => other !== leg)
    if (this.#closed) return
    // One that an exit ends as soon as it is ready leaves the wait between attempts as it is.
    if (leg.stood) this.#retryMs = RETRY_FIRST_MS
    if (leg.fault !== undefined) {
      this.#fault = leg.fault
      const now = this.#init.clock.monotonic()
      const until = now + (leg.culprit === undefined ? SILENT_MS : FAILED_MS)
      const culprits = leg.culprit === undefined ? leg.hops : [leg.culprit]
      for (const { id } of culprits) {
        this.#failed.delete(id)
        this.#failed.set(id, until)
      }
    }
    this.#wakeWaiting()
    this.#init.onChange()
    if (this.#legs.some(({ healthy }) => healthy)) this.#retryLater()
    else if (this.#retryMs === RETRY_FIRST_MS) {
      this.#retryMs *= 2
      this.keep()
    } else this.#retryLater()
  }

  #retryLater(): void {
    if (this.#cancelRetry !== undefined || this.#closed) return
    this.#cancelRetry = this.#init.clock.after(this.#retryMs, () => {
      this.#cancelRetry = undefined
      this.keep()
    })
    this.#retryMs = Math.min(RETRY_MOST_MS, 2 * this.#retryMs)
  }

  #wakeWaiting(): void {
    for (const wake of this.#waiting) wake()
  }

  /** @throws WeftError when none gets ready in time. */
  async #legReady(deadline: number, signal: AbortSignal): Promise<Leg> {
    const { clock } = this.#init
    this.keep()
    for (;;) {
      const leg = this.#inUse()
      if (leg !== undefined) return leg
      const left = deadline - clock.monotonic()
      // What no waiting mends is told at once.
      if (this.#fault !== undefined && isNobodyLeft(this.#fault.code)) throw new WeftError(this.#fault)
      if (left <= 0 || this.#closed || signal.aborted) throw this.#noRoute(signal)
      if (this.#waiting.size >= MAX_WAITING) throw this.#noRoute(signal)
      await new Promise<void>((resolve) => {
        const done = (): void => {
          cancel()
          this.#waiting.delete(done)
          signal.removeEventListener('abort', done)
          resolve()
        }
        const cancel = clock.after(left, done)
        this.#waiting.add(done)
        signal.addEventListener('abort', done, { once: true })
      })
    }
  }

  #tryOn(
    leg: Leg,
    host: string,
    port: number,
    deadline: number,
    signal: AbortSignal,
    take: TakeStream,
  ): Promise<'opened' | 'moved'> {
    const { clock } = this.#init
    const stream = leg.openStream(host, port)
    const { promise, resolve, reject } = Promise.withResolvers<'opened' | 'moved'>()
    if (stream === undefined) {
      resolve('moved')
      return promise
    }
    const end = (): void => {
      cancel()
      this.#waiting.delete(look)
      signal.removeEventListener('abort', look)
    }
    const give = (): void => {
      end()
      stream.reset(SessionCode.none)
      leg.forget(stream)
    }
    const look = (): void => {
      if (signal.aborted || clock.monotonic() >= deadline) {
        give()
        reject(leg.healthy ? targetFault(SessionCode.timedOut) : this.#noRoute(signal))
      } else if (leg.over || (!leg.healthy && this.#inUse() !== undefined)) {
        give()
        resolve('moved')
      }
    }
    const cancel = clock.after(deadline - clock.monotonic(), look)
    this.#waiting.add(look)
    signal.addEventListener('abort', look, { once: true })
    stream.handler = {
      onOpened: () => {
        end()
        take(stream, leg)
        resolve('opened')
      },
      onRefused: (code) => {
        end()
        leg.forget(stream)
        reject(targetFault(code))
      },
      // No answer of the exit's about the target: its session ends, or it has no room.
      onReset: (code) => {
        end()
        leg.forget(stream)
        if (code === SessionCode.limit) reject(targetFault(code))
        else resolve('moved')
      },
    }
    return promise
  }

  #noRoute(signal: AbortSignal): WeftError {
    if (isWeftError(signal.reason)) return signal.reason
    const why = this.#fault === undefined ? '' : ` ${this.#fault.code}: ${this.#fault.cause}`
    return new WeftError({
      code: 'E_ROUTE_TIMEOUT',
      cause: `No route was ready within ${OPEN_MS / 1_000} s.${why}`,
      fix: this.#fault?.fix ?? 'Try again; weft vpn status shows what keeps routes from being built.',
      retryable: true,
    })
  }
}

/** What an exit said of a target, as a fault without the target's name. */
function targetFault(code: number): WeftError {
  const [name, cause, fix] = TARGET_FAULTS[code] ?? [
    'E_TARGET_FAILED',
    `The exit could not open the connection (code ${code}).`,
    'Try again, or through another exit.',
  ]
  return new WeftError({ code: name, cause, fix, details: { code } })
}

const TARGET_FAULTS: Readonly<Record<number, readonly [string, string, string]>> = {
  [SessionCode.policy]: [
    'E_TARGET_POLICY',
    "The exit's policy refuses the address or port.",
    'Private addresses and port 25 are refused by default; an operator opens others with exit.allow.',
  ],
  [SessionCode.nameNotFound]: ['E_TARGET_NAME', 'The name does not exist.', 'Check the spelling of the host name.'],
  [SessionCode.networkUnreachable]: [
    'E_TARGET_NETWORK',
    "The target's network cannot be reached from the exit.",
    'Try again, or through another exit.',
  ],
  [SessionCode.hostUnreachable]: [
    'E_TARGET_HOST',
    'The target cannot be reached from the exit.',
    'Check the address, or try through another exit.',
  ],
  [SessionCode.connectionRefused]: [
    'E_TARGET_REFUSED',
    'The target refused the connection.',
    'Check the port, and that something listens there.',
  ],
  [SessionCode.timedOut]: [
    'E_TARGET_TIMEOUT',
    'The target did not answer in time.',
    'Check the address, or try again.',
  ],
  [SessionCode.connectionReset]: ['E_TARGET_RESET', 'The target reset the connection.', 'Try again.'],
  [SessionCode.limit]: [
    'E_EXIT_FULL',
    'The exit carries as many connections as it takes.',
    'Try again in a moment, or through another exit.',
  ],
  [SessionCode.stopping]: ['E_EXIT_STOPS', 'The exit stops.', 'Try again: another route is taken.'],
  [SessionCode.nameServerFailed]: [
    'E_TARGET_NAME_SERVER',
    "The exit's name server did not answer.",
    'Try again, or through another exit.',
  ],
}
