/** What packet workers of one node tell each other about circuits of one whose session is the other's; ids are the circuit's worker's own. */
export type WorkerMessage =
  /** A circuit is to join a session there: its first packet, and bytes of all its packets. */
  | {
      readonly type: 'join'
      readonly id: number
      readonly payloadLength: number
      readonly packetNumber: number
      readonly payload: Uint8Array
    }
  /** Packets, laid out by {@link PacketBatch}; `up` from a client. */
  | { readonly type: 'up' | 'down'; readonly count: number; readonly buffer: ArrayBuffer }
  /** So many of a circuit's packets were taken, `up` of those from a client, that of `join` too, or are nobody's any more: as many more may come. */
  | { readonly type: 'took'; readonly way: 'up' | 'down'; readonly id: number; readonly count: number }
  /** The circuit is gone (`up`), or is to go (`down`): one of CircuitReason. */
  | { readonly type: 'end'; readonly way: 'up' | 'down'; readonly id: number; readonly reason: number }

/** A MessagePort of node:worker_threads, as far as it is used. */
export interface WorkerPort {
  postMessage(message: WorkerMessage, moved: ArrayBuffer[]): void
  on(event: 'message', listener: (message: WorkerMessage) => void): unknown
  on(event: 'close', listener: () => void): unknown
  close(): void
}
