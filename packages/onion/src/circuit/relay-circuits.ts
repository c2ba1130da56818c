import { type Clock, equalBytes, type Random } from '@weft/core'
import { sha256 } from '@weft/crypto'
import { type Packet } from '../packet/packet.ts'
import { MAX_HOPS } from '../packet/sizes.ts'
import { type CircuitLimits, DEFAULT_CIRCUIT_LIMITS } from './circuit-limits.ts'
import { type CircuitLink, LinkCommand, type LinkMessageCommand } from './circuit-link.ts'
import { CircuitTable } from './circuit-table.ts'
import { readControl } from './control.ts'
import { type ExitCircuit, RelayExitCircuit } from './exit-circuit.ts'
import { readCreate, readCreated, readDestroy, writeCreate, writeCreated, writeDestroy } from './link-content.ts'
import { Padding } from './padding.ts'
import { CircuitPurpose } from './purpose.ts'
import { CircuitReason } from './reasons.ts'
import { RelayCircuit } from './relay-circuit.ts'
import { type CircuitDrops, newRelayShared, type RelayShared } from './relay-shared.ts'
import { SeenClientKeys } from './seen-client-keys.ts'
import { answerHandshake, type OnionKeyPair } from './server-handshake.ts'
import { UnknownCircuits } from './unknown-circuits.ts'
import { TokenBucket } from '../token-bucket.ts'

/** Bit 31 of a circuit id: picked by the link's initiator. */
const INITIATOR_BIT = 2 ** 31
const NODE_ID_BYTES = 32
/** Part of the free circuits that one client's link may have: many links together then never have them all. */
const CLIENT_SHARE = 1 / 128
/** Idle circuits are looked for at most this often, ms. */
const SWEEP_MS = 1000

export interface RelayCircuitsOptions {
  /** Node key of this node, by which handshakes and `extend` name it. */
  readonly id: Uint8Array
  readonly networkId: string
  /** The onion keys in use now, newest first. */
  readonly onionKeys: () => readonly OnionKeyPair[]
  readonly roles: { readonly entry: boolean; readonly relay: boolean; readonly exit: boolean }
  readonly clock: Pick<Clock, 'monotonic'>
  readonly random: Random
  readonly limits?: Partial<CircuitLimits>
  /** The link to a member that the map names with the role, made when needed; undefined when there is none. */
  readonly nextHop: (id: Uint8Array, role: 'relay' | 'exit') => CircuitLink | undefined
  /** The node that a link key belongs to; undefined for a client. */
  readonly isMember: (peerKey: Uint8Array) => Uint8Array | undefined
  /** Takes the circuits that end here; false refuses one for want of room. */
  readonly exit?: { accept(circuit: ExitCircuit): boolean }
}

/** A circuit as `status` shows it. */
export interface RelayCircuitStatus {
  readonly depth: number
  readonly purpose: 'hop' | 'session'
  /** Node before; undefined for a client. */
  readonly previous: Uint8Array | undefined
  /** Link key of the node behind; undefined when there is none. */
  readonly nextPeer: Uint8Array | undefined
  readonly idleMs: number
  /** Units passed on towards the exit and towards the client. */
  readonly forwarded: number
  readonly returned: number
}

interface CircuitEnd {
  readonly circuit: RelayCircuit
  readonly towardsClient: boolean
}

/**
 * All circuits that pass through a node, or end at it (docs/specs/packets.md, Circuit): answers `create`, extends, passes
 * units on in both directions and forgets what is idle. Sans-I/O: links and time are handed in, and `onTimeout` is called
 * at `nextTimeout`. Never throws for what came from the wire.
 */
export class RelayCircuits {
  readonly #options: RelayCircuitsOptions
  readonly #limits: CircuitLimits
  readonly #shared: RelayShared
  readonly #table = new CircuitTable<CircuitEnd>()
  readonly #circuits = new Set<RelayCircuit>()
  /** Circuits whose extension waits for the next hop, oldest first. */
  readonly #waiting = new Set<RelayCircuit>()
  readonly #seen: SeenClientKeys
  readonly #unknown: UnknownCircuits
  /** Of links from clients: the handshakes that they may still ask for. */
  readonly #creates = new WeakMap<CircuitLink, TokenBucket>()
  #sweepAt: number | undefined
  #closed = false

  constructor(options: RelayCircuitsOptions) {
    this.#options = options
    this.#limits = { ...DEFAULT_CIRCUIT_LIMITS, ...options.limits }
    this.#shared = newRelayShared(options.clock, new Padding(options.random))
    this.#seen = new SeenClientKeys(this.#limits.seenClientKeys)
    this.#unknown = new UnknownCircuits(options.clock, this.#limits.unknownPerSecond)
  }

