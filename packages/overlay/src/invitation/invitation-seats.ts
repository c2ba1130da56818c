import { type Clock, WeftError } from '@weft/core'

/** A node that this validator voted for by an invitation. */
export interface StoredSeat {
  /** 32 bytes: the node's key. */
  readonly key: Uint8Array
  /** ms since the Unix epoch: until when the node has this seat without a further vote. */
  readonly until: number
  /** It held a certificate when this validator voted for it once. */
  readonly joined: boolean
}

/** Where seats are kept; a write that has returned outlives a crash. Invitations go by their name, 32 bytes. */
export interface SeatStore {
  /** The seat of a node, also one that is over. */
  seat(invitation: Uint8Array, key: Uint8Array): StoredSeat | undefined
  /** Seats that nodes other than `key` have at `now`, ms since the Unix epoch. */
  seatsOfOthers(invitation: Uint8Array, key: Uint8Array, now: number): number
  /** Keeps a seat, and drops those of all invitations that were over at `now`, ms since the Unix epoch. */
  saveSeat(invitation: Uint8Array, seat: StoredSeat, now: number): void
}

/** What a node asks a seat for. */
export interface SeatRequest {
  /** 32 bytes: the name of the invitation. */
  readonly invitation: Uint8Array
  /** Seats that it has. */
  readonly uses: number
  /** 32 bytes: the node's key. */
  readonly key: Uint8Array
}

/** ms that a member keeps its seat behind the end of its last certificate: 30 days. */
const ABSENCE_MS = 30 * 24 * 3_600_000

/**
 * The seats of each invitation, counted where votes are given. A validator gives its vote to no more nodes than an
 * invitation has uses, and remembers to whom, on disk before the vote leaves. Any two quorums share an honest validator,
 * so that of two nodes only one can be certified by an invitation for one (docs/specs/invitation.md, Seats).
 */
export class InvitationSeats {
  readonly #database: SeatStore
  readonly #clock: Clock

  constructor(database: SeatStore, clock: Clock) {
    this.#database = database
    this.#clock = clock
  }

  /** The seat of a node, if it has one. */
  of({ invitation, key }: Pick<SeatRequest, 'invitation' | 'key'>): StoredSeat | undefined {
    const seat = this.#database.seat(invitation, key)
    return seat !== undefined && seat.until > this.#clock.now() ? seat : undefined
  }

  /** @throws WeftError E_INVITE_USED when others have all seats */
  requireFree({ invitation, uses, key }: SeatRequest): void {
    if (this.#database.seatsOfOthers(invitation, key, this.#clock.now()) < uses) return
    throw new WeftError({
      code: 'E_INVITE_USED',
      cause: `The invitation is for ${uses === 1 ? 'one node' : `${uses} nodes`}, and ${uses === 1 ? 'another node has' : 'others have'} used it.`,
      fix: 'Ask whoever invited you for a new token (weft network invite), and join with it: weft network join -.',
    })
  }

  /**
   * Takes or renews the seat of a node, durably before it returns: until the end of the certificate that is voted for,
   * and for a node that is a member already 30 days longer, so that it can be away and come back.
   * @param expiresAt end of that certificate, ms since the Unix epoch
   * @throws WeftError E_INVITE_USED
   */
  take(request: SeatRequest, expiresAt: number, member: boolean): void {
    this.requireFree(request)
    const { invitation, key } = request
    const held = this.of(request)
    const joined = member || held?.joined === true
    const until = Math.max(held?.until ?? 0, expiresAt + (joined ? ABSENCE_MS : 0))
    if (held !== undefined && held.until === until && held.joined === joined) return
    this.#database.saveSeat(invitation, { key, until, joined }, this.#clock.now())
  }
}
