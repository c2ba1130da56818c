import { type AckFrame } from './ack-frame.ts'
import { type SessionDatagrams } from './session-datagrams.ts'
import { type SessionMemory } from './memory-budget.ts'
import { type Outbox } from './outbox.ts'
import { type Recovery } from './recovery.ts'
import { type SessionStream } from './session-stream.ts'

/** What the streams need of their session. */
export interface StreamsOwner {
  readonly isExit: boolean
  /** Monotonic ms. */
  readonly clock: { monotonic(): number }
  /** Bytes of a packet's payload. */
  readonly payloadLength: number
  readonly memory: SessionMemory
  readonly recovery: Recovery
  readonly outbox: Outbox
  readonly datagrams: SessionDatagrams
  /** There is something to send or to hand on. */
  announce(): void
  /** Exit: OPEN came for a stream that is still wanted. */
  onStream(stream: SessionStream): void
  /** Frames that are about packets and the session alone. */
  onAck(ack: AckFrame): void
  onCloseFrame(code: number, reason: string): void
}
