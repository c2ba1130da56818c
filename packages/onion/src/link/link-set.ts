import { type Clock, type Random, WeftError, equalBytes, messageOf, toHex } from '@weft/core'
import type { X25519KeyPair } from '@weft/crypto'
import { Packet } from '../packet/packet.ts'
import { wipe } from '../sodium.ts'
import { generateX25519 } from '../x25519.ts'
import { CookieReplies } from './cookie-reply.ts'
import type { Endpoint } from './endpoint.ts'
import { HandshakeGate } from './handshake-gate.ts'
import { type InitiationMemory, InitiationTimes, isOfOtherClock } from './initiation-times.ts'
import type { CircuitCommand } from './link-command.ts'
import { type HandshakeOptions, LinkInitiation, ReceivedInitiation, initiationAead } from './link-handshake.ts'
import type { KeySlot, LinkDownReason, LinkHost } from './link-host.ts'
import { LINK_LIMITS, type LinkCounters, type LinkLimits, newLinkCounters } from './link-limits.ts'
import type { LinkPaths } from './link-paths.ts'
import { LinkRoom } from './link-room.ts'
import { Link } from './link.ts'
import { RespondedLinks } from './responded-links.ts'
import type { Kem } from './noise/noise-handshake.ts'
import type { Suites } from '../packet/suite.ts'

export interface LinkSetOptions {
  readonly networkId: string
  readonly clock: Pick<Clock, 'now' | 'monotonic'>
  readonly random: Random
  /** Link keys of a member; a client has none and makes a pair for each link. */
  readonly keys?: X25519KeyPair
  /** Whether initiations are answered; needs `keys`. */
  readonly listen: boolean
  /** Of a member with several sets, as one for each packet worker: which this is, below 16. Each has links of its own. */
  readonly part?: number
  /** Where initiations are remembered; in this object when left out. */
  readonly times?: InitiationMemory
  readonly limits?: Partial<LinkLimits>
  readonly kem?: Kem
  /** What links may be sealed with; ChaCha20-Poly1305 alone when left out. */
  readonly suites?: Suites
  /** Whether a link key is a member's: members find room where strangers do not. Nobody's when left out. */
  isMember?(key: Uint8Array): boolean
  /** Sends a packet of 1440 bytes. The bytes are valid during the call only. @param isOwn of a link that this side made */
  send(bytes: Uint8Array, to: Endpoint, isOwn: boolean): void
  /** A cell came: its unit is `packet.body`. The slot is valid during the call only, and may be changed. */
  onCell(link: Link, circuitId: number, packet: Packet): void
  /** A message about a circuit came; `content` is 1404 bytes, valid during the call only. */
  onMessage(link: Link, command: CircuitCommand, circuitId: number, content: Uint8Array): void
  /** A link is up: made, or confirmed by a packet of its initiator. Or down: its circuits are gone. */
  onLink(link: Link, state: 'up' | 'down', reason?: LinkDownReason): void
}

/**
 * All links of a node or client, over one UDP port that the caller owns: datagrams and time go in, datagrams come out
 * (docs/specs/packets.md, «Link»). The caller runs `onTimeout` at `nextTimeout`, and `work` once a turn when
 * `wantsTurn` says so.
 */
export class LinkSet {
  readonly counters: LinkCounters = newLinkCounters()
  readonly #options: LinkSetOptions
  readonly #host: LinkHost<Link>
  readonly #scratch = new Packet()
  /** Of a set that listens. */
  readonly #gate: HandshakeGate | undefined
  readonly #times: InitiationMemory
  readonly #links = new Set<Link>()
  readonly #slots = new Map<number, KeySlot<Link>>()
  readonly #initiations = new Map<number, { readonly link: Link; readonly initiation: LinkInitiation }>()
  /** Links that this side made, by its part in them, key and endpoint; links that others made, by key and part. */
  readonly #initiated = new Map<string, Link>()
  readonly #responded = new RespondedLinks()
  /** Answered handshakes that no packet has confirmed, oldest first. */
  readonly #unconfirmed = new Set<KeySlot<Link>>()
  readonly #room: LinkRoom<Link>
  /** Of links that this side made: their name in `#initiated`, and the keys of this side. */
  readonly #initiatedBy = new Map<Link, { readonly name: string; readonly keys: X25519KeyPair }>()
  readonly #limits: LinkLimits
  #lastTime = 0
  #due = Infinity
  #closed = false

