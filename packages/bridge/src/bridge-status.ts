/** What one invitation is used for. */
export interface InvitationUse {
  /** Open now. */
  readonly streams: number
  /** Since the start. */
  readonly opened: number
  /** Bytes from members to clients and back, since the start. */
  readonly toClients: number
  readonly toMembers: number
}

export const NO_USE: InvitationUse = { streams: 0, opened: 0, toClients: 0, toMembers: 0 }

/** Why no stream was opened, or no connection taken; how often since the start. */
export interface BridgeRefusals {
  /** Connections: there were too many, in all, of an address or in a second. */
  connections: number
  /** Requests that had the form of those of clients, and the pass of no invitation. */
  passes: number
  /** Streams to what is no member. */
  targets: number
  /** Streams beyond what an invitation may have. */
  streams: number
  /** Streams to members that did not answer. */
  unreachable: number
}

/** How a bridge does, without a word on who its clients are. */
export interface BridgeStatus {
  readonly port: number
  /** Those of strangers included. */
  readonly connections: number
  readonly streams: number
  /** Invitations with a stream now. */
  readonly clients: number
  readonly opened: number
  readonly toClients: number
  readonly toMembers: number
  readonly refused: Readonly<BridgeRefusals>
}