  /** What was dropped since the start. */
  get drops(): Readonly<CircuitDrops> {
    return this.#shared.drops
  }

  circuits(): RelayCircuitStatus[] {
    const now = this.#options.clock.monotonic()
    return Array.from(this.#circuits, (circuit) => ({
      depth: circuit.depth,
      purpose: circuit.purpose === CircuitPurpose.session ? 'session' : 'hop',
      previous: this.#options.isMember(circuit.previous.peerKey),
      nextPeer: circuit.next?.link.peerKey,
      idleMs: now - circuit.lastOpenedMs,
      forwarded: circuit.forwarded,
      returned: circuit.returned,
    }))
  }

  /** A cell of a link. `packet` is read, and its padding may be written over. */
  onCell(link: CircuitLink, circuitId: number, packet: Packet): void {
    const end = this.#table.get(link, circuitId)
    if (end === undefined) {
      this.#unknown.answer(link, circuitId)
      return
    }
    if (!end.towardsClient) {
      end.circuit.onBackward(packet)
      return
    }
    const control = end.circuit.onForward(packet)
    if (control !== undefined) this.#onControl(end.circuit, control)
  }

  /** A link message about a circuit. */
  onMessage(link: CircuitLink, command: LinkMessageCommand, circuitId: number, content: Uint8Array): void {
    switch (command) {
      case LinkCommand.create:
        this.#onCreate(link, circuitId, content)
        break
      case LinkCommand.created:
        this.#onCreated(link, circuitId, content)
        break
      case LinkCommand.destroy:
        this.#onDestroy(link, circuitId, readDestroy(content))
        break
    }
  }

  /** The link is gone, and all circuits on it. */
  onLinkDown(link: CircuitLink): void {
    for (const { circuit, towardsClient } of this.#table.of(link)) {
      if (towardsClient) this.#end(circuit, CircuitReason.linkLost, 'next')
      else this.#onNextGone(circuit, CircuitReason.linkLost, CircuitReason.nextHopNotReached)
    }
  }

  /** When `onTimeout` is due, monotonic ms; undefined while there is no circuit. */
  nextTimeout(): number | undefined {
    return this.#sweepAt
  }

  /** Drops idle circuits. */
  onTimeout(): void {
    const now = this.#options.clock.monotonic()
    if (this.#sweepAt === undefined || now < this.#sweepAt) return
    let oldest = now
    for (const circuit of this.#circuits) {
      if (now - circuit.lastOpenedMs >= this.#limits.idleMs) this.#end(circuit, CircuitReason.idle, 'both')
      else oldest = Math.min(oldest, circuit.lastOpenedMs)
    }
    this.#seen.keepOnly(this.#options.onionKeys())
    this.#sweepAt = this.#circuits.size === 0 ? undefined : Math.max(oldest + this.#limits.idleMs, now + SWEEP_MS)
  }

  /** Ends all circuits, telling both sides; later `create`s are refused. */
  close(): void {
    this.#closed = true
    for (const circuit of this.#circuits) this.#end(circuit, CircuitReason.stopping, 'both')
    this.#sweepAt = undefined
  }

  #onCreate(link: CircuitLink, circuitId: number, content: Uint8Array): void {
    const create = readCreate(content)
    // An id that only this side may pick would let the neighbour reach into a circuit that leads to it.
    const theirs = circuitId >= INITIATOR_BIT !== link.initiator
    if (create === undefined || create.depth >= MAX_HOPS || circuitId === 0 || !theirs) {
      this.#refuse(link, circuitId, CircuitReason.malformed)
      return
    }
    const createHash = sha256(content.subarray(0, 1), create.message)
    const existing = this.#table.get(link, circuitId)?.circuit
    if (existing !== undefined) {
      if (!equalBytes(existing.createHash, createHash)) this.#end(existing, CircuitReason.malformed, 'both')
      else if (existing.answer !== undefined) this.#sendCreated(existing, existing.answer)
      return
    }
    const refusal = this.#refusal(link, create.depth)
    if (refusal !== undefined) {
      this.#refuse(link, circuitId, refusal)
      return
    }
    const { id, networkId, random, onionKeys } = this.#options
    const handshake = answerHandshake(create.message, {
      networkId,
      nodeId: id,
      onionKeys: onionKeys(),
      depth: create.depth,
      seen: this.#seen,
      random,
    })
    if (typeof handshake === 'number') {
      this.#refuse(link, circuitId, handshake)
      return
    }
    const circuit = new RelayCircuit({
      ...handshake,
      shared: this.#shared,
      previous: link,
      previousId: circuitId,
      depth: create.depth,
      createHash,
    })
    const refused = this.#take(circuit)
    if (refused !== undefined) {
      circuit.wipe()
      this.#refuse(link, circuitId, refused)
      return
    }
    this.#circuits.add(circuit)
    this.#table.add(link, circuitId, { circuit, towardsClient: true })
    this.#sweepAt ??= circuit.lastOpenedMs + this.#limits.idleMs
    this.#sendCreated(circuit, handshake.answer)
  }

  /** What stands against a new circuit before its handshake is looked at. */
  #refusal(link: CircuitLink, depth: number): number | undefined {
    const { roles, isMember } = this.#options
    if (this.#closed) return CircuitReason.stopping
    const member = isMember(link.peerKey) !== undefined
    const { circuits, perClientLink, perMemberLink } = this.#limits
    const free = circuits - this.#circuits.size
    const most = member ? perMemberLink : Math.min(perClientLink, Math.ceil(free * CLIENT_SHARE))
    if (free <= 0 || link.circuits >= most || (!member && !this.#mayCreate(link))) return CircuitReason.tooManyCircuits
    // Behind the entry only members ask, so that nobody uses a relay as an entry.
    const possible = depth === 0 ? roles.entry : member && (roles.relay || roles.exit)
    return possible ? undefined : CircuitReason.noRole
  }

  /** A handshake takes a hundred times as long as a packet: no client may keep the node busy with them. */
  #mayCreate(link: CircuitLink): boolean {
    const now = this.#options.clock.monotonic()
    let bucket = this.#creates.get(link)
    if (bucket === undefined) {
      const { createsPerSecond, perClientLink } = this.#limits
      bucket = new TokenBucket(createsPerSecond, perClientLink, now)
      this.#creates.set(link, bucket)
    }
    return bucket.take(now)
  }

  /** Checks the role that the client asks for, which its handshake alone tells, and hands a session's circuit over. */
  #take(circuit: RelayCircuit): number | undefined {
    const { roles, exit } = this.#options
    if (circuit.purpose === CircuitPurpose.hop)
      return circuit.depth === 0 || roles.relay ? undefined : CircuitReason.noRole
    if (circuit.depth === 0 || !roles.exit || exit === undefined) return CircuitReason.noRole
    circuit.exit = new RelayExitCircuit(circuit, (reason) => this.#end(circuit, reason, 'previous'))
    return exit.accept(circuit.exit) && circuit.exit.open ? undefined : CircuitReason.tooManyCircuits
  }

  #sendCreated(circuit: RelayCircuit, answer: Uint8Array): void {
    const { content } = this.#shared
    circuit.previous.sendMessage(LinkCommand.created, circuit.previousId, writeCreated(content, answer))
  }

  #onControl(circuit: RelayCircuit, content: Uint8Array): void {
    const control = readControl(content)
    if (control?.kind === 'extend') this.#onExtend(circuit, control.message)
    else if (control?.kind === 'ping') circuit.sendControl({ kind: 'pong', token: control.token })
    // Only the client could have made it, and it does not speak as agreed.
    else this.#end(circuit, CircuitReason.malformed, 'both')
  }

  #onExtend(circuit: RelayCircuit, message: Uint8Array): void {
    const hash = sha256(message)
    const before = circuit.extension
    if (before !== undefined) {
      if (!equalBytes(before.hash, hash)) circuit.sendControl({ kind: 'failed', reason: CircuitReason.malformed })
      else if (before.state === 'waiting') {
        this.#leaveSilentLink(circuit, message)
        this.#sendCreate(circuit, before.message)
      } else if (before.state === 'failed') circuit.sendControl({ kind: 'failed', reason: before.reason })
      else if (before.answer !== undefined) circuit.sendControl({ kind: 'extended', message: before.answer })
      return
    }
    const next = this.#chooseNext(circuit, message)
    if (typeof next === 'number') {
      circuit.extension = { state: 'failed', hash, reason: next }
      circuit.sendControl({ kind: 'failed', reason: next })
      return
    }
    const copy = message.slice()
    circuit.extension = { state: 'waiting', hash, message: copy }
    circuit.next = { link: next, circuitId: this.#table.addNew(next, { circuit, towardsClient: false }) }
    this.#waiting.add(circuit)
    if (this.#waiting.size > this.#limits.waiting) {
      const [oldest] = this.#waiting
      if (oldest !== undefined) this.#giveUp(oldest)
    }
    this.#sendCreate(circuit, copy)
  }

  #chooseNext(circuit: RelayCircuit, message: Uint8Array): CircuitLink | number {
    const { id, isMember, nextHop } = this.#options
    const wanted = message.slice(0, NODE_ID_BYTES)
    if (circuit.purpose !== CircuitPurpose.hop || circuit.depth + 1 >= MAX_HOPS || wanted.length < NODE_ID_BYTES)
      return CircuitReason.malformed
    const previous = isMember(circuit.previous.peerKey)
    if (equalBytes(wanted, id) || (previous !== undefined && equalBytes(wanted, previous)))
      return CircuitReason.malformed
    // Which of the two it is to be stands in the handshake, which only the next hop can read; it checks.
    const link = nextHop(wanted, 'relay') ?? nextHop(wanted, 'exit')
    if (link === undefined) return CircuitReason.unknownNextHop
    return link.circuits >= this.#limits.perMemberLink ? CircuitReason.tooManyCircuits : link
  }

  /** The client asks again, and the link to the next hop has been silent: another one may reach it. */
  #leaveSilentLink(circuit: RelayCircuit, message: Uint8Array): void {
    if (circuit.next?.link.isSilent !== true) return
    const link = this.#chooseNext(circuit, message)
    if (typeof link === 'number' || link === circuit.next.link) return
    this.#table.remove(circuit.next.link, circuit.next.circuitId)
    circuit.next = { link, circuitId: this.#table.addNew(link, { circuit, towardsClient: false }) }
  }

  #sendCreate(circuit: RelayCircuit, message: Uint8Array): void {
    const { next } = circuit
    if (next === undefined) return
    const content = writeCreate(this.#shared.content, circuit.depth + 1, message)
    // A link in the making may have no room now: the client asks again. One that never comes up says so itself.
    next.link.sendMessage(LinkCommand.create, next.circuitId, content)
  }

  #onCreated(link: CircuitLink, circuitId: number, content: Uint8Array): void {
    const end = this.#table.get(link, circuitId)
    if (end === undefined) {
      this.#unknown.answer(link, circuitId)
      return
    }
    const { circuit, towardsClient } = end
    const { extension } = circuit
    if (towardsClient || extension?.state !== 'waiting') return // an answer that came twice
    const answer = readCreated(content)?.slice()
    if (answer === undefined) {
      this.#giveUp(circuit)
      return
    }
    this.#waiting.delete(circuit)
    circuit.extension = { state: 'made', hash: extension.hash, answer }
    circuit.sendControl({ kind: 'extended', message: answer })
  }

  #onDestroy(link: CircuitLink, circuitId: number, reason: number): void {
    const end = this.#table.get(link, circuitId)
    if (end === undefined) return // never answered: two nodes would go on for ever
    if (end.towardsClient) this.#end(end.circuit, reason, 'next')
    else this.#onNextGone(end.circuit, reason, reason)
  }

  /** The extension got no answer that could be used. */
  #giveUp(circuit: RelayCircuit): void {
    if (circuit.next !== undefined) this.#refuse(circuit.next.link, circuit.next.circuitId, CircuitReason.none)
    this.#onNextGone(circuit, CircuitReason.nextHopNotReached, CircuitReason.nextHopNotReached)
  }

  /** The next hop is gone: tells the client, by `ended` when the hop had been there, by `failed` when it never was. */
  #onNextGone(circuit: RelayCircuit, endedReason: number, failedReason: number): void {
    this.#detachNext(circuit)
    const { extension } = circuit
    if (extension === undefined) return
    if (extension.state === 'waiting') {
      circuit.extension = { state: 'failed', hash: extension.hash, reason: failedReason }
      circuit.sendControl({ kind: 'failed', reason: failedReason })
    } else if (extension.state === 'made') {
      circuit.extension = { state: 'failed', hash: extension.hash, reason: endedReason }
      circuit.sendControl({ kind: 'ended', reason: endedReason })
    }
  }

  #detachNext(circuit: RelayCircuit): void {
    this.#waiting.delete(circuit)
    if (circuit.next === undefined) return
    this.#table.remove(circuit.next.link, circuit.next.circuitId)
    circuit.next = undefined
  }

  /** Forgets a circuit and its keys and says so to the neighbours named. */
  #end(circuit: RelayCircuit, reason: number, tell: 'previous' | 'next' | 'both'): void {
    if (!this.#circuits.delete(circuit)) return
    const { next } = circuit
    this.#table.remove(circuit.previous, circuit.previousId)
    this.#detachNext(circuit)
    circuit.wipe()
    if (tell !== 'next') this.#refuse(circuit.previous, circuit.previousId, reason)
    // Towards the exit without the reason: eight bits of one hop's choice would be a mark for a hop further on.
    if (tell !== 'previous' && next !== undefined) this.#refuse(next.link, next.circuitId, CircuitReason.none)
    circuit.exit?.ended(reason)
  }

  #refuse(link: CircuitLink, circuitId: number, reason: number): void {
    link.sendMessage(LinkCommand.destroy, circuitId, writeDestroy(this.#shared.content, reason))
  }
}
