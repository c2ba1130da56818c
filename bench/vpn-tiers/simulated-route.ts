import {
  type CircuitLink,
  type ClientCircuit,
  ClientCircuits,
  type ExitCircuit,
  Packet,
  RelayCircuits,
  Session,
  type SessionStream,
  type Tier,
  generateX25519,
} from '@weft/onion'
import { toHex } from '@weft/core'
import type { Chance } from './chance.ts'
import { LegHealth } from '../../packages/vpn/src/health/leg-health.ts'
import { type Recording, newRecording } from './recorded-flow.ts'
import type { VirtualWorld } from './virtual-world.ts'

/** One way, ms, of the links of a route of three hops, the client's first; and between exit and target. */
const DELAYS = [8, 12, 12] as const
export const TARGET_MS = 6
/** Mean of what each packet is late besides, exponential; packets keep their order. */
const JITTER_MS = 0.3
/** Bytes a ms: the client's line, and the others. */
const CLIENT_RATE = 2_500
const RATE = 100_000
/** Bytes that wait in front of a link. */
const BUFFER = 250_000
const CELL = 1_440
/** Of a machine's timer, as in a node. */
const TIMER_MS = 1
const BUILD_MS = 2_000

/** A machine with timers: a client's circuits, or a node's. */
interface Timed {
  nextTimeout(): number | undefined
  onTimeout(): void
}

/** Calls a machine when it wants to be, to a whole ms. */
class Timer {
  readonly #world: VirtualWorld
  readonly #machine: Timed
  readonly #after: () => void
  #at = Infinity

  constructor(world: VirtualWorld, machine: Timed, after: () => void) {
    this.#world = world
    this.#machine = machine
    this.#after = after
  }

