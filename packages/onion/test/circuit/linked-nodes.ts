import assert from 'node:assert/strict'
import { VirtualClock, seededRandom } from '@weft/core'
import type { ClientCircuit, ClientCircuitOptions } from '../../src/circuit/client-circuit.ts'
import { ClientCircuits } from '../../src/circuit/client-circuits.ts'
import type { ExitCircuit } from '../../src/circuit/exit-circuit.ts'
import { RelayCircuits } from '../../src/circuit/relay-circuits.ts'
import type { Endpoint } from '../../src/link/endpoint.ts'
import { LinkSet } from '../../src/link/link-set.ts'
import { Packet } from '../../src/packet/packet.ts'
import { generateX25519 } from '../../src/x25519.ts'
import { textOf } from './fake-network.ts'

/** A datagram between two machines, by their numbers: 0 entry, 1 relay, 2 exit, 3 client. */
export interface Datagram {
  readonly bytes: Uint8Array
  readonly from: number
  readonly to: number
}

export interface Machine {
  readonly links: LinkSet
  readonly circuits: RelayCircuits | ClientCircuits
}

export const CLIENT = 3

/** An entry, a relay, an exit and a client over real links, on a virtual clock; datagrams arrive when `settle` is called. */
export class LinkedNodes {
  readonly clock = new VirtualClock(1_700_000_000_000)
  readonly machines: Machine[] = []
  /** From and to these nothing arrives. */
  readonly silent = new Set<number>()
  readonly exits: ExitCircuit[] = []
  /** What came to the exit. */
  readonly arrived: string[] = []
  /** Links that ended. */
  readonly down: string[] = []
  /** Every datagram that was sent, when set. */
  log: Datagram[] | undefined
  readonly #random = seededRandom(11)
  readonly #queue: Datagram[] = []
  readonly #linkKeys = [0, 1, 2].map(() => generateX25519(this.#random))
  readonly #onions = [0, 1, 2].map(() => generateX25519(this.#random))
  readonly #ids = [0, 1, 2].map((at) => new Uint8Array(32).fill(at + 1))
  readonly #packet = new Packet()

  constructor() {
    for (const at of [0, 1, 2]) this.#add(at, (links) => this.#relay(at, links))
    this.#add(CLIENT, () => new ClientCircuits({ networkId: 'test', clock: this.clock, random: this.#random }))
  }

  /** Where a machine sends from. */
  endpoint(at: number): Endpoint {
    return { address: '192.0.2.1', port: 7000 + at }
  }

  linkKey(at: number): Uint8Array {
    return this.#linkKeys[at]!.publicKey
  }

  build(options: Partial<ClientCircuitOptions> = {}): ClientCircuit {
    const { links, circuits } = this.machine(CLIENT)
    assert.ok(circuits instanceof ClientCircuits)
    const [entry] = this.#linkKeys
    return circuits.build({
      link: links.connect(this.endpoint(0), entry!.publicKey, true),
      hops: this.#ids.map((id, at) => ({ id, onionKey: this.#onions[at]!.publicKey })),
      timeoutMs: 5000,
      ...options,
    })
  }

  machine(at: number): Machine {
    const machine = this.machines[at]
    assert.ok(machine !== undefined)
    return machine
  }

  /** Hands over a datagram, as if it came from there; of another size it does not come so far. */
  deliver({ bytes, from, to }: Datagram): void {
    if (this.silent.has(from) || this.silent.has(to) || !this.#packet.copyFrom(bytes)) return
    const { links, circuits } = this.machine(to)
    links.receive(this.#packet, this.endpoint(from))
    while (links.work());
    if (circuits instanceof RelayCircuits) while (circuits.work());
  }

  /** Lets arrive what is on its way, and what that brings about. */
  settle(): void {
    for (let item = this.#queue.shift(); item !== undefined; item = this.#queue.shift()) {
      assert.equal(item.bytes.length, 1440)
      this.deliver(item)
    }
  }

  /** What is on its way is lost. */
  lose(): void {
    this.#queue.length = 0
  }

  async pass(ms: number): Promise<void> {
    for (let gone = 0; gone < ms; gone += 500) {
      await this.clock.advance(500)
      for (const machine of this.machines.flatMap(({ links, circuits }) => [links, circuits]))
        if ((machine.nextTimeout() ?? Infinity) <= this.clock.monotonic()) machine.onTimeout()
      this.settle()
    }
  }

  #add(at: number, circuits: (links: LinkSet) => Machine['circuits']): void {
    const keys = this.#linkKeys[at]
    const links = new LinkSet({
      networkId: 'test',
      clock: this.clock,
      random: this.#random,
      ...(keys === undefined ? {} : { keys }),
      listen: keys !== undefined,
      send: (bytes, to) => {
        const datagram = { bytes: bytes.slice(), from: at, to: to.port - 7000 }
        this.log?.push(datagram)
        this.#queue.push(datagram)
      },
      onCell: (link, id, packet) => made.onCell(link, id, packet),
      onMessage: (link, command, id, content) => made.onMessage(link, command, id, content),
      onLink: (link, state, reason) => {
        if (state === 'up') return
        this.down.push(`${at}: ${reason}`)
        made.onLinkDown(link)
      },
    })
    const made = circuits(links)
    this.machines[at] = { links, circuits: made }
  }

  #relay(at: number, links: LinkSet): RelayCircuits {
    return new RelayCircuits({
      id: this.#ids[at]!,
      networkId: 'test',
      onionKeys: () => [this.#onions[at]!],
      isFirstUse: true,
      roles: { entry: at === 0, relay: at === 1, exit: at === 2 },
      clock: this.clock,
      random: this.#random,
      nextHop: (id, role) => {
        const next = this.#ids.findIndex((other) => Buffer.compare(other, id) === 0)
        const fits = role === 'relay' ? next === 1 : next === 2
        return fits ? links.connect(this.endpoint(next), this.#linkKeys[next]!.publicKey, false) : undefined
      },
      isMember: (key) => this.#ids[this.#linkKeys.findIndex((pair) => Buffer.compare(pair.publicKey, key) === 0)],
      exit: {
        accept: (circuit) => {
          this.exits.push(circuit)
          circuit.onPacket = (_, payload) => this.arrived.push(textOf(payload))
          return true
        },
      },
    })
  }
}
