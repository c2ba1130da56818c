import { type Clock, type Random } from '@weft/core'
import { type CircuitCommand, LinkCommand } from '../link/link-command.ts'
import type { ReceiptPurse } from '../receipts/client-payments.ts'
import { newShapingParts } from '../shaping/shaping-parts.ts'
import { Packet } from '../packet/packet.ts'
import { CHACHA_ONLY, type Suites } from '../packet/suite.ts'
import { DEFAULT_CIRCUIT_LIMITS } from './circuit-limits.ts'
import { type CircuitLink } from './circuit-link.ts'
import { CircuitTable } from './circuit-table.ts'
import { ClientCircuit, type ClientCircuitOptions } from './client-circuit.ts'
import { type ClientShared } from './client-shared.ts'
import { newLinkContent } from './link-content.ts'
import { Padding } from './padding.ts'
import { CircuitReason } from './reasons.ts'
import { UnknownCircuits } from './unknown-circuits.ts'

export interface ClientCircuitsOptions {
  readonly networkId: string
  readonly clock: Pick<Clock, 'now' | 'monotonic'>
  readonly random: Random
  /** What this machine computes; ChaCha20-Poly1305 alone when left out. */
  readonly suites?: Suites
  /** `nextTimeout` became earlier by what a circuit sent: of circuits with a tier. */
  readonly onSooner?: () => void
  /** Pays the hops of its circuits; nothing is paid when left out. */
  readonly purse?: ReceiptPurse | undefined
}

/** All circuits of a client, on links of its own. Sans-I/O: links and time are handed in, `onTimeout` is called at `nextTimeout`. */
export class ClientCircuits {
  readonly #shared: ClientShared
  readonly #table = new CircuitTable<ClientCircuit>()
  readonly #circuits = new Set<ClientCircuit>()
  readonly #unknown: UnknownCircuits

  constructor({ networkId, clock, random, suites = CHACHA_ONLY, onSooner, purse }: ClientCircuitsOptions) {
    const padding = new Padding(random)
    const shaping = newShapingParts(clock, padding, onSooner ?? (() => {}))
    const [slot, content] = [new Packet(), newLinkContent()]
    this.#shared = { networkId, clock, random, padding, suites, shaping, slot, purse, content }
    this.#unknown = new UnknownCircuits(clock, DEFAULT_CIRCUIT_LIMITS.unknownPerSecond)
  }

  /** Starts to build a circuit. @throws WeftError E_CIRCUIT_HOPS when the hops are not 2 to 5 different nodes. */
  build(options: ClientCircuitOptions): ClientCircuit {
    const { link } = options
    const circuit = new ClientCircuit(
      this.#shared,
      options,
      (made) => this.#table.addNew(link, made),
      (circuitId) => {
        this.#table.remove(link, circuitId)
        this.#circuits.delete(circuit)
      },
    )
    this.#circuits.add(circuit)
    circuit.start()
    return circuit
  }

  /** Circuits now. */
  get size(): number {
    return this.#circuits.size
  }

  /** A cell of a link. `packet` is opened in place. */
  onCell(link: CircuitLink, circuitId: number, packet: Packet): void {
    const circuit = this.#table.get(link, circuitId)
    if (circuit === undefined) this.#unknown.answer(link, circuitId)
    else circuit.onCell(packet)
  }

  /** A link message about a circuit. A client makes circuits and takes none. */
  onMessage(link: CircuitLink, command: CircuitCommand, circuitId: number, content: Uint8Array): void {
    const circuit = this.#table.get(link, circuitId)
    if (circuit !== undefined) circuit.onMessage(command, content)
    else if (command !== LinkCommand.destroy) this.#unknown.answer(link, circuitId)
  }

  /** The link is gone, and all circuits on it. */
  onLinkDown(link: CircuitLink): void {
    for (const circuit of this.#table.of(link)) circuit.onLinkDown()
  }

  /** When `onTimeout` is due, monotonic ms; undefined while there is no circuit. */
  nextTimeout(): number | undefined {
    let earliest = this.#shared.shaping.due.next()
    for (const circuit of this.#circuits) {
      const due = circuit.nextTimeout()
      if (due !== undefined && (earliest === undefined || due < earliest)) earliest = due
    }
    return earliest
  }

  onTimeout(): void {
    const { clock, shaping } = this.#shared
    shaping.due.run(clock.monotonic())
    for (const circuit of this.#circuits) circuit.onTimeout()
  }

  /** Ends all circuits. */
  close(): void {
    for (const circuit of this.#circuits) circuit.destroy(CircuitReason.none)
  }
}
