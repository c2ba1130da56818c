import { type Clock, WeftError, wait, withTimeout } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import {
  type Observations,
  PUNCH_AGAIN_MS,
  PUNCH_MS,
  PUNCH_PAUSE_MS,
  PUNCH_TRIES,
  parseRelayedAddress,
} from '@weft/overlay'
import type { Connection, ConnectionEnd } from './connection.ts'
import type { SimulatedEndpoint } from './simulated-endpoint.ts'
import type { HostPort, SimulatedInternet } from './simulated-internet.ts'

export interface HolePunchOptions {
  readonly endpoint: SimulatedEndpoint
  readonly internet: SimulatedInternet
  readonly observations: Observations
  /** Multiaddrs of a node, as the map or the network file has them. */
  readonly lookup: (id: DidKey) => readonly string[]
  readonly signal: AbortSignal
}

/** Bytes of a message: a type and an address. */
const MESSAGE = 100

/**
 * Direct connections in place of relayed ones (docs/specs/reach.md, Direct connections): DCUtR's messages over the relay, then
 * both sides call each other's port at once. When, how long and how often is as the real transport has it; whether a call
 * gets through is up to the NATs.
 */
export class HolePunch {
  /** By endpoint, for the other side of a relayed connection. */
  static readonly #of = new WeakMap<ConnectionEnd, HolePunch>()
  readonly #options: HolePunchOptions
  readonly #clock: Clock

  constructor(options: HolePunchOptions) {
    this.#options = options
    this.#clock = options.endpoint.process.clock
    HolePunch.#of.set(options.endpoint, this)
  }

  /** The port that this node's calls have for the outside, where that can be foretold. */
  ownPort(): HostPort | undefined {
    return this.#options.observations.endpoint()
  }

  /** Tries, ever more rarely, until the relayed connection ends, as it does some time after a direct one came about. */
  async upgrade(relayed: Connection): Promise<void> {
    const { endpoint, signal } = this.#options
    const over = new AbortController()
    const forget = relayed.onClose(endpoint, () => over.abort())
    const inTime = AbortSignal.any([signal, over.signal])
    try {
      for (let times = 0; ; times++) {
        if (await this.#isUpgraded(relayed, inTime)) return
        await wait(this.#clock, PUNCH_AGAIN_MS[Math.min(times, PUNCH_AGAIN_MS.length - 1)] as number, inTime)
      }
    } finally {
      forget()
    }
  }

  /** First by dialling the other side where others reach it directly; then through holes. */
  async #isUpgraded(relayed: Connection, signal: AbortSignal): Promise<boolean> {
    const { endpoint, internet, lookup } = this.#options
    const { id } = relayed.other(endpoint)
    for (const address of lookup(id)) {
      if (parseRelayedAddress(address) !== undefined) continue
      try {
        await internet.dial(endpoint, address, id, signal)
        return true
      } catch {
        signal.throwIfAborted()
      }
    }
    for (let tries = 0; tries < PUNCH_TRIES; tries++) {
      try {
        const round = (inner: AbortSignal): Promise<void> => this.#round(relayed, inner)
        await withTimeout(this.#clock, PUNCH_MS, signal, () => failed('the time is over'), round)
        return true
      } catch {
        signal.throwIfAborted()
      }
    }
    return false
  }

  /** One round of the side that was called over the relay, B in the specification. */
  async #round(relayed: Connection, signal: AbortSignal): Promise<void> {
    const { endpoint } = this.#options
    const other = relayed.other(endpoint)
    const start = this.#clock.monotonic()
    const theirs = await new Promise<HostPort | undefined>((resolve) => {
      const own = this.ownPort()
      relayed.send(endpoint, MESSAGE, () => {
        const answer = own === undefined ? undefined : HolePunch.#of.get(other)?.ownPort()
        relayed.send(other, MESSAGE, () => resolve(answer))
      })
    })
    const own = this.ownPort()
    if (theirs === undefined || own === undefined) throw failed('a port cannot be foretold')
    relayed.send(endpoint, MESSAGE, () => void HolePunch.#of.get(other)?.answer(relayed, own))
    await wait(this.#clock, (this.#clock.monotonic() - start) / 2, signal)
    await this.#knock(other, theirs, false, signal)
  }

  /** The other side says: now. */
  async answer(relayed: Connection, to: HostPort): Promise<void> {
    const { endpoint, signal } = this.#options
    const late = (): WeftError => failed('the time is over')
    const knock = (inner: AbortSignal): Promise<void> => this.#knock(relayed.other(endpoint), to, true, inner)
    await withTimeout(this.#clock, PUNCH_MS, signal, late, knock).catch(() => {})
  }

  /** Again and again, as a router that is not ready refuses at once. */
  async #knock(other: ConnectionEnd, to: HostPort, dialler: boolean, signal: AbortSignal): Promise<void> {
    const { endpoint, internet } = this.#options
    for (;;) {
      try {
        await internet.knock(endpoint, { id: other.id, to, dialler }, signal)
        return
      } catch {
        signal.throwIfAborted()
        await wait(this.#clock, PUNCH_PAUSE_MS, signal)
      }
    }
  }
}

function failed(why: string): WeftError {
  return new WeftError({
    code: 'E_NODE_UNREACHABLE',
    cause: `No direct connection came about: ${why}.`,
    fix: 'Nothing to do: it is tried again, and the relay serves meanwhile.',
    retryable: true,
  })
}
