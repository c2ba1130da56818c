import type { Duplex } from 'node:stream'
import { type Clock, type Fault, WeftError, throwIfAborted, toWeftError, withTimeout } from '@weft/core'
import type { Bridge } from './bridge-line.ts'
import type { Endpoint } from './endpoint.ts'
import { OPEN_MS, RETRY_FIRST_MS, RETRY_MOST_MS } from './limits.ts'
import { nameOf, openStream } from './open-stream.ts'

export interface BridgeDialerInit {
  /** In the order in which they are tried. */
  readonly bridges: readonly Bridge[]
  readonly clock: Clock
  /** Another bridge is in use, or none, or one failed. */
  readonly onChange?: (status: readonly BridgeState[]) => void
  /** Another one in tests. */
  readonly open?: typeof openStream
}

/** How a bridge does, as a client sees it. */
export interface BridgeState {
  /** `ADDRESS:PORT`. */
  readonly name: string
  /** used: it led the last stream; ready: it was not needed, or is to be tried again; failed: it is left alone until `retryAt`. */
  readonly state: 'used' | 'ready' | 'failed'
  /** Why it failed last; undefined since it worked. */
  readonly fault: Fault | undefined
}

interface Known {
  readonly bridge: Bridge
  /** Monotonic ms. */
  failedAt: number
  retryAt: number
  retryMs: number
  fault: Fault | undefined
}

/**
 * Another bridge may know the member, have room, or reach it; this one works for others. That no member can be reached is what a bridge may also say
 * only to keep its clients from all of them, so it is not taken from one alone.
 */
const OF_THE_STREAM = ['E_BRIDGE_TARGET', 'E_BRIDGE_BUSY', 'E_BRIDGE_MEMBER']

/** Opens streams by the first bridge that works; one that failed is left alone for a while. */
export class BridgeDialer {
  readonly #init: BridgeDialerInit
  readonly #known: readonly Known[]
  #used: Known | undefined

  constructor(init: BridgeDialerInit) {
    this.#init = init
    this.#known = init.bridges.map((bridge) => ({
      bridge,
      failedAt: -Infinity,
      retryAt: -Infinity,
      retryMs: RETRY_FIRST_MS,
      fault: undefined,
    }))
  }

  status(): readonly BridgeState[] {
    const now = this.#init.clock.monotonic()
    return this.#known.map((known) => ({
      name: nameOf(known.bridge),
      state: known === this.#used ? 'used' : now < known.retryAt ? 'failed' : 'ready',
      fault: known.fault,
    }))
  }

  /** Why no bridge works; undefined while one does or none was tried. */
  get fault(): Fault | undefined {
    if (this.#known.some(({ fault }) => fault === undefined)) return undefined
    const { code, cause, fix } = this.#noneWorks()
    return { code, cause, fix }
  }

  /** @throws WeftError E_BRIDGE_NONE, E_BRIDGE_TARGET, E_BRIDGE_BUSY, E_BRIDGE_MEMBER, E_ABORTED */
  async open(target: Endpoint, signal: AbortSignal): Promise<Duplex> {
    let last: WeftError | undefined
    for (const known of this.#inOrder()) {
      const { clock } = this.#init
      const began = clock.monotonic()
      if (began < known.retryAt) continue
      try {
        const stream = await this.#openBy(known.bridge, target, signal)
        this.#worked(known)
        return stream
      } catch (error) {
        throwIfAborted(signal)
        const fault = toWeftError(error, UNFORESEEN)
        if (OF_THE_STREAM.includes(fault.code)) last = fault
        else this.#failed(known, fault, began)
      }
    }
    throw last ?? this.#noneWorks()
  }

  /** The one in use first, which keeps to itself who else is there. */
  #inOrder(): readonly Known[] {
    const used = this.#used
    return used === undefined ? this.#known : [used, ...this.#known.filter((known) => known !== used)]
  }

  #openBy(bridge: Bridge, target: Endpoint, signal: AbortSignal): Promise<Duplex> {
    const { clock, open = openStream } = this.#init
    return withTimeout(
      clock,
      OPEN_MS,
      signal,
      () => silent(bridge),
      (limited) => open(bridge, target, limited),
    )
  }

  #worked(known: Known): void {
    const isNew = this.#used !== known || known.fault !== undefined
    known.fault = undefined
    known.retryAt = -Infinity
    known.retryMs = RETRY_FIRST_MS
    this.#used = known
    if (isNew) this.#init.onChange?.(this.status())
  }

  /** @param began of the try: of many at a time that fail, one counts */
  #failed(known: Known, { code, cause, fix }: WeftError, began: number): void {
    const now = this.#init.clock.monotonic()
    if (began <= known.failedAt) return
    known.failedAt = now
    known.retryAt = now + known.retryMs
    known.retryMs = Math.min(RETRY_MOST_MS, 2 * known.retryMs)
    const isNew = known.fault?.code !== code || this.#used === known
    known.fault = { code, cause, fix }
    if (this.#used === known) this.#used = undefined
    if (isNew) this.#init.onChange?.(this.status())
  }

  #noneWorks(): WeftError {
    // Where the bridges are is not said: this stands in logs.
    const codes = this.#known.flatMap(({ fault }) => fault?.code ?? [])
    const all =
      this.#known.length === 1
        ? 'The bridge of this node does not work'
        : `None of the ${this.#known.length} bridges of this node works`
    return new WeftError({
      code: 'E_BRIDGE_NONE',
      cause: `${all} at the moment (${codes.join(', ')}), and it calls nobody by itself.`,
      fix: 'See weft bridge show for why. A bridge that stays unreachable may be blocked, or its invitation revoked: ask for another line, and add it: weft bridge add -.',
      retryable: true,
    })
  }
}

const UNFORESEEN: Fault = {
  code: 'E_BRIDGE_UNREACHABLE',
  cause: 'The call to the bridge broke off for a reason that was not foreseen.',
  fix: 'Nothing to do: it is tried again.',
}

function silent(bridge: Bridge): WeftError {
  return new WeftError({
    code: 'E_BRIDGE_UNREACHABLE',
    cause: `The bridge ${nameOf(bridge)} did not answer within ${OPEN_MS / 1_000} s.`,
    fix: 'Nothing to do when it is down for a moment. If it stays so, the bridge may be blocked: ask for another one.',
    retryable: true,
  })
}
