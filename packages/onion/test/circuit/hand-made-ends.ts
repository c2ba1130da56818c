import assert from 'node:assert/strict'
import { ClientHandshake } from '../../src/circuit/client-handshake.ts'
import { OpeningLayer, SESSION_CONTROL, SealingLayer } from '../../src/circuit/layer.ts'
import { newLinkContent, readCreate, readCreated, writeCreate, writeCreated } from '../../src/circuit/link-content.ts'
import { Padding } from '../../src/circuit/padding.ts'
import { CircuitPurpose } from '../../src/circuit/purpose.ts'
import { SeenClientKeys } from '../../src/circuit/seen-client-keys.ts'
import { answerHandshake } from '../../src/circuit/server-handshake.ts'
import { LinkCommand } from '../../src/link/link-command.ts'
import { Packet } from '../../src/packet/packet.ts'
import { kindAt, unitSpan } from '../../src/packet/span.ts'
import { CHACHA_ONLY, newAead } from '../../src/packet/suite.ts'
import type { FakeLink, FakeNetwork, Item } from './fake-network.ts'

// Ends of a circuit that say what they like, under the keys of a true handshake.

const DEPTH = 1
const span = unitSpan(DEPTH)

interface Unit {
  readonly kind: number
  readonly content: Uint8Array
}

/** Speaks to a hop at depth 1 as client and entry in one. */
export class HandMadeClient {
  readonly #network: FakeNetwork
  readonly #to: string
  readonly #link: FakeLink
  readonly #circuitId = 2 ** 31 + 77
  readonly #sealing: SealingLayer
  readonly #opening: OpeningLayer
  readonly #packet = new Packet()
  readonly units: Unit[] = []
  isEnded = false

  /** @param from a member's name */
  constructor(network: FakeNetwork, from: string, to: string) {
    this.#network = network
    this.#to = to
    this.#link = network.link(from, to)
    const { networkId, random } = network
    const { id, onion } = network.node(to)
    const handshake = ClientHandshake.start({
      networkId,
      nodeId: id,
      onionKey: onion.publicKey,
      depth: DEPTH,
      purpose: CircuitPurpose.hop,
      suites: CHACHA_ONLY,
      random,
    })
    assert.ok(handshake !== undefined)
    this.#link.sendMessage(LinkCommand.create, this.#circuitId, writeCreate(newLinkContent(), DEPTH, handshake.message))
    let answer: Uint8Array | undefined
    network.run((item) => {
      if (item.command !== LinkCommand.created) return [item]
      answer = readCreated(item.bytes)
      return []
    })
    const keys = answer && handshake.finish(answer)
    assert.ok(keys !== undefined)
    this.#sealing = new SealingLayer(newAead(keys.suite, keys.forward, CHACHA_ONLY), new Padding(random), 0)
    this.#opening = new OpeningLayer(newAead(keys.suite, keys.backward, CHACHA_ONLY), false)
  }

  /** Sends a unit of that kind to the hop. */
  send(kind: number, content: Uint8Array): void {
    const payload = this.#packet.unitPayload(DEPTH)
    payload.fill(0)
    payload.set(content)
    this.#packet.bytes[kindAt(span)] = kind
    this.#sealing.seal(this.#packet, this.#packet, span, this.#sealing.next())
    this.#link.sendCell(this.#circuitId, this.#packet)
  }

  /** Takes what came back; hands the rest on. */
  readonly take = (item: Item): readonly Item[] => {
    if (item.to === this.#to || item.circuitId !== this.#circuitId) return [item]
    if (item.command === LinkCommand.destroy) this.isEnded = true
    if (item.command !== 0) return []
    this.#packet.body.set(item.bytes)
    assert.ok(this.#opening.open(this.#packet, this.#packet, span) >= 0)
    const kind = this.#packet.bytes[kindAt(span)] as number
    this.units.push({ kind, content: this.#packet.unitPayload(DEPTH).slice() })
    return []
  }

  run(): void {
    this.#network.run(this.take)
  }
}

/** The last of two hops, in the place of a node of the network. */
export class HandMadeExit {
  readonly #network: FakeNetwork
  readonly #name: string
  readonly #packet = new Packet()
  #link: FakeLink | undefined
  #circuitId = 0
  #sealing: SealingLayer | undefined

  constructor(network: FakeNetwork, name: string) {
    this.#network = network
    this.#name = name
  }

  /** Takes what comes to it, and answers the handshake. */
  readonly take = (item: Item): readonly Item[] => {
    if (item.to !== this.#name) return [item]
    if (item.command !== LinkCommand.create) return []
    const { networkId, random } = this.#network
    const { id, onion } = this.#network.node(this.#name)
    const create = readCreate(item.bytes)
    assert.ok(create !== undefined)
    const made = answerHandshake(create.message, {
      networkId,
      nodeId: id,
      onionKeys: [onion],
      depth: DEPTH,
      suites: CHACHA_ONLY,
      seen: new SeenClientKeys(10),
      random,
    })
    assert.ok(typeof made === 'object')
    this.#link = item.link
    this.#circuitId = item.circuitId
    this.#sealing = new SealingLayer(
      newAead(made.keys.suite, made.keys.backward, CHACHA_ONLY),
      new Padding(random),
      SESSION_CONTROL,
    )
    item.link.sendMessage(LinkCommand.created, item.circuitId, writeCreated(newLinkContent(), made.answer))
    return []
  }

  /** Sends a unit to the client. @param counter of the layer's own when left out */
  send(kind: number, content: Uint8Array = new Uint8Array(0), counter = this.#sealing?.next()): void {
    const payload = this.#packet.unitPayload(DEPTH)
    payload.fill(0)
    payload.set(content)
    this.#packet.bytes[kindAt(span)] = kind
    assert.ok(this.#sealing !== undefined && counter !== undefined)
    this.#sealing.seal(this.#packet, this.#packet, span, counter)
    this.#link?.sendCell(this.#circuitId, this.#packet)
  }
}
