import { type Random, equalBytes } from '@weft/core'
import { Packet } from '../packet/packet.ts'
import { type Endpoint, isSameEndpoint } from './endpoint.ts'
import type { LinkInitiation } from './link-handshake.ts'
import type { LinkKeys } from './link-keys.ts'
import type { LinkCounters, LinkLimits } from './link-limits.ts'
import * as timing from './timing.ts'

export type LinkState = 'connecting' | 'up' | 'down'
/** `create`, `created`, `destroy` of docs/specs/packets.md. */
export type CircuitCommand = 1 | 2 | 3
export type LinkDownReason = 'no answer' | 'silent' | 'idle' | 'keys expired' | 'given up' | 'closed'

const CREATE = 1
const PING = 4
const PONG = 5
const PING_BYTES = 8

/** Keys in use by a link, and since when (monotonic ms). */
export interface KeySlot {
  readonly link: Link
  readonly keys: LinkKeys
  readonly createdAt: number
}

/** What a link needs of the set that it belongs to. */
export interface LinkHost {
  readonly limits: LinkLimits
  readonly counters: LinkCounters
  readonly random: Random
  /** For packets that a link itself makes; valid until the next call into the set. */
  readonly scratch: Packet
  monotonic(): number
  send(bytes: Uint8Array, to: Endpoint): void
  onCell(link: Link, circuitId: number, packet: Packet): void
  onMessage(link: Link, command: CircuitCommand, circuitId: number, content: Uint8Array): void
  /** Tells of `up`; a link that goes down is taken out of the set. */
  onUp(link: Link): void
  onDown(link: Link, reason: LinkDownReason, wasUp: boolean): void
  /** Writes an initiation into the scratch slot and routes its answer to the link. */
  initiate(link: Link): LinkInitiation
  dropInitiation(initiation: LinkInitiation): void
  addKeys(slot: KeySlot): void
  dropKeys(slot: KeySlot): void
  confirmed(slot: KeySlot): void
  moved(link: Link, from: Endpoint): void
  /** The link wants `onTimeout` at that time at the latest. */
  schedule(due: number): void
}

interface Attempt {
  readonly initiation: LinkInitiation
  readonly sentAt: number
}

interface Queued {
  readonly packet: Packet
  readonly command: number
  readonly circuitId: number
}

/** After this time no answer to an initiation is expected any more; longer than all retries take. */
const FORGET_ATTEMPT_MS = 10_000

/**
 * A link with one neighbour: its keys in three generations (before, in use, answered but not confirmed), its handshakes and
 * its timers. Made by `LinkSet`.
 */
export class Link {
  /** Whether this side made the link: it then renews the keys, and its circuit ids have bit 31 set. */
  readonly initiator: boolean
  /** Static key of the other side. */
  readonly peerKey: Uint8Array
  readonly #host: LinkHost
  #endpoint: Endpoint
  #state: LinkState = 'connecting'
  #current: KeySlot | undefined
  #previous: KeySlot | undefined
  #next: KeySlot | undefined
  #attempts: Attempt[] = []
  #tries = 0
  #retryAt = Infinity
  #queue: Queued[] = []
  #circuits = 0
  /** When the number of circuits last became 0, or ceased to be. */
  #changedAt: number
  #receivedAt: number
  #pingAt = -Infinity
  #ping: Uint8Array | undefined
  #rttMs: number | undefined
  /** Where packets of the other side come from lately, and what was asked there. */
  #candidate: { readonly endpoint: Endpoint; readonly token: Uint8Array; readonly askedAt: number } | undefined
  /** When a `create` should have been answered by anything at all. */
  #answerDue = Infinity
  #isSilent = false
  #due = Infinity

  constructor(host: LinkHost, initiator: boolean, peerKey: Uint8Array, endpoint: Endpoint) {
    this.#host = host
    this.initiator = initiator
    this.peerKey = peerKey
    this.#endpoint = endpoint
    this.#changedAt = host.monotonic()
    this.#receivedAt = this.#changedAt
  }

  /** Begins the first handshake; once, by the side that makes the link. @throws RangeError: the key is of low order. */
  start(): void {
    this.#startHandshake(this.#changedAt)
    this.#reschedule()
  }

  /** Where the other side is; of a link that it made, where it last answered from. */
  get endpoint(): Endpoint {
    return this.#endpoint
  }

  get state(): LinkState {
    return this.#state
  }

