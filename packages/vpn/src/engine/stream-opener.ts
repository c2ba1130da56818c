import { type Clock, type Fault, WeftError } from '@weft/core'
import { SessionCode, type SessionStream, type StreamTarget } from '@weft/onion'
import { isNobodyLeft } from '../route/nobody-left.ts'
import type { AnswerWatch } from './answer-watch.ts'
import type { PathSet } from './path-set.ts'
import { targetFault } from './target-fault.ts'

/** Takes over a stream that its target took, within the call: the stream's first bytes may be next. @param watch to be told of the first bytes each way */
export type TakeStream = (stream: SessionStream, paths: PathSet, watch?: AnswerWatch) => void

/**
 * Writes early data: what goes right behind that which opens the stream, before the exit answered. On each path set that is tried, so it may come
 * to its target more than once.
 */
export type WriteEarly = (stream: SessionStream) => void

/** What requests need of the routes. */
export interface OpenerRoutes {
  /** The path set that new streams go over; undefined while none is fit for them. */
  inUse(): PathSet | undefined
  /** One that is near to this target, where that is asked for and known; undefined for that in use. */
  near(target: StreamTarget): PathSet | undefined
  /** One that is ready to another exit than this path set's. */
  beside(paths: PathSet): PathSet | undefined
  /**
   * Its exit said that it is connected to the target.
   * @param tookMs since it was asked; undefined where the stream waited for other streams before that
   * @returns what is to be told of the first bytes each way
   */
  hold(target: StreamTarget, paths: PathSet, tookMs: number | undefined): AnswerWatch | undefined
  /** Builds what is missing. */
  keep(): void
  /** Its exit does not do what was asked of it: others are taken. */
  leaveExit(paths: PathSet): void
  /** Why a path set could not be built or was lost, the last time; undefined since one got ready. */
  lastFault(): Fault | undefined
}

/** ms in which a request is answered, whatever happens. */
const OPEN_MS = 4_400
/** ms for which a transfer waits for its first route. */
const READY_MS = 15_000
/** ms after which an exit that has not taken what asks for a stream is held to have no room for it. */
const HEARD_MS = 1_500
/** Legs that a request is tried on. */
const MAX_TRIES = 6
/** Requests that may wait for a path set. */
const MAX_WAITING = 1_024

type Outcome = 'opened' | 'moved' | 'notOffered' | 'full'

const CODES = { notOffered: SessionCode.notOffered, full: SessionCode.limit } as const

/** What a request for a stream leads to, and until when. */
interface Request {
  readonly target: StreamTarget
  readonly signal: AbortSignal
  readonly take: TakeStream
  readonly writeEarly: WriteEarly | undefined
  /** Monotonic ms. */
  readonly deadline: number
}

/** Opens streams on whichever path set works. */
export class StreamOpener {
  readonly #routes: OpenerRoutes
  readonly #clock: Clock
  /** Wakes requests that wait for a path set. */
  readonly #waiting = new Set<() => void>()
  /** Has requests look that were sent over a path set and have no answer yet. */
  readonly #watching = new Set<() => void>()
  #closed = false

  constructor(routes: OpenerRoutes, clock: Clock) {
    this.#routes = routes
    this.#clock = clock
  }

  /** Requests that wait for a path set; those sent over one are counted there. */
  get waiting(): number {
    return this.#waiting.size
  }

