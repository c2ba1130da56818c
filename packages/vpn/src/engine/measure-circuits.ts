import { type Clock, WeftError } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import { SessionCode, type SessionStream } from '@weft/onion'
import type { MeasuredWay } from '../route/nearest-exits.ts'
import type { RouteMember } from '../route/route-member.ts'
import type { NearTarget } from './nearest.ts'
import type { PathSet, PathSetEvents } from './path-set.ts'

export interface MeasureCircuitsInit {
  readonly clock: Clock
  /** One of the routes' own to this exit that is fit for streams. */
  readonly existing: (exit: DidKey) => PathSet | undefined
  /** Makes one of a single leg to this exit, and does not start it; undefined where none can be. */
  readonly make: (exit: RouteMember, events: PathSetEvents) => PathSet | undefined
}

/** Path sets that are kept for measuring alone. */
const MAX_OWN = 5
/** ms for which one is kept behind its last question: targets come several at once, as a page has them. */
const IDLE_MS = 30_000
/** ms for which one is taken before others: the same exits are not to hear of all targets for ever. */
const PREFERRED_MS = 10 * 60_000
/** ms until it is ready; and until the exit has answered, which it does within 3.8 s, the way there and back included. */
const READY_MS = 3_500
const ANSWER_MS = 4_400
const ANSWER_BYTES = 4

interface Own {
  readonly set: PathSet
  /** Resolves once it is ready or over. */
  readonly settled: Promise<void>
  /** Monotonic ms. */
  readonly since: number
  asking: number
  cancelIdle: () => void
}

/** Asks exits for their way to a target, over circuits that stand, or some of its own. Measuring fails no route and blames no node. */
export class MeasureCircuits {
  readonly #init: MeasureCircuitsInit
  /** By exit; asked last: stands last. */
  readonly #own = new Map<DidKey, Own>()

  constructor(init: MeasureCircuitsInit) {
    this.#init = init
  }

  /** Path sets that are there for measuring alone. */
  get size(): number {
    return this.#own.size
  }

  /** Exits that are asked rather than others: a circuit leads to them. */
  get standing(): DidKey[] {
    const from = this.#init.clock.monotonic() - PREFERRED_MS
    return [...this.#own].filter(([, { set, since }]) => set.healthy && since > from).map(([exit]) => exit)
  }

  /** Undefined where the exit does not say it in time; nothing is thrown. */
  async measure(exit: RouteMember, target: NearTarget, signal: AbortSignal): Promise<MeasuredWay | undefined> {
    const existing = this.#init.existing(exit.id)
    if (existing !== undefined) return this.#ask(existing, target, signal)
    const own = this.#ownTo(exit)
    if (own === undefined) return undefined
    own.asking++
    own.cancelIdle()
    await this.#within(READY_MS, signal, own.settled)
    const way = own.set.healthy && !signal.aborted ? await this.#ask(own.set, target, signal) : undefined
    own.asking--
    if (own.asking === 0 && !own.set.over)
      own.cancelIdle = this.#init.clock.after(own.set.ready ? IDLE_MS : 0, () => own.set.destroy())
    return way
  }

  /** Ends them; what is asked afterwards goes over others. */
  close(): void {
    for (const { set } of this.#own.values()) set.destroy()
  }

  #ownTo(exit: RouteMember): Own | undefined {
    const known = this.#own.get(exit.id)
    if (known !== undefined) return known
    if (this.#own.size >= MAX_OWN) {
      const idle = [...this.#own.values()].find(({ asking }) => asking === 0)
      if (idle === undefined) return undefined
      idle.set.destroy()
    }
    const { promise: settled, resolve } = Promise.withResolvers<void>()
    const set = orNone(() =>
      this.#init.make(exit, {
        onReady: () => resolve(),
        onEnd: () => {
          this.#own.get(exit.id)?.cancelIdle()
          this.#own.delete(exit.id)
          resolve()
        },
      }),
    )
    if (set === undefined) return undefined
    const own = { set, settled, since: this.#init.clock.monotonic(), asking: 0, cancelIdle: () => {} }
    this.#own.set(exit.id, own)
    set.start()
    return own
  }

  async #ask(set: PathSet, target: NearTarget, signal: AbortSignal): Promise<MeasuredWay | undefined> {
    const begun = this.#init.clock.monotonic()
    const stream = openOn(set, target)
    if (stream === undefined) return undefined
    const exitMs = await this.#within(ANSWER_MS, signal, answerOf(stream))
    if (exitMs === undefined) stream.reset(SessionCode.none)
    set.forget(stream)
    const elapsed = this.#init.clock.monotonic() - begun
    // It cannot have taken longer than the question did.
    if (exitMs === undefined || exitMs > elapsed) return undefined
    const [leg] = set.status('active')
    return { exitMs, clientMs: leg?.rttMs ?? elapsed - exitMs }
  }

  /** Undefined when it is too late, or given up. */
  #within<T>(ms: number, signal: AbortSignal, promise: Promise<T>): Promise<T | undefined> {
    const { promise: first, resolve } = Promise.withResolvers<T | undefined>()
    const giveUp = (): void => resolve(undefined)
    const cancel = this.#init.clock.after(ms, giveUp)
    signal.addEventListener('abort', giveUp, { once: true })
    if (signal.aborted) giveUp()
    void promise.then(resolve)
    return first.finally(() => {
      cancel()
      signal.removeEventListener('abort', giveUp)
    })
  }
}

/** Undefined where the session is over, has too many streams, or none leads to such a target. */
function openOn(set: PathSet, { host, port }: NearTarget): SessionStream | undefined {
  const stream = orNone(() => set.openStream({ host, port, protocol: 'measure' }))
  stream?.end()
  return stream
}

function orNone<T>(make: () => T | undefined): T | undefined {
  try {
    return make()
  } catch (error) {
    if (error instanceof WeftError) return undefined
    throw error
  }
}

/** ms, as the exit says; undefined where it refuses, or says something else. */
function answerOf(stream: SessionStream): Promise<number | undefined> {
  const { promise, resolve } = Promise.withResolvers<number | undefined>()
  const bytes = new Uint8Array(ANSWER_BYTES)
  let length = 0
  stream.handler = {
    onRefused: () => resolve(undefined),
    onReset: () => resolve(undefined),
    onData: (chunk) => {
      if (length + chunk.length > ANSWER_BYTES) return resolve(undefined)
      bytes.set(chunk, length)
      length += chunk.length
      stream.consume(chunk.length)
    },
    onEnd: () => resolve(length === ANSWER_BYTES ? new DataView(bytes.buffer).getUint32(0) / 1_000 : undefined),
  }
  return promise
}