  /** Round trip of the last ping that was answered. */
  get rttMs(): number | undefined {
    return this.#rttMs
  }

  /** Something was asked on it and nothing came back, and only the other side can renew its keys: better make another link. */
  get isSilent(): boolean {
    return this.#isSilent
  }

  /** Circuits on this link; kept by the circuit layer, read by the timers. */
  get circuits(): number {
    return this.#circuits
  }

  set circuits(count: number) {
    if ((count === 0) !== (this.#circuits === 0)) this.#changedAt = this.#host.monotonic()
    this.#circuits = count
    this.#reschedule()
  }

  /** When {@link onTimeout} is due, monotonic ms; may be early, never late. */
  get due(): number {
    return this.#due
  }

  /** A random circuit id with this side's bit; the caller knows whether it is taken. */
  newCircuitId(): number {
    const bytes = this.#host.random.bytes(4)
    const random = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) & 0x7fff_ffff
    return this.initiator ? random + 0x8000_0000 : Math.max(1, random)
  }

  /** Sends the slot's body as a cell; its header is written in place. False when it was dropped. */
  sendCell(circuitId: number, packet: Packet): boolean {
    const slot = this.#current
    if (slot === undefined) return this.#enqueue(0, circuitId, packet.bytes)
    if (!slot.keys.sealCell(packet, circuitId)) return this.#unsent()
    this.#host.send(packet.bytes, this.#endpoint)
    return true
  }

  /** Sends a message of up to 1404 bytes. False when it was dropped. @throws RangeError when it is longer. */
  sendMessage(command: CircuitCommand, circuitId: number, content: Uint8Array): boolean {
    if (command === CREATE && this.#answerDue === Infinity && this.#current !== undefined) {
      this.#answerDue = this.#host.monotonic() + timing.ANSWER_MS
      this.#reschedule()
    }
    return this.#sendMessage(command, circuitId, content)
  }

  close(reason: LinkDownReason = 'closed'): void {
    if (this.#state === 'down') return
    const wasUp = this.#state === 'up'
    this.#state = 'down'
    for (const slot of [this.#current, this.#previous, this.#next]) this.#drop(slot)
    this.#current = this.#previous = this.#next = undefined
    for (const { initiation } of this.#attempts) this.#host.dropInitiation(initiation)
    this.#attempts = []
    this.#queue = []
    this.#due = Infinity
    this.#host.onDown(this, reason, wasUp)
  }

  /** A packet with an index of this link. */
  receive(slot: KeySlot, packet: Packet, from: Endpoint): void {
    const { counters } = this.#host
    const now = this.#host.monotonic()
    const newest = slot.keys.received
    const opened = now - slot.createdAt < timing.REJECT_AFTER_MS ? slot.keys.open(packet) : 'not authentic'
    if (opened === 'not authentic') {
      counters.notAuthentic++
      return
    }
    if (opened === 'replayed') {
      counters.replayed++
      return
    }
    this.#receivedAt = now
    this.#answerDue = Infinity
    this.#isSilent = false
    if (slot === this.#next) this.#confirm(slot)
    if (this.#isDown()) return
    if (from !== this.#endpoint && !this.initiator && slot.keys.received > newest) this.#askAt(from, now)
    const circuitId = packet.view.getUint32(12)
    const rest = packet.view.getUint32(16)
    if (opened === 'cell') {
      if (rest === 0 && circuitId !== 0) this.#host.onCell(this, circuitId, packet)
      else counters.malformed++
    } else this.#receiveMessage(rest, circuitId, packet, from, now)
  }

  /** The answer to one of this link's initiations. */
  established(initiation: LinkInitiation, keys: LinkKeys): void {
    const now = this.#host.monotonic()
    const at = this.#attempts.findIndex((attempt) => attempt.initiation === initiation)
    // Later attempts stay: their answers may be on the way, and the other side takes the newest keys for the right ones.
    for (const old of this.#attempts.splice(0, at + 1)) this.#host.dropInitiation(old.initiation)
    this.#retryAt = Infinity
    this.#tries = 0
    this.#receivedAt = now
    this.#use(this.#addKeys(keys, now))
    if (this.#isDown()) return
    this.#sendPing(now)
    this.#reschedule()
  }

  /** Keys of an initiation that this side answered: good for receiving, and for sending once a packet under them came. */
  answered(keys: LinkKeys): KeySlot {
    this.#drop(this.#next)
    this.#next = this.#addKeys(keys, this.#host.monotonic())
    this.#reschedule()
    return this.#next
  }

  /** Forgets keys that no packet has confirmed. */
  giveUp(slot: KeySlot): void {
    if (slot !== this.#next) return
    this.#drop(slot)
    this.#next = undefined
    if (this.#current === undefined) this.close('given up')
  }

  onTimeout(): void {
    const now = this.#host.monotonic()
    if (this.#expire(now)) return
    if (this.#answerDue <= now) this.#onSilence(now)
    if (this.#retryAt <= now) {
      if (this.#tries > timing.HANDSHAKE_RETRIES) {
        this.close('no answer')
        return
      }
      this.#initiate(now)
    } else if (this.#rekeyAt() <= now) this.#startHandshake(now)
    if (this.#circuits > 0 && this.#pingDue() <= now && this.#state === 'up') this.#sendPing(now)
    this.#reschedule()
  }

  /** Nothing answered: renews the keys, or leaves that to a link of this side's own. */
  #onSilence(now: number): void {
    this.#answerDue = Infinity
    if (!this.initiator) this.#isSilent = true
    else if (this.#retryAt === Infinity) this.#startHandshake(now)
  }

  /** Ends what is too old; true when that was the link itself. */
  #expire(now: number): boolean {
    const keep = (slot: KeySlot | undefined): KeySlot | undefined => {
      if (slot === undefined || now - slot.createdAt < timing.REJECT_AFTER_MS) return slot
      this.#drop(slot)
      return undefined
    }
    this.#previous = keep(this.#previous)
    this.#next = keep(this.#next)
    const used = this.#current
    this.#current = keep(used)
    while (this.#attempts[0] !== undefined && now - this.#attempts[0].sentAt >= FORGET_ATTEMPT_MS)
      this.#host.dropInitiation((this.#attempts.shift() as Attempt).initiation)
    const reason = this.#endReason(now, used !== undefined)
    if (reason !== undefined) this.close(reason)
    return reason !== undefined
  }

  #endReason(now: number, hadKeys: boolean): LinkDownReason | undefined {
    if (hadKeys && this.#current === undefined && this.#next === undefined) return 'keys expired'
    if (this.#endAt() > now) return undefined
    return this.#circuits === 0 ? 'idle' : 'silent'
  }

  /** When the link ends if nothing happens. A link that is being made ends with its handshakes. */
  #endAt(): number {
    if (this.#circuits === 0)
      return this.#changedAt + (this.initiator ? timing.IDLE_INITIATOR_MS : timing.IDLE_RESPONDER_MS)
    if (this.#state !== 'up') return Infinity
    return Math.max(this.#receivedAt, this.#changedAt) + timing.SILENT_AFTER_MS
  }

  #pingDue(): number {
    return Math.max(
      Math.max(this.#receivedAt, this.#changedAt) + timing.PING_AFTER_MS,
      this.#pingAt + timing.PING_AGAIN_MS,
    )
  }

  #rekeyAt(): number {
    if (!this.initiator || this.#retryAt !== Infinity || this.#current === undefined) return Infinity
    const { keys, createdAt } = this.#current
    const usedUp = Math.max(keys.sent, keys.received) >= timing.REKEY_AFTER_PACKETS
    return usedUp ? 0 : createdAt + timing.REKEY_AFTER_MS
  }

  #reschedule(): void {
    if (this.#state === 'down') return
    let due = Math.min(this.#endAt(), this.#retryAt, this.#rekeyAt(), this.#answerDue)
    if (this.#circuits > 0 && this.#state === 'up') due = Math.min(due, this.#pingDue())
    for (const slot of [this.#current, this.#previous, this.#next])
      if (slot !== undefined) due = Math.min(due, slot.createdAt + timing.REJECT_AFTER_MS)
    const oldest = this.#attempts[0]
    if (oldest !== undefined) due = Math.min(due, oldest.sentAt + FORGET_ATTEMPT_MS)
    this.#due = due
    this.#host.schedule(due)
  }

  #startHandshake(now: number): void {
    this.#tries = 0
    this.#initiate(now)
  }

  #initiate(now: number): void {
    this.#attempts.push({ initiation: this.#host.initiate(this), sentAt: now })
    this.#tries++
    this.#retryAt = now + timing.HANDSHAKE_RETRY_MS
    this.#host.send(this.#host.scratch.bytes, this.#endpoint)
  }

  #addKeys(keys: LinkKeys, now: number): KeySlot {
    const slot: KeySlot = { link: this, keys, createdAt: now }
    this.#host.addKeys(slot)
    return slot
  }

  #drop(slot: KeySlot | undefined): void {
    if (slot === undefined) return
    this.#host.dropKeys(slot)
    slot.keys.wipe()
  }

  #confirm(slot: KeySlot): void {
    this.#next = undefined
    this.#host.confirmed(slot)
    this.#use(slot)
    this.#reschedule()
  }

  /** Sends under these keys from now on; those before stay good for receiving. */
  #use(slot: KeySlot): void {
    this.#drop(this.#previous)
    this.#previous = this.#current
    this.#current = slot
    if (this.#state !== 'connecting') return
    this.#state = 'up'
    this.#host.onUp(this)
    const queue = this.#queue
    this.#queue = []
    for (const { packet, command, circuitId } of queue)
      if (command === 0) this.sendCell(circuitId, packet)
      else this.#sendMessage(command, circuitId, packet.body)
  }

  /** Callbacks may have closed the link meanwhile. */
  #isDown(): boolean {
    return this.#state === 'down'
  }

  /**
   * A packet came from elsewhere: the source of a datagram is anybody's to write, so nothing but a ping goes there until it
   * is answered from there (RFC 9000, section 8.2). Otherwise a client could point a download at somebody else.
   */
  #askAt(endpoint: Endpoint, now: number): void {
    if (isSameEndpoint(endpoint, this.#endpoint)) return
    const before = this.#candidate
    const isAsked = before !== undefined && isSameEndpoint(before.endpoint, endpoint)
    if (isAsked && now - before.askedAt < timing.ASK_AGAIN_MS) return
    const token = this.#host.random.bytes(PING_BYTES)
    this.#candidate = { endpoint, token, askedAt: now }
    this.#sendMessage(PING, 0, token, endpoint)
  }

  #move(to: Endpoint): void {
    const from = this.#endpoint
    this.#endpoint = to
    this.#host.moved(this, from)
  }

  #receiveMessage(rest: number, circuitId: number, packet: Packet, from: Endpoint, now: number): void {
    const command = rest >>> 24
    const aboutLink = command === PING || command === PONG
    if ((rest & 0xff_ffff) !== 0 || command === 0 || command > PONG || aboutLink !== (circuitId === 0)) {
      this.#host.counters.malformed++
      return
    }
    const { content } = packet
    if (command === PING) this.#sendMessage(PONG, 0, content.subarray(0, PING_BYTES))
    else if (command === PONG) this.#receivePong(content, from, now)
    else this.#host.onMessage(this, command as CircuitCommand, circuitId, content)
  }

  #sendPing(now: number): void {
    this.#ping = this.#host.random.bytes(PING_BYTES)
    this.#pingAt = now
    this.#sendMessage(PING, 0, this.#ping)
  }

  #receivePong(content: Uint8Array, from: Endpoint, now: number): void {
    const candidate = this.#candidate
    if (
      candidate !== undefined &&
      isSameEndpoint(from, candidate.endpoint) &&
      equalBytes(content.subarray(0, PING_BYTES), candidate.token)
    ) {
      this.#candidate = undefined
      this.#move(candidate.endpoint)
      return
    }
    if (this.#ping === undefined || !equalBytes(content.subarray(0, PING_BYTES), this.#ping)) return
    this.#ping = undefined
    this.#rttMs = now - this.#pingAt
  }

  #sendMessage(command: number, circuitId: number, content: Uint8Array, to = this.#endpoint): boolean {
    const slot = this.#current
    if (slot === undefined) return this.#enqueue(command, circuitId, content)
    const { scratch } = this.#host
    scratch.content.fill(0)
    scratch.content.set(content)
    if (!slot.keys.sealMessage(scratch, command, circuitId)) return this.#unsent()
    this.#host.send(scratch.bytes, to)
    return true
  }

  /** Keeps a packet until the link is up. @param bytes of a cell all 1440, of a message its content. */
  #enqueue(command: number, circuitId: number, bytes: Uint8Array): boolean {
    if (this.#state !== 'connecting' || this.#queue.length >= this.#host.limits.queued) return this.#unsent()
    const packet = new Packet()
    if (command === 0) packet.bytes.set(bytes)
    else packet.body.set(bytes)
    this.#queue.push({ packet, command, circuitId })
    return true
  }

  #unsent(): boolean {
    this.#host.counters.unsent++
    return false
  }
}
