/** A target of a channel, on either side of the session. */
export interface ChannelTarget {
  /** What frames call it; a client gives a target that was not used for long another one. */
  readonly number: number
  readonly host: string
  readonly port: number
}

/** What a channel keeps of a target. */
export class KnownTarget implements ChannelTarget {
  readonly number: number
  readonly host: string
  readonly port: number
  /** The other side knows what the number stands for; at an exit: to which address the name led. */
  isKnown = false
  /** Client: the address that the exit sends to and hears from. */
  address: string | undefined

  constructor(number: number, host: string, port: number) {
    this.number = number
    this.host = host
    this.port = port
  }
}
