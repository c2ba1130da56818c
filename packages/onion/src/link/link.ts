import { toHex } from '@weft/core'
import type { Packet } from '../packet/packet.ts'
import { AddressCheck, PING_BYTES } from './address-check.ts'
import { type Endpoint, isSameEndpoint } from './endpoint.ts'
import { HandshakeAttempts } from './handshake-attempts.ts'
import { KeyGenerations } from './key-generations.ts'
import {
  CIRCUIT_ID_AT,
  COMMAND_AT,
  type CircuitCommand,
  LinkCommand,
  isAboutLink,
  readCommand,
} from './link-command.ts'
import type { LinkInitiation } from './link-handshake.ts'
import type { KeySlot, LinkDownReason, LinkHost } from './link-host.ts'
import type { LinkKeys } from './link-keys.ts'
import { type LinkPaths, onlyPath } from './link-paths.ts'
import { SendBacklog } from './send-backlog.ts'
import * as timing from './timing.ts'

export type LinkState = 'connecting' | 'up' | 'down'

/**
 * A link with one neighbour: its keys, its handshakes and its timers. Made by `LinkSet`.
 */
export class Link {
  /** Whether this side made the link: it then renews the keys, and its circuit ids have bit 31 set. */
  readonly initiator: boolean
  /** Static key of the other side. */
  readonly peerKey: Uint8Array
  /** That key in hex: by it limits count, as a key may have several links. */
  readonly peerName: string
  readonly #host: LinkHost<Link>
  #endpoint: Endpoint
  #state: LinkState = 'connecting'
  readonly #keys: KeyGenerations<Link>
  readonly #paths: LinkPaths
  readonly #attempts: HandshakeAttempts<Link>
  readonly #address: AddressCheck
  readonly #backlog: SendBacklog
  #circuits = 0
  /** When the number of circuits last became 0, or ceased to be. */
  #changedAt: number
  #receivedAt: number
  #pingAt = -Infinity
  /** When a `create` should have been answered by anything at all. */
  #answerDue = Infinity
  #isSilent = false
  #due = Infinity
  /** Told the 8 bytes of each pong that comes. */
  onPong: ((token: Uint8Array) => void) | undefined

  /** @param paths ways to the other side, of a link that this side makes; by default the endpoint alone */
  constructor(
    host: LinkHost<Link>,
    initiator: boolean,
    peerKey: Uint8Array,
    endpoint: Endpoint,
    paths: LinkPaths = onlyPath(endpoint),
  ) {
    this.#host = host
    this.initiator = initiator
    this.peerKey = peerKey
    this.peerName = toHex(peerKey)
    this.#endpoint = endpoint
    this.#keys = new KeyGenerations(host, this)
    this.#paths = paths
    this.#attempts = new HandshakeAttempts(host, this, paths)
    this.#address = new AddressCheck(host.random)
    this.#backlog = new SendBacklog(host.limits.queued)
    this.#changedAt = host.monotonic()
    this.#receivedAt = this.#changedAt
  }

  /** Begins the first handshake; once, by the side that makes the link. @throws RangeError: the key is of low order. */
  start(): void {
    this.#attempts.start(this.#changedAt, true)
    this.#reschedule()
  }

  /** Where the other side is: where it last answered from. */
  get endpoint(): Endpoint {
    return this.#endpoint
  }

