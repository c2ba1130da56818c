import { seededRandom, toHex, VirtualClock, randomInt } from '@weft/core'
import { Packet } from '../../src/packet/packet.ts'
import { type CircuitCommand } from '../../src/link/link-command.ts'
import { type CircuitLink } from '../../src/circuit/circuit-link.ts'
import { type CircuitLimits } from '../../src/circuit/circuit-limits.ts'
import { ClientCircuits } from '../../src/circuit/client-circuits.ts'
import { type ClientCircuit, type ClientCircuitOptions } from '../../src/circuit/client-circuit.ts'
import { type ExitCircuit } from '../../src/circuit/exit-circuit.ts'
import { CellBucket } from '../../src/queue/cell-bucket.ts'
import { RelayCircuits } from '../../src/circuit/relay-circuits.ts'
import type { ReceiptPurse } from '../../src/receipts/client-payments.ts'
import type { ReceiptTill } from '../../src/receipts/hop-account.ts'
import type { PaddingCosts } from '../../src/circuit/relay-tiers.ts'
import { type X25519KeyPair } from '@weft/crypto'
import { generateX25519 } from '../../src/x25519.ts'

/** Something on its way from one side of a link to the other. */
export interface Item {
  readonly from: string
  readonly to: string
  readonly link: FakeLink
  readonly command: 0 | CircuitCommand
  readonly circuitId: number
  /** Body of a cell or content of a message: 1404 bytes. */
  readonly bytes: Uint8Array
}

/** One side of a link: what it sends waits in the network until `deliver`. */
export class FakeLink implements CircuitLink {
  circuits = 0
  up = true
  isSilent = false
  other!: FakeLink
  readonly network: FakeNetwork
  readonly owner: string
  readonly peer: string
  readonly initiator: boolean
  readonly peerKey: Uint8Array
  readonly peerName: string

  constructor(network: FakeNetwork, owner: string, peer: string, initiator: boolean) {
    this.network = network
    this.owner = owner
    this.peer = peer
    this.initiator = initiator
    this.peerKey = network.keyOf(peer)
    this.peerName = toHex(this.peerKey)
  }

  newCircuitId(): number {
    const id = randomInt(this.network.random, 2 ** 31)
    return this.initiator ? id + 2 ** 31 : id
  }

  sendCell(circuitId: number, packet: Packet): boolean {
    return this.#send(0, circuitId, packet.body)
  }

  sendMessage(command: CircuitCommand, circuitId: number, content: Uint8Array): boolean {
    if (content.length !== 1404) throw new RangeError(`content of ${content.length} bytes`)
    return this.#send(command, circuitId, content)
  }

  #send(command: 0 | CircuitCommand, circuitId: number, bytes: Uint8Array): boolean {
    if (!this.up) return false
    this.network.queue.push({
      from: this.owner,
      to: this.peer,
      link: this.other,
      command,
      circuitId,
      bytes: bytes.slice(),
    })
    return true
  }
}

export interface FakeNode {
  readonly name: string
  readonly id: Uint8Array
  readonly onion: X25519KeyPair
  readonly circuits: RelayCircuits
  /** Circuits that end here, in the order they came, with what came over them. */
  readonly exits: { readonly circuit: ExitCircuit; readonly packets: [number, string][]; ended: number | undefined }[]
}

export interface NodeSetting {
  readonly roles?: { entry?: boolean; relay?: boolean; exit?: boolean }
  readonly limits?: Partial<CircuitLimits>
  readonly accept?: (circuit: ExitCircuit) => boolean
  readonly bytesPerSecond?: number
  /** Links that it makes with each next hop, taken in turn: as many as it says it has packet workers. */
  readonly parts?: number
  /** As of `RelayCircuits`; true by default. */
  readonly isFirstUse?: boolean
  readonly padding?: Partial<PaddingCosts>
  readonly till?: ReceiptTill
}

/** Nodes a, b, c, … and clients with any other names, C if nothing is said, joined by links that lose, double and reorder only when told to. */
export class FakeNetwork {
  readonly networkId = 'test'
  readonly clock = new VirtualClock(1_000_000)
  readonly random = seededRandom(7)
  readonly nodes = new Map<string, FakeNode>()
  readonly client: ClientCircuits
  queue: Item[] = []
  /** Creates are answered as they come; else they wait for the test. */
  works = true
  /** Everything delivered so far. */
  readonly delivered: Item[] = []
  readonly #links = new Map<string, FakeLink>()

  constructor(names = 'abcde', settings: Record<string, NodeSetting> = {}, purse?: ReceiptPurse) {
    for (const name of names) this.#addNode(name, settings[name] ?? {})
    this.client = new ClientCircuits({ networkId: this.networkId, clock: this.clock, random: this.random, purse })
  }

