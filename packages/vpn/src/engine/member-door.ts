import { type Clock, toHex } from '@weft/core'
import { SessionCode, type SessionStream, TokenBucket } from '@weft/onion'
import type { MemberAddresses } from '../route/member-addresses.ts'
import type { TargetSockets } from './target-sockets.ts'

/** The service that every member has: its connections of the overlay (docs/specs/session.md, Services of members). */
const OVERLAY_SERVICE = 'overlay'
/** ms to reach a member, over all of its addresses; the client waits for 4.4 s (OPEN_MS of stream-opener.ts). */
const DIAL_MS = 3_800
/** Connections to members at once: in all, and to one member, who has as many places for strangers of one address (limits.ts of overlay). */
const MAX_CONNECTIONS = 512
const MAX_TO_MEMBER = 32
/**
 * New connections to one member. It takes 5 a second of one address, members among them, and this node has calls of its own
 * to make: what clients do over it must not use them up.
 */
const DIALS_PER_SECOND = 2
const DIALS_BURST = 16

/** What is known of a member that clients call over this node. */
interface Called {
  readonly dials: TokenBucket
  connections: number
}

/**
 * Where a last hop lets its clients through to services of members. It calls nobody but members, at the addresses that the
 * signed map has of them, and reads nothing of what it passes on.
 */
export class MemberDoor {
  readonly #clock: Clock
  readonly #sockets: TargetSockets
  readonly #called = new Map<string, Called>()
  #members: ReadonlyMap<string, MemberAddresses> = new Map()
  #connections = 0
  #opened = 0

  constructor(clock: Clock, sockets: TargetSockets) {
    this.#clock = clock
    this.#sockets = sockets
  }

  /** Connections to members now. */
  get connections(): number {
    return this.#connections
  }

  /** Connections to members that were made since the start. */
  get opened(): number {
    return this.#opened
  }

  setMembers(members: readonly MemberAddresses[]): void {
    this.#members = new Map(members.map((member) => [toHex(member.key), member]))
    for (const [key, { connections }] of this.#called)
      if (connections === 0 && !this.#members.has(key)) this.#called.delete(key)
  }

  take(stream: SessionStream, wake: () => void): void {
    const refuse = (code: number): void => {
      stream.refuse(code)
      wake()
    }
    const { host: name, member } = stream.target ?? {}
    if (member === undefined) return refuse(SessionCode.violation)
    if (name !== OVERLAY_SERVICE) return refuse(SessionCode.notOffered)
    const key = toHex(member)
    const known = this.#members.get(key)
    if (known === undefined) return refuse(SessionCode.nameNotFound)
    if (known.addresses.length === 0) return refuse(SessionCode.hostUnreachable)
    const called = this.#admit(key)
    if (called === undefined) return refuse(SessionCode.limit)
    this.#dial(stream, wake, called, known, 0)
  }

  /** Undefined where there are too many connections already. */
  #admit(key: string): Called | undefined {
    const now = this.#clock.monotonic()
    const called = this.#called.get(key) ?? {
      dials: new TokenBucket(DIALS_PER_SECOND, DIALS_BURST, now),
      connections: 0,
    }
    this.#called.set(key, called)
    const isFull = this.#connections >= MAX_CONNECTIONS || called.connections >= MAX_TO_MEMBER || this.#sockets.isFull
    return isFull || !called.dials.take(now) ? undefined : called
  }

  /** Tries the member's addresses one after the other. */
  #dial(stream: SessionStream, wake: () => void, called: Called, member: MemberAddresses, at: number): void {
    const { addresses } = member
    const address = addresses[at]
    if (address === undefined) return
    this.#connections++
    called.connections++
    this.#sockets.dial({
      stream,
      wake,
      address: address.host,
      port: address.port,
      timeoutMs: DIAL_MS / addresses.length,
      // Its own address is no news to a client that has the map; which of several was called is nobody's business.
      told: '0.0.0.0',
      onOver: () => {
        this.#connections--
        called.connections--
      },
      onOpened: () => {
        this.#opened++
      },
      onFailed: (code) => {
        if (at + 1 < addresses.length) return this.#dial(stream, wake, called, member, at + 1)
        stream.refuse(code)
        wake()
      },
    })
  }
}
