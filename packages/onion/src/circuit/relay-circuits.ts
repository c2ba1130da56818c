import { type Clock, equalBytes, type Random } from '@weft/core'
import { sha256, type X25519KeyPair } from '@weft/crypto'
import { type CircuitCommand, LinkCommand } from '../link/link-command.ts'
import { Packet } from '../packet/packet.ts'
import { MAX_HOPS } from '../packet/sizes.ts'
import { CHACHA_ONLY, type Suites } from '../packet/suite.ts'
import { CircuitAdmission } from './circuit-admission.ts'
import { type CircuitEnd } from './circuit-end.ts'
import { type CircuitLimits, DEFAULT_CIRCUIT_LIMITS } from './circuit-limits.ts'
import { type CircuitLink } from './circuit-link.ts'
import { CircuitTable } from './circuit-table.ts'
import { CreateQueue } from './create-queue.ts'
import { readControl } from './control.ts'
import { EarlyGate } from './early-gate.ts'
import { type ExitCircuit, RelayExitCircuit } from './exit-circuit.ts'
import { isEarlyUnit } from './layer.ts'
import { readCreate, readDestroy, writeCreated, writeDestroy } from './link-content.ts'
import type { CellAllowance } from '../queue/cell-bucket.ts'
import { CellQueue } from '../queue/cell-queue.ts'
import { Padding } from './padding.ts'
import { CircuitPurpose } from './purpose.ts'
import { CircuitReason } from './reasons.ts'
import { type CircuitWay, RelayCircuit } from './relay-circuit.ts'
import { RelayExtensions } from './relay-extensions.ts'
import { type PaddingCosts, RelayTiers } from './relay-tiers.ts'
import { type CircuitDrops, newCircuitDrops, newRelayShared, type RelayShared } from './relay-shared.ts'
import { type ClientKeyMemory, SeenClientKeys } from './seen-client-keys.ts'
import { answerHandshake } from './server-handshake.ts'
import { HopAccount, type ReceiptTill } from '../receipts/hop-account.ts'
import { UnknownCircuits } from './unknown-circuits.ts'
import type { WaitingCreate } from './waiting-create.ts'

/** Bit 31 of a circuit id: picked by the link's initiator. */
const INITIATOR_BIT = 2 ** 31
/** Circuits that ended and are counted among the next traffic at most. */
const MAX_ENDED = 4096
/** Idle circuits are looked for at most this often, ms. */
const SWEEP_MS = 1000

export interface RelayCircuitsOptions {
  /** Node key of this node, by which handshakes and `extend` name it. */
  readonly id: Uint8Array
  readonly networkId: string
  /** The onion keys in use now, newest first. */
  readonly onionKeys: () => readonly X25519KeyPair[]
  readonly roles: { readonly entry: boolean; readonly relay: boolean; readonly exit: boolean }
  readonly clock: Pick<Clock, 'now' | 'monotonic'>
  readonly random: Random
  readonly limits?: Partial<CircuitLimits>
  /** What this machine computes; ChaCha20-Poly1305 alone when left out. */
  readonly suites?: Suites
  /** The link to a member that the map names with the role, made when needed; undefined when there is none. */
  readonly nextHop: (id: Uint8Array, role: 'relay' | 'exit') => CircuitLink | undefined
  /** The node that a link key belongs to; undefined for a client. */
  readonly isMember: (peerKey: Uint8Array) => Uint8Array | undefined
  /** What it may carry; as much as it can when left out. */
  readonly allowance?: CellAllowance
  /** Where handshakes are remembered; in this object when left out. */
  readonly seen?: ClientKeyMemory
  /** Nobody can have used the onion keys before: early keys are taken from the start. */
  readonly isFirstUse?: boolean
  /** Cells wait, and `serve` is wanted in the next turn. */
  readonly onWaiting?: () => void
  /** What it does for the tiers of circuits; all of it, and 4,000 padding cells a second, when left out. */
  readonly padding?: Partial<PaddingCosts>
  /** `nextTimeout` became earlier by what a circuit carried: of circuits with a tier. */
  readonly onSooner?: () => void
  /** Where the pay for circuits goes; nothing is to be paid when left out. */
  readonly till?: ReceiptTill
  /** Takes the circuits that end here; false refuses one for want of room. */
  readonly exit?: { accept(circuit: ExitCircuit): boolean }
}

