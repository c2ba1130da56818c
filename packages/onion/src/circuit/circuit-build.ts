import { type Random } from '@weft/core'
import { newAead, Suite, type Suites } from '../packet/suite.ts'
import { KEY_BYTES, wipe } from '../sodium.ts'
import { ClientHandshake } from './client-handshake.ts'
import { ClientHop } from './client-hop.ts'
import { EARLY_UNITS, SealingLayer } from './layer.ts'
import { type Padding } from './padding.ts'
import { CircuitPurpose } from './purpose.ts'

export interface CircuitBuildOptions {
  readonly networkId: string
  readonly random: Random
  readonly padding: Padding
  readonly suites: Suites
  readonly hop: { readonly id: Uint8Array; readonly onionKey: Uint8Array }
  readonly depth: number
  /** The circuit ends at this hop: it is asked for a session. */
  readonly last: boolean
  /** Monotonic; and the {@link earlyTime} of now. */
  readonly nowMs: number
  readonly time: number
}

/** A hop that the client is agreeing with: the handshake, when it began, and how to reach the hops behind it before its answer came. */
export class CircuitBuild {
  /** Set when the message was sent again: which of the two was answered is then not known, and no time is measured. */
  resent = false
  readonly #handshake: ClientHandshake
  readonly #early: SealingLayer | undefined
  readonly #suites: Suites
  readonly #last: boolean
  readonly #startedMs: number

  private constructor(
    handshake: ClientHandshake,
    early: SealingLayer | undefined,
    suites: Suites,
    last: boolean,
    startedMs: number,
  ) {
    this.#handshake = handshake
    this.#early = early
    this.#suites = suites
    this.#last = last
    this.#startedMs = startedMs
  }

  /** Undefined when the hop's onion key cannot be used. */
  static start(options: CircuitBuildOptions): CircuitBuild | undefined {
    const { networkId, random, padding, suites, hop, depth, last, nowMs, time } = options
    const purpose = last ? CircuitPurpose.session : CircuitPurpose.hop
    const { id: nodeId, onionKey } = hop
    const common = { networkId, random, suites, nodeId, onionKey, depth, purpose }
    if (last) {
      const handshake = ClientHandshake.start(common)
      return handshake && new CircuitBuild(handshake, undefined, suites, last, nowMs)
    }
    const earlyKey = random.bytes(KEY_BYTES)
    const handshake = ClientHandshake.start({ ...common, early: { key: earlyKey, time } })
    const early = handshake && new SealingLayer(newAead(Suite.chacha20Poly1305, earlyKey, suites), padding, EARLY_UNITS)
    wipe(earlyKey)
    return handshake && new CircuitBuild(handshake, early, suites, last, nowMs)
  }

  get message(): Uint8Array {
    return this.#handshake.message
  }

  /** The hop answered, and did not take what was sent through it before. */
  get earlyRefused(): boolean {
    return this.#handshake.earlyRefused
  }

  /** The layer of units that are sent through the hop before its answer came. @throws RangeError of the last hop */
  get early(): SealingLayer {
    if (this.#early === undefined) throw new RangeError('the last hop passes nothing on')
    return this.#early
  }

  /** The hop, when the answer is its own; the early key is wiped then. */
  finish(answer: Uint8Array, padding: Padding, nowMs: number): ClientHop | undefined {
    const keys = this.#handshake.finish(answer)
    if (keys === undefined) return undefined
    this.#early?.wipe()
    return new ClientHop(keys, this.#suites, padding, this.#last, this.resent ? undefined : nowMs - this.#startedMs)
  }

  wipe(): void {
    this.#handshake.wipe()
    this.#early?.wipe()
  }
}
