import { type Random, VirtualClock, seededRandom } from '@weft/core'
import type { Endpoint } from '../../src/link/endpoint.ts'
import { LinkSet, type LinkSetOptions } from '../../src/link/link-set.ts'
import type { Link } from '../../src/link/link.ts'
import { generateX25519 } from '../../src/x25519.ts'
import { Packet } from '../../src/packet/packet.ts'

export interface Conditions {
  /** Probabilities of each datagram. */
  loss: number
  duplication: number
  /** Delay in ms, uniform; more than the distance between two sends reorders. */
  minDelay: number
  maxDelay: number
}

export interface Received {
  readonly link: Link
  readonly command: number
  readonly circuitId: number
  readonly bytes: Uint8Array
}

/** One side of a test: a set of links, and what it was told. */
export class TestNode {
  readonly keys = generateX25519(seededRandom(1))
  readonly received: Received[] = []
  readonly events: string[] = []
  readonly ups: Link[] = []
  onLink: ((link: Link, state: 'up' | 'down') => void) | undefined
  links: LinkSet
  readonly endpoint: Endpoint
  readonly #network: TestNetwork
  readonly #random: Random

  constructor(network: TestNetwork, port: number, options: Partial<LinkSetOptions>, address: string) {
    this.#network = network
    this.endpoint = { address, port }
    this.#random = seededRandom(port)
    this.keys = generateX25519(this.#random)
    this.links = this.start(options)
  }

  /** A new set of links in place of the one before, of which nothing is left: a restart. */
  start(options: Partial<LinkSetOptions> = {}): LinkSet {
    this.links = new LinkSet({
      networkId: 'test',
      clock: this.#network.clock,
      random: this.#random,
      keys: this.keys,
      listen: true,
      send: (bytes, to) => this.#network.send(bytes, this.endpoint, to),
      onCell: (link, circuitId, packet) =>
        this.received.push({ link, command: 0, circuitId, bytes: packet.body.slice() }),
      onMessage: (link, command, circuitId, content) =>
        this.received.push({ link, command, circuitId, bytes: content.slice() }),
      onLink: (link, state, reason) => {
        this.events.push(reason === undefined ? state : `${state}: ${reason}`)
        if (state === 'up') this.ups.push(link)
        this.onLink?.(link, state)
      },
      ...options,
    })
    return this.links
  }
}

/** Sets of links in one process, over a network that loses, doubles and reorders, on a virtual clock. */
export class TestNetwork {
  readonly clock = new VirtualClock(1_700_000_000_000)
  readonly conditions: Conditions = { loss: 0, duplication: 0, minDelay: 1, maxDelay: 1 }
  /** Every datagram that was sent, newest last; only kept when set. */
  log: Uint8Array[] | undefined
  /** Asked of every datagram: whether it is lost. */
  drop: (() => boolean) | undefined
  /** Handshakes are looked into as they come; else they wait for the test. */
  works = true
  readonly #random: Random
  readonly #nodes = new Map<number, TestNode>()
  readonly #flying: { at: number; order: number; bytes: Uint8Array; from: Endpoint; to: Endpoint }[] = []
  #order = 0
  readonly #packet = new Packet()

  constructor(seed = 1) {
    this.#random = seededRandom(seed)
  }

  add(port: number, options: Partial<LinkSetOptions> = {}, address = '192.0.2.1'): TestNode {
    const node = new TestNode(this, port, options, address)
    this.#nodes.set(port, node)
    return node
  }

  send(bytes: Uint8Array, from: Endpoint, to: Endpoint): void {
    this.log?.push(bytes.slice())
    if (this.drop?.() === true || this.#chance() < this.conditions.loss) return
    this.#fly(bytes, from, to)
    if (this.#chance() < this.conditions.duplication) this.#fly(bytes, from, to)
  }

  /** Hands a datagram to a node at once. */
  deliver(bytes: Uint8Array, from: Endpoint, to: TestNode): void {
    this.#packet.copyFrom(bytes)
    to.links.receive(this.#packet, from)
    if (this.works) while (to.links.work());
  }

  /** Lets `ms` pass: datagrams and timers in the order of their time. */
  async run(ms: number): Promise<void> {
    const end = this.clock.monotonic() + ms
    for (;;) {
      this.#flying.sort((a, b) => a.at - b.at || a.order - b.order)
      const arrival = this.#flying[0]?.at ?? Infinity
      const timer = Math.min(...[...this.#nodes.values()].map((node) => node.links.nextTimeout() ?? Infinity))
      const next = Math.min(arrival, timer)
      if (next > end) break
      if (next > this.clock.monotonic()) await this.clock.advance(next - this.clock.monotonic())
      if (arrival <= timer) {
        const datagram = this.#flying.shift()!
        const node = this.#nodes.get(datagram.to.port)
        if (node !== undefined) this.deliver(datagram.bytes, datagram.from, node)
      } else
        for (const node of this.#nodes.values())
          if ((node.links.nextTimeout() ?? Infinity) <= next) node.links.onTimeout()
    }
    await this.clock.advance(end - this.clock.monotonic())
  }

  #fly(bytes: Uint8Array, from: Endpoint, to: Endpoint): void {
    const { minDelay, maxDelay } = this.conditions
    const at = this.clock.monotonic() + minDelay + this.#chance() * (maxDelay - minDelay)
    this.#flying.push({ at, order: this.#order++, bytes: bytes.slice(), from, to })
  }

  #chance(): number {
    const bytes = this.#random.bytes(4)
    return new DataView(bytes.buffer).getUint32(0) / 2 ** 32
  }
}

/** A cell whose body is filled with one number, to know it again. */
export function cell(number: number): Packet {
  const packet = new Packet()
  packet.body.fill(number & 255)
  packet.view.setUint32(36, number)
  return packet
}

export function numberOf(received: Received): number {
  return new DataView(received.bytes.buffer, received.bytes.byteOffset).getUint32(0)
}
