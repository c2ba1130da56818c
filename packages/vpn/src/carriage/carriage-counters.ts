/** What became of packets in TLS since the port was opened, and of connections for them. */
export class CarriageCounters {
  /** Handed to `onBatch`; handed to TLS. */
  received = 0
  sent = 0
  /** Dropped because all connections there had as much waiting as they may. */
  carriageFull = 0
  /** Dropped because there was no connection. */
  carriageClosed = 0
  /** Connections that sent what is no packet. */
  carriageMalformed = 0
  /** Connections that were refused: too many, in all or of their flow, or no preface in time. */
  carriageRefused = 0
}
