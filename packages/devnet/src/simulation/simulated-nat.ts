import type { Clock } from '@weft/core'

/**
 * How a router stands between its machine and the others, in the words of RFC 4787 and RFC 5382: `full-cone` lets everybody in;
 * the others only whom the machine called, at the port that the call had (address and port-dependent filtering).
 * `restricted` shows a port of the machine to everybody as the same (endpoint-independent mapping), `symmetric` as another to each.
 */
export type NatKind = 'full-cone' | 'restricted' | 'symmetric'

/** ms that an answer to a call may take until it is no longer let in (RFC 5382, REQ-5). */
const TRANSITORY_MS = 240_000
/** Calls that are remembered before those that are over are looked for. */
const REMEMBERED = 256
const FIRST_PORT = 1_024
const PORTS = 64_512

/** The router of one machine, which has the machine's address for the outside. */
export class SimulatedNat {
  readonly kind: NatKind
  readonly #time: Clock
  /** Ports for the outside of a symmetric one, by what is called from which port. */
  readonly #mapped = new Map<string, number>()
  /** Until when each of those that were called is let in, at which port; ms of the clock. */
  readonly #called = new Map<string, number>()
  #next = 0

  constructor(kind: NatKind, time: Clock) {
    this.kind = kind
    this.#time = time
  }

  /** Calls that it has in mind, those that are over among them. */
  get remembered(): number {
    return this.#called.size
  }

  /** The port that a call from `port` to `to`, a host and port, has for the outside. */
  out(port: number, to: string): number {
    if (this.kind === 'full-cone') return port
    const outer = this.kind === 'restricted' ? port : this.#mappedPort(`${port} ${to}`)
    const now = this.#time.monotonic()
    if (this.#called.size >= REMEMBERED) {
      for (const [call, until] of this.#called) if (until < now) this.#called.delete(call)
    }
    this.#called.set(`${outer} ${to}`, now + TRANSITORY_MS)
    return outer
  }

  /** Whether what comes from `from`, a host and port, to a port of the outside gets to the machine. */
  lets(port: number, from: string): boolean {
    return this.kind === 'full-cone' || (this.#called.get(`${port} ${from}`) ?? -1) >= this.#time.monotonic()
  }

  #mappedPort(call: string): number {
    let port = this.#mapped.get(call)
    if (port === undefined) this.#mapped.set(call, (port = FIRST_PORT + (this.#next++ % PORTS)))
    return port
  }
}