  /**
   * Opens a stream to a target. While no answer came it moves to another path set when its own falls silent, since nothing of
   * the request has been sent yet but what may come twice. An exit at its limit is left for one other, where a path set to that is ready: two exits hear of a target at most,
   * and none is asked twice.
   * @throws WeftError E_TARGET_… and E_EXIT_… by the exit's answer, E_TARGET_INVALID, E_SESSION_STREAMS, E_ROUTE_TIMEOUT and those of
   * `ClientChoice.choose`
   */
  async open(target: StreamTarget, signal: AbortSignal, take: TakeStream, writeEarly?: WriteEarly): Promise<void> {
    let refusal: WeftError | undefined
    let full: PathSet | undefined
    const request = { target, signal, take, writeEarly, deadline: this.#clock.monotonic() + OPEN_MS }
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const paths =
        full === undefined
          ? (this.#routes.near(target) ?? this.#routes.inUse() ?? (await this.#legReady(request)))
          : this.#routes.beside(full)
      if (paths === undefined) break
      const outcome = await this.#tryOn(paths, request)
      if (outcome === 'opened') return
      this.#routes.keep()
      // Whatever becomes of the request at another exit, that the first was full is why it failed.
      if (full !== undefined) break
      if (outcome === 'full') full = paths
      refusal = outcome === 'moved' ? undefined : targetFault(CODES[outcome], target)
    }
    throw refusal ?? this.#noRoute(`It was sent over ${MAX_TRIES} routes, and each ended before its exit answered.`)
  }

  /** Resolves when a path set is fit for streams. @throws WeftError E_ROUTE_TIMEOUT and those of `ClientChoice.choose` */
  async ready(): Promise<void> {
    const deadline = this.#clock.monotonic() + READY_MS
    if (this.#routes.inUse() === undefined) await this.#legReady({ signal: new AbortController().signal, deadline })
  }

  /** To be called when a path set got ready, fell silent or ended, or none can be built. */
  wake(): void {
    for (const wake of this.#waiting) wake()
    for (const look of this.#watching) look()
  }

  /** Refuses what waits for a path set; what was sent over one ends with it. */
  close(): void {
    this.#closed = true
    this.wake()
  }

  /** @throws WeftError when none gets ready in time. */
  async #legReady({ deadline, signal }: Pick<Request, 'deadline' | 'signal'>): Promise<PathSet> {
    this.#routes.keep()
    for (;;) {
      const paths = this.#routes.inUse()
      if (paths !== undefined) return paths
      const fault = this.#routes.lastFault()
      // What no waiting mends is told at once.
      if (fault !== undefined && isNobodyLeft(fault.code)) throw new WeftError(fault)
      if (this.#closed) throw this.#noRoute('The routes were ended while it waited for one.')
      if (signal.aborted) throw this.#noRoute('Whoever asked went away.')
      const left = deadline - this.#clock.monotonic()
      if (left <= 0) throw this.#tooLate()
      if (this.#waiting.size >= MAX_WAITING) throw this.#noRoute(`${MAX_WAITING} requests wait for a route already.`)
      await this.#woken(left, signal)
    }
  }

  /** After a wake(), `ms` at most. */
  #woken(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        cancel()
        this.#waiting.delete(done)
        signal.removeEventListener('abort', done)
        resolve()
      }
      const cancel = this.#clock.after(ms, done)
      this.#waiting.add(done)
      signal.addEventListener('abort', done, { once: true })
    })
  }

  #tryOn(paths: PathSet, { target, signal, take, writeEarly, deadline }: Request): Promise<Outcome> {
    const stream = paths.openStream(target)
    if (stream === undefined) return Promise.resolve('moved')
    const asked = stream.id >= 0 ? this.#clock.monotonic() : undefined
    const { promise, resolve, reject } = Promise.withResolvers<Outcome>()
    const end = (): void => {
      cancel()
      cancelHeard()
      this.#watching.delete(look)
      signal.removeEventListener('abort', look)
    }
    const give = (): void => {
      end()
      stream.reset(SessionCode.none)
      paths.forget(stream)
    }
    const look = (): void => {
      if (signal.aborted || this.#clock.monotonic() >= deadline) {
        const code = stream.isHeard ? SessionCode.timedOut : SessionCode.limit
        give()
        reject(paths.healthy ? targetFault(code, target) : this.#tooLate())
      } else if (paths.over || (!paths.healthy && this.#routes.inUse() !== undefined)) {
        give()
        resolve('moved')
      }
    }
    const cancelHeard = this.#clock.after(HEARD_MS, () => {
      if (stream.isHeard || !paths.healthy || this.#routes.beside(paths) === undefined) return
      give()
      resolve('full')
    })
    const cancel = this.#clock.after(deadline - this.#clock.monotonic(), look)
    this.#watching.add(look)
    signal.addEventListener('abort', look, { once: true })
    stream.handler = {
      onOpened: () => {
        end()
        const tookMs = asked === undefined ? undefined : this.#clock.monotonic() - asked
        take(stream, paths, this.#routes.hold(target, paths, tookMs))
        resolve('opened')
      },
      onRefused: (code) => {
        end()
        paths.forget(stream)
        if (code === SessionCode.limit) return resolve('full')
        if (code !== SessionCode.notOffered) return reject(targetFault(code, target))
        this.#routes.leaveExit(paths)
        resolve('notOffered')
      },
      // No answer of the exit's about the target: its session ends, or it has no room.
      onReset: (code) => {
        end()
        paths.forget(stream)
        resolve(code === SessionCode.limit ? 'full' : 'moved')
      },
    }
    writeEarly?.(stream)
    return promise
  }

  #tooLate(): WeftError {
    return this.#noRoute('No route was ready in time.')
  }

  #noRoute(why: string): WeftError {
    const fault = this.#routes.lastFault()
    return new WeftError({
      code: 'E_ROUTE_TIMEOUT',
      cause: fault === undefined ? why : `${why} ${fault.code}: ${fault.cause}`,
      fix: fault?.fix ?? 'Try again; weft vpn status shows what keeps routes from being built.',
      retryable: true,
    })
  }
}