  #addNode(
    name: string,
    { roles, limits, accept, bytesPerSecond, parts = 1, isFirstUse = true, padding, till }: NodeSetting,
    onion = generateX25519(this.random),
  ): void {
    const id = this.keyOf(name)
    const exits: FakeNode['exits'] = []
    let extended = 0
    const circuits = new RelayCircuits({
      id,
      networkId: this.networkId,
      onionKeys: () => [onion],
      roles: { entry: true, relay: true, exit: true, ...roles },
      clock: this.clock,
      random: this.random,
      isFirstUse,
      ...(limits === undefined ? {} : { limits }),
      ...(padding === undefined ? {} : { padding }),
      ...(till === undefined ? {} : { till }),
      ...(bytesPerSecond === undefined ? {} : { allowance: new CellBucket(bytesPerSecond, this.clock.monotonic()) }),
      nextHop: (wanted, role) => {
        const other = [...this.nodes.values()].find((node) => Buffer.compare(node.id, wanted) === 0)
        if (other === undefined || role === 'exit') return undefined
        return this.link(name, other.name, extended++ % parts)
      },
      isMember: (key) => [...this.nodes.values()].find((node) => Buffer.compare(node.id, key) === 0)?.id,
      exit: {
        accept: (circuit) => {
          if (accept !== undefined && !accept(circuit)) return false
          const exit: FakeNode['exits'][number] = { circuit, packets: [], ended: undefined }
          circuit.onPacket = (number, payload) => exit.packets.push([number, textOf(payload)])
          circuit.onEnd = (reason) => (exit.ended = reason)
          exits.push(exit)
          return true
        },
      },
    })
    this.nodes.set(name, { name, id, onion, circuits, exits })
  }

  /** The node forgets all that is not on its disk. */
  restart(name: string): void {
    this.#addNode(name, { isFirstUse: false }, this.node(name).onion)
  }

  /** Stands for node id and link key at once. */
  keyOf(name: string): Uint8Array {
    return new Uint8Array(32).fill(name.charCodeAt(0))
  }

  node(name: string): FakeNode {
    const node = this.nodes.get(name)
    if (node === undefined) throw new Error(`no node ${name}`)
    return node
  }

  /** The side of `from` of its link to `to`; one link for both directions, and for each part. */
  link(from: string, to: string, part = 0): FakeLink {
    const existing = this.#links.get(`${from}${to}${part}`)
    if (existing !== undefined && existing.up && !existing.isSilent) return existing
    const one = new FakeLink(this, from, to, true)
    const two = new FakeLink(this, to, from, false)
    one.other = two
    two.other = one
    this.#links.set(`${from}${to}${part}`, one)
    this.#links.set(`${to}${from}${part}`, two)
    return one
  }

  build(hops: string, options: Partial<ClientCircuitOptions> = {}): ClientCircuit {
    return this.client.build({
      link: this.link('C', hops[0] as string),
      hops: Array.from(hops, (name) => ({
        id: this.keyOf(name),
        onionKey: this.nodes.get(name)?.onion.publicKey ?? this.keyOf(name),
      })),
      timeoutMs: 5000,
      ...options,
    })
  }

  /** Delivers until nothing is on its way. `change` may drop (none), double or alter what is delivered. */
  run(change: (item: Item) => readonly Item[] = (item) => [item]): void {
    for (let steps = 0; this.queue.length > 0; steps++) {
      if (steps > 100_000) throw new Error('the network does not come to rest')
      for (const item of change(this.queue.shift() as Item)) this.deliver(item)
    }
  }

  deliver(item: Item): void {
    if (!item.link.up) return
    this.delivered.push(item)
    const side = this.#sideOf(item.to)
    if (item.command === 0) {
      if (side instanceof RelayCircuits) side.queue.begin(1)
      const packet = new Packet()
      packet.body.set(item.bytes)
      side.onCell(item.link, item.circuitId, packet)
    } else side.onMessage(item.link, item.command, item.circuitId, item.bytes)
    if (this.works && side instanceof RelayCircuits) while (side.work());
  }

  #sideOf(name: string): RelayCircuits | ClientCircuits {
    return this.nodes.get(name)?.circuits ?? this.client
  }

  /** Takes a link down at both its sides. */
  cut(one: string, two: string, part = 0): void {
    const link = this.link(one, two, part)
    link.up = false
    link.other.up = false
    for (const side of [link, link.other]) this.#sideOf(side.owner).onLinkDown(side)
  }

  /** Moves time on in steps, calling the timers that fall due and delivering. */
  async pass(ms: number, change?: (item: Item) => readonly Item[], step = 250): Promise<void> {
    for (let gone = 0; gone < ms; gone += step) {
      await this.clock.advance(Math.min(step, ms - gone))
      for (const machine of [this.client, ...[...this.nodes.values()].map((node) => node.circuits)]) {
        const due = machine.nextTimeout()
        if (due !== undefined && due <= this.clock.monotonic()) machine.onTimeout()
      }
      this.run(change)
    }
  }
}

/** A payload that says `text`. */
export function say(packetNumber: number, text: string): (payload: Uint8Array) => number {
  return (payload) => {
    payload.fill(0)
    payload.set(Buffer.from(text))
    return packetNumber
  }
}

export function textOf(payload: Uint8Array): string {
  const end = payload.indexOf(0)
  return Buffer.from(payload.subarray(0, end < 0 ? payload.length : end)).toString()
}
