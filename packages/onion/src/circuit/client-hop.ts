import { equalBytes } from '@weft/core'
import { type Suite, type Suites, newAead } from '../packet/suite.ts'
import { type CircuitKeys, wipeCircuitKeys } from './circuit-keys.ts'
import { OpeningLayer, SESSION_CONTROL, SealingLayer } from './layer.ts'
import { type Padding } from './padding.ts'

/** Pings of one hop that may be out at once; an older one is forgotten. */
const PINGS_OUT = 8

/** A hop as the client holds it: the layer's two keys and the pings that are out. */
export class ClientHop {
  readonly suite: Suite
  readonly forward: SealingLayer
  readonly backward: OpeningLayer
  /** The last measured time to the hop and back, ms; of its handshake until a ping was answered. */
  rttMs: number | undefined
  readonly #pings: { readonly token: Uint8Array; readonly sentMs: number }[] = []

  /** Takes the keys over: the layers copy them, and they are wiped. */
  constructor(keys: CircuitKeys, suites: Suites, padding: Padding, session: boolean, rttMs: number | undefined) {
    const { suite, forward, backward } = keys
    this.suite = suite
    this.forward = new SealingLayer(newAead(suite, forward, suites), padding, session ? SESSION_CONTROL : 0)
    this.backward = new OpeningLayer(newAead(suite, backward, suites), session)
    wipeCircuitKeys(keys)
    this.rttMs = rttMs
  }

  pingSent(token: Uint8Array, nowMs: number): void {
    if (this.#pings.length === PINGS_OUT) this.#pings.shift()
    this.#pings.push({ token, sentMs: nowMs })
  }

  /** The time the ping took, ms; undefined when no such ping is out. */
  pongCame(token: Uint8Array, nowMs: number): number | undefined {
    const at = this.#pings.findIndex((ping) => equalBytes(ping.token, token))
    if (at < 0) return undefined
    const [ping] = this.#pings.splice(at, 1)
    if (ping !== undefined) this.rttMs = nowMs - ping.sentMs
    return this.rttMs
  }

  wipe(): void {
    this.forward.wipe()
    this.backward.wipe()
  }
}
