import { payloadLength } from '../packet/sizes.ts'

/** A circuit whose last hop is this node: carries a session's packets. Handlers are set by whoever accepts it. */
export interface ExitCircuit {
  /** Bytes of a session's packet. */
  readonly payloadLength: number
  /** A session's packet: authentic, and each number once. `payload` is valid during the call. */
  onPacket?: ((packetNumber: number, payload: Uint8Array) => void) | undefined
  /** The circuit is gone ({@link CircuitReason}); not called after `destroy`. */
  onEnd?: ((reason: number) => void) | undefined
  /** `seal` takes packets again, which it did not. */
  onRoom?: (() => void) | undefined
  /**
   * Sends a packet: `fill` writes all of the payload and returns its packet number, below 2^52 and never used before.
   * @returns false when the circuit has ended, its link took nothing, or too many wait; then `fill` was not called, and `onRoom` will be.
   */
  seal(fill: (payload: Uint8Array) => number): boolean
  /** Ends the circuit; twice does nothing. */
  destroy(reason: number): void
}

/** The circuit at its last hop, as its exit sees it. */
export interface LastHop {
  readonly depth: number
  sealSession(fill: (payload: Uint8Array) => number): boolean
}

export class RelayExitCircuit implements ExitCircuit {
  readonly payloadLength: number
  onPacket: ((packetNumber: number, payload: Uint8Array) => void) | undefined
  onEnd: ((reason: number) => void) | undefined
  onRoom: (() => void) | undefined
  #circuit: LastHop | undefined
  readonly #end: (reason: number) => void

  /** `end` ends the circuit at the node. */
  constructor(circuit: LastHop, end: (reason: number) => void) {
    this.payloadLength = payloadLength(circuit.depth)
    this.#circuit = circuit
    this.#end = end
  }

  get open(): boolean {
    return this.#circuit !== undefined
  }

  seal(fill: (payload: Uint8Array) => number): boolean {
    return this.#circuit?.sealSession(fill) ?? false
  }

  destroy(reason: number): void {
    if (this.#circuit === undefined) return
    this.#circuit = undefined
    this.onEnd = undefined
    this.onRoom = undefined
    this.#end(reason)
  }

  /** The node ended the circuit. */
  ended(reason: number): void {
    if (this.#circuit === undefined) return
    this.#circuit = undefined
    this.onEnd?.(reason)
  }
}
