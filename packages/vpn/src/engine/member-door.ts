import { type Clock, toHex } from '@weft/core'
import { SessionCode, type SessionStream, TokenBucket } from '@weft/onion'
import type { MemberAddresses } from '../route/member-addresses.ts'
import type { TargetSockets } from './target-sockets.ts'

/** The service that every member has: its connections of the overlay (docs/specs/session.md, Services of members). */
const OVERLAY_SERVICE = 'overlay'
/** ms to reach a member, over all of its addresses; the client waits for 4.4 s (OPEN_MS of stream-opener.ts). */
const DIAL_MS = 3_800
/** Connections to members at once: in all, of one session, and to one member, who has as many places for strangers of one address (limits.ts of overlay). */
const MAX_CONNECTIONS = 512
const MAX_OF_SESSION = 64
const MAX_TO_MEMBER = 32
/**
 * Connections to one member that began within so many ms. It has 8 places for those of one address that are not secured yet, each for 5 s,
 * and whether a client secures its own nobody sees here: three stay for this node's calls.
 */
const MAX_YOUNG = 5
const YOUNG_MS = 6_000
/**
 * New connections to one member. It takes 5 a second of one address, members among them, and this node has calls of its own
 * to make: what clients do over it must not use them up.
 */
const DIALS_PER_SECOND = 2

/** What is known of a member that clients call over this node. */
interface Called {
  readonly dials: TokenBucket
  connections: number
  /** When those that stand began, monotonic ms. */
  readonly since: Set<{ readonly at: number }>
}

/**
 * Where a last hop lets its clients through to services of members. It calls nobody but members, at the addresses that the
 * signed map has of them, and reads nothing of what it passes on.
 */
export class MemberDoor {
  readonly #clock: Clock
  readonly #sockets: TargetSockets
  /** A member counts those of all workers of a node together. */
  readonly #part: (limit: number) => number
  readonly #bySession = new WeakMap<object, number>()
  readonly #called = new Map<string, Called>()
  #members: ReadonlyMap<string, MemberAddresses> = new Map()
  #connections = 0
  #opened = 0

  /** @param workers of this node, each with a door of its own */
  constructor(clock: Clock, sockets: TargetSockets, workers: number) {
    this.#clock = clock
    this.#part = (limit) => Math.max(1, Math.floor(limit / workers))
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

  /** @param session whose stream it is: none has all places */
  take(stream: SessionStream, wake: () => void, session: object): void {
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
    const called = (this.#bySession.get(session) ?? 0) < MAX_OF_SESSION ? this.#admit(key) : undefined
    if (called === undefined) return refuse(SessionCode.limit)
    this.#dial({ stream, wake, session, called, member: known }, 0)
  }

  /** Undefined where there are too many connections already. */
  #admit(key: string): Called | undefined {
    const now = this.#clock.monotonic()
    const called = this.#called.get(key) ?? {
      dials: new TokenBucket(DIALS_PER_SECOND, MAX_YOUNG, now),
      connections: 0,
      since: new Set(),
    }
    this.#called.set(key, called)
    const young = [...called.since].filter(({ at }) => now - at < YOUNG_MS).length
    const isFull =
      this.#connections >= this.#part(MAX_CONNECTIONS) ||
      called.connections >= this.#part(MAX_TO_MEMBER) ||
      young >= this.#part(MAX_YOUNG) ||
      this.#sockets.isFull
    return isFull || !called.dials.take(now) ? undefined : called
  }

  /** Tries the member's addresses one after the other. */
  #dial(call: Call, at: number): void {
    const { stream, wake, session, called, member } = call
    const { addresses } = member
    const address = addresses[at]
    if (address === undefined) return
    const since = { at: this.#clock.monotonic() }
    const count = (by: 1 | -1): void => {
      this.#connections += by
      called.connections += by
      this.#bySession.set(session, (this.#bySession.get(session) ?? 0) + by)
      if (by > 0) called.since.add(since)
      else called.since.delete(since)
    }
    count(1)
    this.#sockets.dial({
      stream,
      wake,
      address: address.host,
      port: address.port,
      timeoutMs: DIAL_MS / addresses.length,
      // Its own address is no news to a client that has the map; which of several was called is nobody's business.
      told: '0.0.0.0',
      onOver: () => count(-1),
      onOpened: () => {
        this.#opened++
      },
      onFailed: (code) => {
        if (at + 1 < addresses.length) return this.#dial(call, at + 1)
        stream.refuse(code)
        wake()
      },
    })
  }
}

/** A stream to a member that is to be joined to a connection. */
interface Call {
  readonly stream: SessionStream
  readonly wake: () => void
  readonly session: object
  readonly called: Called
  readonly member: MemberAddresses
}