  /** @throws RangeError when `listen` is set without `keys`. */
  constructor(options: LinkSetOptions) {
    if (options.listen && options.keys === undefined) throw new RangeError('a listening set of links needs keys')
    this.#options = options
    this.#limits = { ...LINK_LIMITS, ...options.limits }
    this.#room = new LinkRoom(this.#limits)
    this.#times = options.times ?? new InitiationTimes()
    if (options.listen && options.keys !== undefined) this.#gate = this.#makeGate(options.keys.publicKey)
    this.#host = this.#makeHost()
  }

  /**
   * The link to the holder of `responderKey`; makes it when there is none. What is sent before it is up waits, up to 48
   * packets (`queued` of its limits). A member also gets a link that the other side made.
   * @param paths ways there, of a link that is made now; `to` alone by default
   * @throws WeftError E_LINK_LIMIT, E_LINK_KEY, E_LINKS_CLOSED
   */
  connect(to: Endpoint, responderKey: Uint8Array, asClient: boolean, paths?: LinkPaths): Link {
    const key = toHex(responderKey)
    // With the address: one who had another's key written into its own certificate must not come between.
    const name = `${asClient ? 'client' : 'member'} ${key} ${to.over ?? 'udp'} ${to.address} ${to.port}`
    const existing = this.#initiated.get(name) ?? (asClient ? undefined : this.#responded.usable(key))
    if (existing !== undefined) return existing
    this.#checkConnect(to, responderKey)
    const keys = asClient ? generateX25519(this.#options.random) : this.#options.keys
    if (keys === undefined) throw new RangeError('a set of links without keys connects as a client only')
    return this.#addInitiated(name, to, responderKey, keys, paths)
  }

  /** A datagram came. The slot's bytes are changed. */
  receive(packet: Packet, from: Endpoint): void {
    if (!this.receiveKnown(packet, from)) this.receiveOther(packet, from)
  }

  /** A datagram came: false when it is none of a link that there is, or that this side makes. Then it is for {@link receiveOther}. */
  receiveKnown(packet: Packet, from: Endpoint): boolean {
    const index = packet.view.getUint32(0)
    const slot = this.#slots.get(index)
    if (slot !== undefined) {
      slot.link.receive(slot, packet, from)
      return true
    }
    const pending = this.#initiations.get(index)
    if (pending === undefined) return false
    const keys = pending.initiation.readResponse(packet)
    if (keys !== undefined) {
      pending.link.established(pending.initiation, keys)
      return true
    }
    const cookie = pending.initiation.readCookie(packet)
    if (cookie !== undefined) pending.link.cookieCame(pending.initiation, cookie)
    return cookie !== undefined
  }

  /** A datagram that may begin a link: is put behind others, answered by a cookie, or dropped. */
  receiveOther(packet: Packet, from: Endpoint): void {
    if (this.#gate === undefined || this.#closed) this.counters.unknown++
    else this.#gate.receive(packet, from, this.#options.clock.monotonic(), this.#scratch)
  }

  /** Initiations that wait to be looked into. */
  get waiting(): number {
    return this.#gate?.waiting ?? 0
  }

  /** Whether {@link work} is wanted at the end of this turn. */
  get wantsTurn(): boolean {
    return this.#gate !== undefined && this.#gate.waiting + this.#gate.tried > 0
  }

  /**
   * Ends a turn, and looks into some of the initiations that wait: a handshake takes a hundred times as long as a packet, so that packets have
   * their turn between. True when more wait.
   */
  work(): boolean {
    this.#gate?.endTurn()
    for (let done = 0; done < this.#limits.handshakesPerTurn; done++) {
      const next = this.#gate?.take()
      if (next === undefined) return false
      this.#lookInto(next.message, next.from)
    }
    return this.waiting > 0
  }

  /** When {@link onTimeout} wants to be called, monotonic ms; undefined when there are no links. */
  nextTimeout(): number | undefined {
    return this.#due === Infinity ? undefined : this.#due
  }

  onTimeout(): void {
    const now = this.#options.clock.monotonic()
    this.#due = Infinity
    for (const link of this.#links) {
      if (link.due <= now) link.onTimeout()
      this.#due = Math.min(this.#due, link.due)
    }
  }

  /** Links now, those in the making included. */
  get size(): number {
    return this.#links.size
  }

  /** Ends all links; nothing is sent. Connects and answers no more. */
  close(): void {
    this.#closed = true
    for (const link of this.#links) link.close('closed')
    this.#gate?.close()
    this.#due = Infinity
  }

  #checkConnect(to: Endpoint, responderKey: Uint8Array): void {
    const { keys } = this.#options
    if (this.#closed)
      throw new WeftError({
        code: 'E_LINKS_CLOSED',
        cause: 'The VPN part of this node is stopping, so it makes no new link.',
        fix: 'Start it again with `weft start`.',
      })
    if (this.#links.size >= this.#limits.links)
      throw new WeftError({
        code: 'E_LINK_LIMIT',
        cause: `This node has ${this.#links.size} links, the most it may have, so none to ${to.address}:${to.port} was made.`,
        fix: 'Choose another node, or wait: links without circuits end after a minute.',
        retryable: true,
        details: { links: this.#links.size },
      })
    if (responderKey.length !== 32 || (keys !== undefined && equalBytes(responderKey, keys.publicKey)))
      throw new WeftError({
        code: 'E_LINK_KEY',
        cause: `The link key given for ${to.address}:${to.port} is this node's own or not 32 bytes.`,
        fix: 'Choose another node; a node makes no link to itself.',
      })
  }

  #addInitiated(name: string, to: Endpoint, responderKey: Uint8Array, keys: X25519KeyPair, paths?: LinkPaths): Link {
    const link = new Link(this.#host, true, responderKey.slice(), to, paths)
    this.#initiatedBy.set(link, { name, keys })
    try {
      link.start()
    } catch (error) {
      this.#initiatedBy.delete(link)
      this.#wipeOwn(keys)
      throw new WeftError({
        code: 'E_LINK_KEY',
        cause: `The link key given for ${to.address}:${to.port} is of low order: ${messageOf(error)}.`,
        fix: 'Choose another node; the map entry of this one is not usable.',
        origin: error,
      })
    }
    this.#initiated.set(name, link)
    this.#links.add(link)
    return link
  }

  #makeGate(ownKey: Uint8Array): HandshakeGate {
    const { random } = this.#options
    return new HandshakeGate({
      limits: this.#limits,
      counters: this.counters,
      random,
      hiding: initiationAead(ownKey),
      replies: new CookieReplies(ownKey, random),
      unconfirmed: () => this.#unconfirmed.size,
      isKnown: (prefix) => this.#room.knows(prefix),
      send: (bytes, to) => this.#options.send(bytes, to, false),
    })
  }

  #lookInto(message: Uint8Array, from: Endpoint): void {
    const { keys, clock } = this.#options
    if (keys === undefined) return
    const initiation = ReceivedInitiation.read(this.#handshakeOptions(keys), message)
    if (initiation === undefined) this.counters.unknown++
    else if (!this.#times.accept(initiation.initiatorKey, initiation.part, initiation.time, clock.now()))
      this.counters.initiationTime++
    else this.#answer(initiation, from)
    initiation?.wipe()
  }

  #answer(initiation: ReceivedInitiation, from: Endpoint): void {
    const { initiatorKey, part } = initiation
    const existing = this.#responded.get(initiatorKey, part)
    const stranger = this.#options.isMember?.(initiatorKey) !== true
    if (existing === undefined && !this.#room.isFree(from, stranger, this.#links.size)) {
      this.counters.tooManyLinks++
      return
    }
    const keys = initiation.respond(this.#newIndex(), this.#scratch)
    if (keys === undefined) {
      this.counters.malformed++
      return
    }
    const link = existing ?? this.#addResponded(initiatorKey, part, from, stranger)
    this.#options.send(this.#scratch.bytes, from, false)
    this.#unconfirmed.add(link.answered(keys))
    const [oldest] = this.#unconfirmed
    if (oldest !== undefined && this.#unconfirmed.size > this.#limits.handshakes) oldest.link.giveUp(oldest)
  }

  #addResponded(initiatorKey: Uint8Array, part: number, from: Endpoint, stranger: boolean): Link {
    const link = new Link(this.#host, false, initiatorKey, from)
    this.#responded.add(link, part)
    this.#links.add(link)
    this.#room.add(link, from, stranger)
    return link
  }

  #remove(link: Link, reason: LinkDownReason, wasUp: boolean): void {
    this.#links.delete(link)
    const initiatedBy = this.#initiatedBy.get(link)
    if (initiatedBy === undefined) {
      this.#responded.delete(link)
      this.#room.remove(link, link.endpoint)
    } else {
      this.#initiated.delete(initiatedBy.name)
      this.#initiatedBy.delete(link)
      this.#wipeOwn(initiatedBy.keys)
    }
    // Of a link that others began and never confirmed nobody has heard.
    if (wasUp || link.initiator) this.#options.onLink(link, 'down', reason)
  }

  /** A pair that a client made for one link goes with it; a member's own stays. */
  #wipeOwn(keys: X25519KeyPair): void {
    if (keys !== this.#options.keys) wipe(keys.secretKey)
  }

  #initiate(link: Link, cookie: Uint8Array | undefined): LinkInitiation {
    const { clock } = this.#options
    const keys = this.#initiatedBy.get(link)?.keys
    if (keys === undefined) throw new RangeError('only links of this side initiate')
    this.#lastTime = nextTime(this.#lastTime, Math.floor(clock.now()))
    const input = {
      responderKey: link.peerKey,
      localIndex: this.#newIndex(),
      time: this.#lastTime,
      part: this.#options.part ?? 0,
      cookie,
    }
    const initiation = new LinkInitiation(this.#handshakeOptions(keys), input, this.#scratch)
    this.#initiations.set(initiation.localIndex, { link, initiation })
    return initiation
  }

  #handshakeOptions(keys: X25519KeyPair): HandshakeOptions {
    const { networkId, random, kem, suites } = this.#options
    return {
      networkId,
      random,
      keys,
      ...(kem === undefined ? {} : { kem }),
      ...(suites === undefined ? {} : { suites }),
    }
  }

  #newIndex(): number {
    for (;;) {
      const bytes = this.#options.random.bytes(4)
      const index = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)
      if (index !== 0 && !this.#slots.has(index) && !this.#initiations.has(index)) return index
    }
  }

  #makeHost(): LinkHost<Link> {
    const { random, clock } = this.#options
    return {
      limits: this.#limits,
      counters: this.counters,
      random,
      scratch: this.#scratch,
      monotonic: () => clock.monotonic(),
      send: (bytes, to, isOwn) => this.#options.send(bytes, to, isOwn),
      onCell: (link, circuitId, packet) => this.#options.onCell(link, circuitId, packet),
      onMessage: (link, command, circuitId, content) => this.#options.onMessage(link, command, circuitId, content),
      onUp: (link) => this.#options.onLink(link, 'up'),
      onDown: (link, reason, wasUp) => this.#remove(link, reason, wasUp),
      initiate: (link, cookie) => this.#initiate(link, cookie),
      dropInitiation: (initiation) => {
        this.#initiations.delete(initiation.localIndex)
        initiation.wipe()
      },
      addKeys: (slot) => this.#slots.set(slot.keys.localIndex, slot),
      dropKeys: (slot) => {
        this.#slots.delete(slot.keys.localIndex)
        this.#unconfirmed.delete(slot)
      },
      confirmed: (slot) => this.#unconfirmed.delete(slot),
      moved: (link, from) => this.#room.move(from, link.endpoint),
      schedule: (due) => {
        this.#due = Math.min(this.#due, due)
      },
    }
  }
}

/** Ever later, but for a clock that was set back by more than others take: they took nothing of what it said before. */
function nextTime(before: number, now: number): number {
  return isOfOtherClock(before + 1, now) ? now : Math.max(now, before + 1)
}
