import { type Random } from '@weft/core'
import type { Suites } from '../packet/suite.ts'
import { ClientHandshake } from './client-handshake.ts'
import { ClientHop } from './client-hop.ts'
import { type Padding } from './padding.ts'
import { CircuitPurpose } from './purpose.ts'

export interface CircuitBuildOptions {
  readonly networkId: string
  readonly random: Random
  readonly suites: Suites
  readonly hop: { readonly id: Uint8Array; readonly onionKey: Uint8Array }
  readonly depth: number
  /** The circuit ends at this hop: it is asked for a session. */
  readonly last: boolean
  readonly nowMs: number
}

/** A hop that the client is agreeing with: the handshake and when it began. */
export class CircuitBuild {
  /** Set when the message was sent again: which of the two was answered is then not known, and no time is measured. */
  resent = false
  readonly #handshake: ClientHandshake
  readonly #suites: Suites
  readonly #last: boolean
  readonly #startedMs: number

  private constructor(handshake: ClientHandshake, suites: Suites, last: boolean, startedMs: number) {
    this.#handshake = handshake
    this.#suites = suites
    this.#last = last
    this.#startedMs = startedMs
  }

  /** Undefined when the hop's onion key cannot be used. */
  static start({ networkId, random, suites, hop, depth, last, nowMs }: CircuitBuildOptions): CircuitBuild | undefined {
    const purpose = last ? CircuitPurpose.session : CircuitPurpose.hop
    const { id: nodeId, onionKey } = hop
    const handshake = ClientHandshake.start({ networkId, random, suites, nodeId, onionKey, depth, purpose })
    return handshake === undefined ? undefined : new CircuitBuild(handshake, suites, last, nowMs)
  }

  get message(): Uint8Array {
    return this.#handshake.message
  }

  /** The hop, when the answer is its own. */
  finish(answer: Uint8Array, padding: Padding, nowMs: number): ClientHop | undefined {
    const keys = this.#handshake.finish(answer)
    if (keys === undefined) return undefined
    return new ClientHop(keys, this.#suites, padding, this.#last, this.resent ? undefined : nowMs - this.#startedMs)
  }

  wipe(): void {
    this.#handshake.wipe()
  }
}