  arm(): void {
    const due = this.#machine.nextTimeout()
    if (due === undefined || due === Infinity) return
    const now = this.#world.monotonic()
    const at = now + Math.max(TIMER_MS, Math.ceil(due - now))
    if (at >= this.#at) return
    this.#at = at
    this.#world.at(at, () => {
      if (this.#at !== at) return
      this.#at = Infinity
      if ((this.#machine.nextTimeout() ?? Infinity) <= this.#world.monotonic()) this.#machine.onTimeout()
      this.#after()
      this.arm()
    })
  }
}

/** One side of a link: cells arrive at the other after delay, jitter and their place behind others. */
class PlayedLink implements CircuitLink {
  circuits = 0
  readonly isSilent = false
  readonly initiator: boolean
  readonly peerKey: Uint8Array
  readonly peerName: string
  readonly #route: SimulatedRoute
  readonly #delay: number
  readonly #rate: number
  #freeAt = 0
  #lastAt = 0
  #nextId = 1
  deliver: (command: number, circuitId: number, bytes: Uint8Array) => void = () => {}
  /** Told of each packet as it leaves. */
  onSent: (() => void) | undefined
  onArrived: (() => void) | undefined

  constructor(route: SimulatedRoute, place: number, initiator: boolean, peer: Uint8Array) {
    this.#route = route
    this.initiator = initiator
    this.peerKey = peer
    this.peerName = toHex(peer)
    this.#delay = DELAYS[place] as number
    this.#rate = place === 0 ? CLIENT_RATE : RATE
  }

  newCircuitId(): number {
    return this.#nextId++ + (this.initiator ? 2 ** 31 : 0)
  }

  sendCell(circuitId: number, packet: Packet): boolean {
    return this.#send(0, circuitId, packet.body)
  }

  sendMessage(command: number, circuitId: number, content: Uint8Array): boolean {
    return this.#send(command, circuitId, content)
  }

  #send(command: number, circuitId: number, bytes: Uint8Array): boolean {
    const { world, chance } = this.#route
    const now = world.monotonic()
    const start = Math.max(now, this.#freeAt)
    this.onSent?.()
    if ((start - now) * this.#rate > BUFFER) return true
    this.#freeAt = start + CELL / this.#rate
    this.#lastAt = Math.max(this.#lastAt, this.#freeAt + this.#delay + chance.exponential(JITTER_MS))
    const copy = bytes.slice()
    world.at(this.#lastAt, () => {
      this.onArrived?.()
      this.deliver(command, circuitId, copy)
    })
    return true
  }
}

/** Hands a session's packets to its circuit, as a node's driver does. */
class PlayedSession {
  readonly session: Session
  readonly #world: VirtualWorld
  readonly #seal: (fill: (payload: Uint8Array) => number) => boolean
  readonly #timer: Timer
  #isWoken = false

  constructor(
    world: VirtualWorld,
    seal: (fill: (payload: Uint8Array) => number) => boolean,
    session: (wake: () => void) => Session,
  ) {
    this.#world = world
    this.#seal = seal
    this.session = session(() => this.wake())
    this.#timer = new Timer(world, this.session, () => this.wake())
  }

  wake(): void {
    if (this.#isWoken) return
    this.#isWoken = true
    this.#world.at(this.#world.monotonic(), () => {
      this.#isWoken = false
      this.session.endBatch()
      while (this.session.next() !== undefined) if (!this.#seal((payload) => this.session.fill(payload))) break
      this.#timer.arm()
    })
  }
}

export interface RouteHandlers {
  /** A stream came to the exit. */
  onStream(stream: SessionStream): void
}

/**
 * A client, an entry, a relay and an exit with the circuits and sessions that ship, all cryptography of circuits included, over played links: what the link layer
 * would add is the same 36 bytes for each cell. An attacker's recorders are at the client's link and at the exit's other side.
 */
export class SimulatedRoute {
  readonly world: VirtualWorld
  readonly chance: Chance
  readonly linkUp: Recording = newRecording()
  readonly linkDown: Recording = newRecording()
  /** What the client knows of its hops, and when it asks them. */
  readonly health: LegHealth
  /** Cells of all three links, either way, from {@link observe} on. */
  cells = 0
  readonly #client: ClientCircuits
  readonly #clientTimer: Timer
  #circuit: ClientCircuit | undefined
  #up: PlayedSession | undefined
  #exit: PlayedSession | undefined
  #observedAt = Infinity

  constructor(world: VirtualWorld, chance: Chance, tier: Tier, handlers: RouteHandlers) {
    this.world = world
    this.chance = chance
    this.health = new LegHealth(DELAYS.length, tier)
    const { random } = chance
    const keys = [1, 2, 3, 4].map((byte) => new Uint8Array(32).fill(byte))
    const onions = [0, 1, 2].map(() => generateX25519(random))
    const clientKey = keys[3] as Uint8Array
    // Towards the exit, and back.
    const forward = [0, 1, 2].map((at) => new PlayedLink(this, at, true, keys[at] as Uint8Array))
    const back = [0, 1, 2].map(
      (at) => new PlayedLink(this, at, false, at === 0 ? clientKey : (keys[at - 1] as Uint8Array)),
    )
    this.#client = new ClientCircuits({
      networkId: 'bench',
      clock: world,
      random,
      onSooner: () => this.#clientTimer.arm(),
    })
    this.#clientTimer = new Timer(world, this.#client, () => {})
    const packet = new Packet()
    for (const at of [0, 1, 2]) {
      const accept = at === 2 ? { exit: { accept: (circuit: ExitCircuit) => this.#accept(circuit, handlers) } } : {}
      const node: RelayCircuits = new RelayCircuits({
        id: keys[at] as Uint8Array,
        networkId: 'bench',
        onionKeys: () => [onions[at] as (typeof onions)[number]],
        roles: { entry: at === 0, relay: at === 1, exit: at === 2 },
        clock: world,
        random,
        isFirstUse: true,
        nextHop: () => forward[at + 1],
        isMember: (key) => (key === clientKey ? undefined : key),
        onSooner: () => timer.arm(),
        onWaiting: () => serve(),
        ...accept,
      })
      const timer = new Timer(world, node, () => {})
      let isServing = false
      const serve = (): void => {
        if (isServing) return
        isServing = true
        world.at(world.monotonic() + 0.1, () => {
          isServing = false
          if (node.queue.serve()) serve()
        })
      }
      const take = (link: PlayedLink) => (command: number, circuitId: number, bytes: Uint8Array) => {
        node.queue.begin(1)
        if (command === 0) {
          packet.body.set(bytes)
          node.onCell(link, circuitId, packet)
        } else node.onMessage(link, command as 1, circuitId, bytes)
        while (node.work());
        timer.arm()
      }
      const [fromClient, fromExit] = [forward[at] as PlayedLink, back[at + 1]]
      fromClient.deliver = take(back[at] as PlayedLink)
      if (fromExit !== undefined) fromExit.deliver = take(forward[at + 1] as PlayedLink)
    }
    const [first] = forward
    const [last] = back
    if (first === undefined || last === undefined) throw new Error('a route without links')
    last.deliver = (command, circuitId, bytes) => {
      if (command === 0) {
        packet.body.set(bytes)
        this.#client.onCell(first, circuitId, packet)
      } else this.#client.onMessage(first, command as 1, circuitId, bytes)
      this.#clientTimer.arm()
    }
    first.onSent = () => this.#record(this.linkUp)
    last.onArrived = () => this.#record(this.linkDown)
    for (const link of [...forward, ...back]) {
      const before = link.onSent
      link.onSent = () => {
        before?.()
        if (world.monotonic() >= this.#observedAt) this.cells++
      }
    }
    this.#build(first, keys, onions, tier)
  }

  /** The client's session. */
  get session(): Session {
    if (this.#up === undefined) throw new Error('the circuit was not built')
    return this.#up.session
  }

  get circuit(): ClientCircuit {
    if (this.#circuit === undefined) throw new Error('the circuit was not built')
    return this.#circuit
  }

  /** To be called after something was written to a stream. */
  wake(): void {
    this.#up?.wake()
    this.#exit?.wake()
  }

  /** From here on it is recorded. */
  observe(): void {
    this.#observedAt = this.world.monotonic()
  }

  /** ms since {@link observe}. */
  get observed(): number {
    return this.world.monotonic() - this.#observedAt
  }

  #build(
    link: PlayedLink,
    keys: readonly Uint8Array[],
    onions: readonly { publicKey: Uint8Array }[],
    tier: Tier,
  ): void {
    const { world, chance } = this
    const circuit = this.#client.build({
      link,
      hops: onions.map(({ publicKey }, at) => ({ id: keys[at] as Uint8Array, onionKey: publicKey })),
      timeoutMs: BUILD_MS,
      tier,
      onReady: () => {
        const { random } = chance
        const { payloadLength } = circuit
        this.#up = new PlayedSession(
          world,
          (fill) => circuit.seal(fill),
          (onWritable) => new Session({ role: 'client', clock: world, random, payloadLength, onWritable }),
        )
      },
      onPacket: (number, payload) => {
        this.#up?.session.receive(number, payload)
        this.#up?.wake()
      },
      onPong: (hop, ms) => this.health.onPong(hop, ms, world.monotonic()),
      onCounted: (hop, sample) => this.health.onCounted(hop, sample),
      onEnd: (reason, atHop) => {
        throw new Error(`the circuit ended at hop ${atHop}: reason ${reason}`)
      },
    })
    this.#circuit = circuit
    this.#clientTimer.arm()
    world.runUntil(BUILD_MS)
    if (circuit.state !== 'ready') throw new Error('the circuit was not built')
  }

  #accept(circuit: ExitCircuit, handlers: RouteHandlers): boolean {
    const { world, chance } = this
    const { payloadLength } = circuit
    const exit = new PlayedSession(
      world,
      (fill) => circuit.seal(fill),
      (onWritable) =>
        new Session({
          role: 'exit',
          clock: world,
          random: chance.random,
          payloadLength,
          onWritable,
          onStream: (stream) => handlers.onStream(stream),
        }),
    )
    this.#exit = exit
    circuit.onRoom = () => exit.wake()
    circuit.onPacket = (number, payload) => {
      exit.session.receive(number, payload)
      exit.wake()
    }
    return true
  }

  #record({ times, amounts }: Recording): void {
    const at = this.observed
    if (!(at >= 0)) return
    times.push(at)
    amounts.push(1)
  }
}