/** What the circuits of a node moved in a while. */
export interface RelayTraffic {
  /** Cells of each that moved any, either way. */
  readonly cells: readonly number[]
  /** Handshakes answered. */
  readonly handshakes: number
}

/**
 * All circuits that pass through a node, or end at it (docs/specs/packets.md, Circuit): answers `create`, extends, passes
 * units on in both directions and forgets what is idle. Sans-I/O: links and time are handed in, `onTimeout` is called
 * at `nextTimeout`, and `work` once a turn while something waits. Never throws for what came from the wire.
 */
export class RelayCircuits {
  readonly #options: RelayCircuitsOptions
  readonly #limits: CircuitLimits
  readonly #shared: RelayShared
  readonly #drops = newCircuitDrops()
  readonly #queue: CellQueue<CircuitWay>
  readonly #table = new CircuitTable<CircuitEnd>()
  readonly #circuits = new Set<RelayCircuit>()
  readonly #extensions: RelayExtensions
  readonly #tiers: RelayTiers
  readonly #admission: CircuitAdmission
  readonly #seen: ClientKeyMemory
  readonly #gate: EarlyGate
  readonly #unknown: UnknownCircuits
  readonly #creates: CreateQueue
  /** Holds a cell that waited with its create. */
  readonly #early = new Packet()
  #sweepAt: number | undefined
  /** Since {@link traffic} was last asked: handshakes, and cells of circuits that ended. */
  #handshakes = 0
  #ended: number[] = []
  #closed = false

