import { type AckFrame } from './ack-frame.ts'
import { type SessionDatagrams } from './session-datagrams.ts'
import { type SessionMemory } from './memory-budget.ts'
import { type Outbox } from './outbox.ts'
import { type SessionLegs } from './session-legs.ts'
import { type SessionStream } from './session-stream.ts'

/** What the streams need of their session. */
export interface StreamsOwner {
  readonly isExit: boolean
  /** Monotonic ms. */
  readonly clock: { monotonic(): number }
  /** Bytes of a packet's payload. */
  readonly payloadLength: number
  readonly memory: SessionMemory
  readonly legs: SessionLegs
  readonly outbox: Outbox
  readonly datagrams: SessionDatagrams
  /** There is something to send or to hand on. */
  announce(): void
  /** Exit: OPEN came for a stream that is still wanted. */
  onStream(stream: SessionStream): void
  /** Frames that are about packets and the session alone. */
  onAck(ack: AckFrame): void
  onName(name: Uint8Array): void
  onJoin(leg: number, name: Uint8Array): void
  onLeg(leg: number, sequence: number, status: number): void
  onCloseFrame(code: number, reason: string): void
}
