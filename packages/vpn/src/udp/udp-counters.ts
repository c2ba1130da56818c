/** What a UDP port did since it was opened. In packets unless said otherwise. */
export class UdpCounters {
  /** Handed to `onBatch`. */
  received = 0
  /** Handed to the kernel; halves of packets count each. */
  sent = 0
  /** Datagrams of another size than a packet's, dropped. */
  foreign = 0
  /** Halves of packets whose other half did not come. */
  halvesLost = 0
  /** Dropped because their sender cannot be answered: link-local addresses, port 0. */
  unanswerable = 0
  /** Dropped because the kernel took no more and the queue was full. */
  overflowed = 0
  /** Batches that went packet by packet, because the kernel refused them as one. */
  unsegmented = 0
  /** Packets that the kernel refused, by the name of its error. */
  readonly sendErrors: Record<string, number> = {}
  /** Errors in place of a datagram, by name. */
  readonly receiveErrors: Record<string, number> = {}

  sendFailed(error: string, packets: number): void {
    this.sendErrors[error] = (this.sendErrors[error] ?? 0) + packets
  }

  receiveFailed(error: string): void {
    this.receiveErrors[error] = (this.receiveErrors[error] ?? 0) + 1
  }
}