  constructor(options: RelayCircuitsOptions) {
    const { id, roles, clock, nextHop, isMember } = options
    const limits = { ...DEFAULT_CIRCUIT_LIMITS, ...options.limits }
    const padding = new Padding(options.random)
    this.#options = options
    this.#limits = limits
    this.#queue = this.#makeQueue()
    this.#shared = newRelayShared({
      clock,
      padding,
      suites: options.suites ?? CHACHA_ONLY,
      drops: this.#drops,
    })
    this.#extensions = new RelayExtensions({ id, limits, shared: this.#shared, table: this.#table, nextHop, isMember })
    this.#tiers = new RelayTiers({
      clock,
      random: padding,
      queue: this.#queue,
      costs: options.padding,
      onSooner: options.onSooner,
      pass: (circuit, towardsClient, packet) => {
        if (towardsClient && circuit.isOwn) circuit.passOwn(packet)
        else this.#passOrWait(circuit, towardsClient, packet)
      },
    })
    this.#admission = new CircuitAdmission({ roles, clock, limits, table: this.#table, isMember })
    this.#seen = options.seen ?? new SeenClientKeys(limits.seenClientKeys)
    this.#gate = new EarlyGate(clock, this.#seen, options.isFirstUse ?? false)
    this.#unknown = new UnknownCircuits(clock, limits.unknownPerSecond)
    this.#creates = new CreateQueue(limits.waitingCreates)
  }

  /** What was dropped since the start. */
  get drops(): Readonly<CircuitDrops> {
    return this.#drops
  }

  /** Cells of circuits that links took, towards the exit and towards the client, since the start. */
  get forwarded(): number {
    return this.#shared.forwarded
  }

  /** What was moved since this was asked last. */
  traffic(): RelayTraffic {
    const cells = this.#ended
    const handshakes = this.#handshakes
    this.#ended = []
    this.#handshakes = 0
    for (const circuit of this.#circuits) {
      if (circuit.moved > 0) cells.push(circuit.moved)
      circuit.moved = 0
    }
    return { cells, handshakes }
  }

  /** Where cells wait that cannot go on at once: to be told of each batch, and to be served when `onWaiting` says so. */
  get queue(): Pick<CellQueue<CircuitWay>, 'begin' | 'serve' | 'hold' | 'size' | 'served' | 'peers'> {
    return this.#queue
  }

  /** Part of the places that are taken: of circuits, or of creates that wait, where that is more. */
  get fill(): number {
    return Math.max(this.size / this.#limits.circuits, this.waiting / this.#limits.waitingCreates)
  }

  /** Padding cells that it sent, and cells that wait for a tier's delay. For the operator alone: no client is told. */
  get shaping(): Pick<RelayTiers, 'padding' | 'held'> {
    return this.#tiers
  }

  /** Creates that wait for their handshake. */
  get waiting(): number {
    return this.#creates.size
  }

  /**
   * Answers some of the creates that wait: a handshake takes a hundred times as long as a packet, so that packets have their
   * turn between. True when more wait.
   */
  work(): boolean {
    for (let done = 0; done < this.#limits.handshakesPerTurn; done++) {
      const create = this.#creates.take()
      if (create === undefined) return false
      this.#answer(create)
    }
    return this.waiting > 0
  }

  /** Circuits now. */
  get size(): number {
    return this.#circuits.size
  }

  /** A cell of a link. `packet` is read, and its padding may be written over. */
  onCell(link: CircuitLink, circuitId: number, packet: Packet): void {
    const end = this.#table.get(link, circuitId)
    if (end === undefined) {
      if (this.#creates.keepCell(link, circuitId, packet.body)) return
      // An early unit may come without its create, when that was lost or overtaken: the client sends both again.
      if (!isEarlyUnit(packet)) this.#unknown.answer(link, circuitId)
      return
    }
    // What comes from the client's side goes towards the exit.
    const towardsClient = !end.towardsClient
    if (end.circuit.shaper?.hold(towardsClient, packet.body) === true) return
    this.#passOrWait(end.circuit, towardsClient, packet)
  }

  #passOrWait(circuit: RelayCircuit, towardsClient: boolean, packet: Packet): void {
    if (this.#queue.mayPass()) this.#pass(circuit, towardsClient, packet)
    else circuit.wait(towardsClient, packet)
  }

  #pass(circuit: RelayCircuit, towardsClient: boolean, packet: Packet): void {
    if (towardsClient) {
      circuit.onBackward(packet)
      return
    }
    const control = circuit.onForward(packet)
    if (control !== undefined) this.#onControl(circuit, control)
    // What a client sends goes on for as long as something comes: acknowledgements of a download, at least.
    if (circuit.account?.isOverdue(circuit.lastOpenedMs) === true) this.#end(circuit, CircuitReason.unpaid, 'both')
  }

  #makeQueue(): CellQueue<CircuitWay> {
    const { clock, allowance, onWaiting } = this.#options
    return new CellQueue<CircuitWay>({
      clock,
      drops: this.#drops,
      ...(allowance === undefined ? {} : { allowance }),
      pass: ({ circuit, towardsClient }, packet) => {
        if (towardsClient && circuit.isOwn) circuit.sendSealed(packet)
        else this.#pass(circuit, towardsClient, packet)
      },
      onRoom: ({ circuit }) => circuit.exit?.onRoom?.(),
      onWaiting: onWaiting ?? (() => {}),
    })
  }

  /** A link message about a circuit. */
  onMessage(link: CircuitLink, command: CircuitCommand, circuitId: number, content: Uint8Array): void {
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
    this.#creates.drop(link)
    for (const { circuit, towardsClient } of this.#table.of(link)) {
      if (towardsClient) this.#end(circuit, CircuitReason.linkLost, 'next')
      else this.#extensions.lost(circuit, CircuitReason.linkLost, CircuitReason.nextHopNotReached)
    }
  }

  /** When `onTimeout` is due, monotonic ms; undefined while there is no circuit. */
  nextTimeout(): number | undefined {
    if (this.#sweepAt === undefined) return undefined
    return Math.min(this.#sweepAt, this.#queue.nextTimeout() ?? Infinity, this.#tiers.nextTimeout() ?? Infinity)
  }

  /** Drops idle circuits, passes on what the operator's limit or a tier's delay held back, and pads. */
  onTimeout(): void {
    this.#tiers.onTimeout()
    if (this.#queue.nextTimeout() !== undefined) this.#queue.serve()
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
    for (let create = this.#creates.take(); create !== undefined; create = this.#creates.take())
      this.#refuse(create.link, create.circuitId, CircuitReason.stopping)
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
    const hash = sha256(content.subarray(0, 1), create.message)
    const waiting = this.#creates.get(link, circuitId)
    if (waiting !== undefined) {
      if (equalBytes(waiting.hash, hash)) return
      this.#creates.remove(link, circuitId)
      this.#refuse(link, circuitId, CircuitReason.malformed)
      return
    }
    const existing = this.#table.get(link, circuitId)?.circuit
    if (existing !== undefined) {
      if (!equalBytes(existing.createHash, hash)) this.#end(existing, CircuitReason.malformed, 'both')
      else if (existing.answer !== undefined) this.#sendCreated(existing, existing.answer)
      return
    }
    const refusal = this.#closed
      ? CircuitReason.stopping
      : this.#admission.refusal(link, create.depth, this.#circuits.size, this.#creates.of(link.peerName))
    if (refusal !== undefined) {
      this.#refuse(link, circuitId, refusal)
      return
    }
    const { depth } = create
    const isMember = this.#options.isMember(link.peerKey) !== undefined
    const tooMany = this.#creates.add({
      link,
      isMember,
      circuitId,
      depth,
      message: create.message.slice(),
      hash,
      early: [],
    })
    if (tooMany !== undefined) this.#refuse(tooMany.link, tooMany.circuitId, CircuitReason.tooManyCircuits)
  }

  #answer({ link, circuitId, depth, message, hash, early }: WaitingCreate): void {
    if (!this.#admission.hasRoom(link, this.#circuits.size)) {
      this.#refuse(link, circuitId, CircuitReason.tooManyCircuits)
      return
    }
    this.#handshakes++
    const { id, networkId, random, onionKeys } = this.#options
    const handshake = answerHandshake(message, {
      networkId,
      nodeId: id,
      onionKeys: onionKeys(),
      depth,
      suites: this.#shared.suites,
      seen: this.#seen,
      gate: this.#gate,
      random,
    })
    if (typeof handshake === 'number') {
      this.#refuse(link, circuitId, handshake)
      return
    }
    const { till, clock } = this.#options
    const circuit = new RelayCircuit({
      ...handshake,
      account: till && new HopAccount(till, link.peerName, clock.monotonic()),
      shared: this.#shared,
      queue: this.#queue,
      previous: link,
      previousId: circuitId,
      depth,
      createHash: hash,
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
    for (const body of early) {
      this.#early.body.set(body)
      this.onCell(link, circuitId, this.#early)
    }
  }

  /** Checks the role that the client asks for, and hands a session's circuit over. */
  #take(circuit: RelayCircuit): number | undefined {
    const refusal = this.#admission.roleRefusal(circuit)
    if (refusal !== undefined || circuit.purpose === CircuitPurpose.hop) return refusal
    const { exit } = this.#options
    if (exit === undefined) return CircuitReason.noRole
    circuit.exit = new RelayExitCircuit(circuit, (reason) => this.#end(circuit, reason, 'previous'))
    return exit.accept(circuit.exit) && circuit.exit.open ? undefined : CircuitReason.tooManyCircuits
  }

  #sendCreated(circuit: RelayCircuit, answer: Uint8Array): void {
    const { content } = this.#shared
    circuit.previous.sendMessage(LinkCommand.created, circuit.previousId, writeCreated(content, answer))
  }

  #onControl(circuit: RelayCircuit, content: Uint8Array): void {
    const control = readControl(content)
    if (control?.kind === 'extend') this.#extensions.extend(circuit, control.message)
    else if (control?.kind === 'tier') this.#tiers.take(circuit, control.tier)
    else if (control?.kind === 'ping') circuit.sendControl({ kind: 'pong', token: control.token })
    else if (control?.kind === 'count') circuit.sendCounts(control.token)
    else if (control?.kind === 'pay') circuit.takePay(control)
    // Only the client could have made it, and it does not speak as agreed.
    else this.#end(circuit, CircuitReason.malformed, 'both')
  }

  #onCreated(link: CircuitLink, circuitId: number, content: Uint8Array): void {
    const end = this.#table.get(link, circuitId)
    if (end === undefined) this.#unknown.answer(link, circuitId)
    else if (!end.towardsClient) this.#extensions.created(end.circuit, content)
  }

  #onDestroy(link: CircuitLink, circuitId: number, reason: number): void {
    if (this.#creates.remove(link, circuitId)) return
    const end = this.#table.get(link, circuitId)
    if (end === undefined) return // never answered: two nodes would go on for ever
    if (end.towardsClient) this.#end(end.circuit, reason, 'next')
    else this.#extensions.lost(end.circuit, reason, reason)
  }

  /** Forgets a circuit and its keys and says so to the neighbours named. */
  #end(circuit: RelayCircuit, reason: number, tell: 'previous' | 'next' | 'both'): void {
    if (!this.#circuits.delete(circuit)) return
    const { next } = circuit
    this.#table.remove(circuit.previous, circuit.previousId)
    this.#extensions.detach(circuit)
    circuit.sendWaiting()
    if (circuit.moved > 0 && this.#ended.length < MAX_ENDED) this.#ended.push(circuit.moved)
    this.#tiers.forget(circuit)
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