  get state(): LinkState {
    return this.#state
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
    const slot = this.#keys.current
    if (slot === undefined) return this.#enqueue(LinkCommand.relay, circuitId, packet.bytes)
    if (!slot.keys.sealCell(packet, circuitId)) return this.#unsent()
    this.#host.send(packet.bytes, this.#endpoint, this.initiator)
    if (slot.keys.sent === this.#host.limits.rekeyAfterPackets) this.#reschedule()
    return true
  }

  /** Sends a message of up to 1404 bytes. False when it was dropped. @throws RangeError when it is longer. */
  sendMessage(command: CircuitCommand, circuitId: number, content: Uint8Array): boolean {
    if (command === LinkCommand.create) this.#expectAnswer()
    return this.#sendMessage(command, circuitId, content)
  }

  /** What is on it fell silent: asks the other side for a sign, and without one soon begins a new handshake. */
  check(): void {
    if (this.#state !== 'up') return
    this.#expectAnswer()
    this.#sendPing(this.#host.monotonic())
  }

  /** Asks the other side for a pong with these 8 bytes. False when it was dropped. */
  ping(token: Uint8Array): boolean {
    return this.#sendMessage(LinkCommand.ping, 0, token)
  }

  close(reason: LinkDownReason = 'closed'): void {
    if (this.#state === 'down') return
    const wasUp = this.#state === 'up'
    this.#state = 'down'
    this.#keys.wipe()
    this.#attempts.wipe()
    this.#backlog.take()
    this.#due = Infinity
    this.#host.onDown(this, reason, wasUp)
  }

  /** A packet with an index of this link. */
  receive(slot: KeySlot<Link>, packet: Packet, from: Endpoint): void {
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
    if (this.#keys.isAnswered(slot)) this.#confirm(slot)
    if (slot.keys.received >= this.#host.limits.rekeyAfterPackets) this.#reschedule()
    if (this.#isDown()) return
    if (from !== this.#endpoint && !this.initiator && slot.keys.received > newest) this.#askAt(from, now)
    const circuitId = packet.view.getUint32(CIRCUIT_ID_AT)
    const command = readCommand(packet.view.getUint32(COMMAND_AT))
    if (opened === 'message') this.#receiveMessage(command, circuitId, packet, from)
    else if (command === LinkCommand.relay && circuitId !== 0) this.#host.onCell(this, circuitId, packet)
    else counters.malformed++
  }

  /** The answer to one of this link's initiations. */
  established(initiation: LinkInitiation, keys: LinkKeys): void {
    const now = this.#host.monotonic()
    this.#endpoint = this.#attempts.answered(initiation) ?? this.#endpoint
    this.#receivedAt = now
    this.#keys.use(keys, now)
    this.#nowUp()
    if (this.#isDown()) return
    this.#sendPing(now)
    this.#reschedule()
  }

  /** The other side is under load, and answered an initiation by a cookie. */
  cookieCame(initiation: LinkInitiation, cookie: Uint8Array): void {
    this.#attempts.cookieCame(initiation, cookie, this.#host.monotonic())
    this.#reschedule()
  }

  /** Keys of an initiation that this side answered: good for receiving, and for sending once a packet under them came. */
  answered(keys: LinkKeys): KeySlot<Link> {
    const now = this.#host.monotonic()
    const slot = this.#keys.answer(keys, now)
    if (this.#state === 'connecting') this.#changedAt = now
    this.#reschedule()
    return slot
  }

  /** Forgets keys that no packet has confirmed. */
  giveUp(slot: KeySlot<Link>): void {
    if (this.#keys.isAnswered(slot) && this.#keys.giveUp(slot)) this.close('given up')
  }

  onTimeout(): void {
    const now = this.#host.monotonic()
    if (this.#expire(now)) return
    if (this.#answerDue <= now) this.#onSilence(now)
    if (this.#attempts.retryAt <= now) {
      if (this.#attempts.exhausted) {
        if (!this.#livesOn()) {
          this.close('no answer')
          return
        }
        this.#attempts.calm()
      }
      this.#attempts.retry(now)
      // Whether the other side is still there, and only too busy for handshakes.
      if (this.#attempts.urgent && this.#keys.current !== undefined) this.#sendPing(now)
    } else if (this.#rekeyAt() <= now) this.#attempts.start(now, false)
    if (this.#circuits > 0 && this.#pingDue() <= now && this.#state === 'up') this.#sendPing(now)
    this.#reschedule()
  }

  #expectAnswer(): void {
    if (this.#answerDue !== Infinity || this.#keys.current === undefined) return
    this.#answerDue = this.#host.monotonic() + timing.ANSWER_MS
    this.#reschedule()
  }

  /** There are keys to go on with, and something came under them since new ones were asked for. */
  #livesOn(): boolean {
    return this.#keys.current !== undefined && this.#receivedAt > this.#attempts.startedAt
  }

  /** Nothing answered: renews the keys, or leaves that to a link of this side's own. */
  #onSilence(now: number): void {
    this.#answerDue = Infinity
    if (!this.initiator) this.#isSilent = true
    else if (this.#attempts.retryAt === Infinity || !this.#attempts.urgent) this.#attempts.start(now, true)
  }

  /** Ends what is too old; true when that was the link itself. */
  #expire(now: number): boolean {
    const keyless = this.#keys.expire(now)
    this.#attempts.expire(now)
    const reason = keyless ? 'keys expired' : this.#endReason(now)
    if (reason !== undefined) this.close(reason)
    return reason !== undefined
  }

  #endReason(now: number): LinkDownReason | undefined {
    if (this.#endAt() > now) return undefined
    return this.#circuits === 0 ? 'idle' : 'silent'
  }

  /** When the link ends if nothing happens. A link that is being made ends with its handshakes. */
  #endAt(): number {
    if (this.#state === 'connecting' && !this.initiator) return this.#changedAt + timing.UNCONFIRMED_MS
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
    const { current } = this.#keys
    if (!this.initiator || this.#attempts.retryAt !== Infinity || current === undefined) return Infinity
    const { keys, createdAt } = current
    const usedUp = Math.max(keys.sent, keys.received) >= this.#host.limits.rekeyAfterPackets
    return usedUp ? 0 : createdAt + (this.#paths.renewAfterMs?.(this.#endpoint) ?? timing.REKEY_AFTER_MS)
  }

  #reschedule(): void {
    if (this.#state === 'down') return
    let due = Math.min(this.#endAt(), this.#rekeyAt(), this.#answerDue)
    due = Math.min(due, this.#attempts.retryAt, this.#attempts.expiresAt(), this.#keys.expiresAt())
    if (this.#circuits > 0 && this.#state === 'up') due = Math.min(due, this.#pingDue())
    this.#due = due
    this.#host.schedule(due)
  }

  #confirm(slot: KeySlot<Link>): void {
    this.#keys.confirm(slot)
    this.#nowUp()
    this.#reschedule()
  }

  /** There are keys to send under: the first of them let out what waited. */
  #nowUp(): void {
    if (this.#state !== 'connecting') return
    this.#state = 'up'
    this.#host.onUp(this)
    for (const { packet, command, circuitId } of this.#backlog.take())
      if (command === LinkCommand.relay) this.sendCell(circuitId, packet)
      else this.#sendMessage(command, circuitId, packet.body)
  }

  /** Callbacks may have closed the link meanwhile. */
  #isDown(): boolean {
    return this.#state === 'down'
  }

  /** A packet came from elsewhere. */
  #askAt(endpoint: Endpoint, now: number): void {
    if (isSameEndpoint(endpoint, this.#endpoint)) return
    const token = this.#address.ask(endpoint, now)
    if (token !== undefined) this.#sendMessage(LinkCommand.ping, 0, token, endpoint)
  }

  #move(to: Endpoint): void {
    const from = this.#endpoint
    this.#endpoint = to
    this.#host.moved(this, from)
  }

  #receiveMessage(command: number | undefined, circuitId: number, { content }: Packet, from: Endpoint): void {
    if (command === undefined || command === LinkCommand.relay || isAboutLink(command) !== (circuitId === 0))
      this.#host.counters.malformed++
    else if (command === LinkCommand.ping) this.#sendMessage(LinkCommand.pong, 0, content.subarray(0, PING_BYTES))
    else if (command === LinkCommand.pong) {
      const moved = this.#address.answered(content, from)
      if (moved !== undefined) this.#move(moved)
      this.onPong?.(content.slice(0, PING_BYTES))
    } else this.#host.onMessage(this, command as CircuitCommand, circuitId, content)
  }

  /** For the answer's sake: a sign of life, or the first packet under new keys. */
  #sendPing(now: number): void {
    this.#pingAt = now
    this.#sendMessage(LinkCommand.ping, 0, this.#host.random.bytes(PING_BYTES))
  }

  #sendMessage(command: number, circuitId: number, content: Uint8Array, to = this.#endpoint): boolean {
    const slot = this.#keys.current
    if (slot === undefined) return this.#enqueue(command, circuitId, content)
    const { scratch } = this.#host
    scratch.content.fill(0)
    scratch.content.set(content)
    if (!slot.keys.sealMessage(scratch, command, circuitId)) return this.#unsent()
    this.#host.send(scratch.bytes, to, this.initiator)
    if (slot.keys.sent === this.#host.limits.rekeyAfterPackets) this.#reschedule()
    return true
  }

  /** Keeps a packet until the link is up. @param bytes as {@link SendBacklog.add} takes them. */
  #enqueue(command: number, circuitId: number, bytes: Uint8Array): boolean {
    return (this.#state === 'connecting' && this.#backlog.add(command, circuitId, bytes)) || this.#unsent()
  }

  #unsent(): boolean {
    this.#host.counters.unsent++
    return false
  }
}
