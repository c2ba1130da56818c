import type { Endpoint } from '../link/endpoint.ts'
import type { CircuitCommand } from '../link/link-command.ts'
import { type Packet } from '../packet/packet.ts'

/** What circuits need of a link; the link layer's own class has this shape. */
export interface CircuitLink {
  /** True when this side made the link. */
  readonly initiator: boolean
  /** Where the other side is, for who wants to tell. */
  readonly endpoint?: Endpoint
  /** The other side's static link key. */
  readonly peerKey: Uint8Array
  /** That key in hex: by it limits count, as a key may have several links. */
  readonly peerName: string
  /** It does not answer and cannot be renewed from this side: a new link is to be taken. */
  readonly isSilent: boolean
  /** Asks whether the other side is still there, when a circuit fell silent. */
  check?(): void
  /** How many circuits use the link; kept by the circuit layer, read by the link's timers. */
  circuits: number
  /** A random id with the bit that says which side made it; it may be taken already. */
  newCircuitId(): number
  /** Sends a cell whose body is filled; the header is written in place. False when the link is down. */
  sendCell(circuitId: number, packet: Packet): boolean
  /** Sends a message; `content` is 1404 bytes and copied. False when the link is down. */
  sendMessage(command: CircuitCommand, circuitId: number, content: Uint8Array): boolean
}
