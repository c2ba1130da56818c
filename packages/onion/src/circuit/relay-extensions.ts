import { equalBytes } from '@weft/core'
import { sha256 } from '@weft/crypto'
import { LinkCommand } from '../link/link-command.ts'
import { MAX_HOPS } from '../packet/sizes.ts'
import { type CircuitEnd } from './circuit-end.ts'
import { type CircuitLimits } from './circuit-limits.ts'
import { type CircuitLink } from './circuit-link.ts'
import { type CircuitTable } from './circuit-table.ts'
import { readCreated, writeCreate, writeDestroy } from './link-content.ts'
import { CircuitPurpose } from './purpose.ts'
import { CircuitReason } from './reasons.ts'
import { type RelayCircuit } from './relay-circuit.ts'
import { type RelayShared } from './relay-shared.ts'

const NODE_ID_BYTES = 32

export interface RelayExtensionsOptions {
  /** Node key of this node. */
  readonly id: Uint8Array
  readonly limits: CircuitLimits
  readonly shared: RelayShared
  /** Of all circuits of the node: an extension takes an id on the link to the next hop. */
  readonly table: CircuitTable<CircuitEnd>
  /** The link to a member that the map names with the role, made when needed; undefined when there is none. */
  readonly nextHop: (id: Uint8Array, role: 'relay' | 'exit') => CircuitLink | undefined
  /** The node that a link key belongs to; undefined for a client. */
  readonly isMember: (peerKey: Uint8Array) => Uint8Array | undefined
}

/** What a node has of circuits beyond itself: makes each one's next hop, once, and tells the client how that went. */
export class RelayExtensions {
  readonly #options: RelayExtensionsOptions
  /** Circuits whose extension waits for the next hop, oldest first. */
  readonly #waiting = new Set<RelayCircuit>()

  constructor(options: RelayExtensionsOptions) {
    this.#options = options
  }

  /** The client asks for a next hop, perhaps not for the first time. */
  extend(circuit: RelayCircuit, message: Uint8Array): void {
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
    this.#attach(circuit, next)
    this.#waiting.add(circuit)
    if (this.#waiting.size > this.#options.limits.waiting) {
      const [oldest] = this.#waiting
      if (oldest !== undefined) this.#giveUp(oldest)
    }
    this.#sendCreate(circuit, copy)
  }

  /** The next hop answered; an answer that came twice does nothing. */
  created(circuit: RelayCircuit, content: Uint8Array): void {
    const { extension } = circuit
    if (extension?.state !== 'waiting') return
    const answer = readCreated(content)?.slice()
    if (answer === undefined) {
      this.#giveUp(circuit)
      return
    }
    this.#waiting.delete(circuit)
    circuit.extension = { state: 'made', hash: extension.hash, answer }
    circuit.sendControl({ kind: 'extended', message: answer })
  }

  /** The next hop is gone: tells the client, by `ended` when the hop had been there, by `failed` when it never was. */
  lost(circuit: RelayCircuit, endedReason: number, failedReason: number): void {
    // What came before the end is told before it.
    circuit.shaper?.flush()
    this.detach(circuit)
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

  /** Forgets the next hop, and tells nobody. */
  detach(circuit: RelayCircuit): void {
    this.#waiting.delete(circuit)
    if (circuit.next === undefined) return
    this.#options.table.remove(circuit.next.link, circuit.next.circuitId)
    circuit.next = undefined
  }

  #chooseNext(circuit: RelayCircuit, message: Uint8Array): CircuitLink | number {
    const { id, isMember, nextHop, limits, table } = this.#options
    const wanted = message.slice(0, NODE_ID_BYTES)
    if (circuit.purpose !== CircuitPurpose.hop || circuit.depth + 1 >= MAX_HOPS || wanted.length < NODE_ID_BYTES)
      return CircuitReason.malformed
    const previous = isMember(circuit.previous.peerKey)
    if (equalBytes(wanted, id) || (previous !== undefined && equalBytes(wanted, previous)))
      return CircuitReason.malformed
    // Which of the two it is to be stands in the handshake, which only the next hop can read; it checks.
    const link = nextHop(wanted, 'relay') ?? nextHop(wanted, 'exit')
    if (link === undefined) return CircuitReason.unknownNextHop
    // One that has a place already, over a link that fell silent, needs no other.
    const others = table.ofPeer(link.peerName) - (circuit.next?.link.peerName === link.peerName ? 1 : 0)
    return others >= limits.perMember ? CircuitReason.tooManyCircuits : link
  }

  /** The client asks again, and the link to the next hop has been silent: another one may reach it. */
  #leaveSilentLink(circuit: RelayCircuit, message: Uint8Array): void {
    if (circuit.next?.link.isSilent !== true) return
    const link = this.#chooseNext(circuit, message)
    if (typeof link === 'number' || link === circuit.next.link) return
    this.#options.table.remove(circuit.next.link, circuit.next.circuitId)
    this.#attach(circuit, link)
  }

  #attach(circuit: RelayCircuit, link: CircuitLink): void {
    circuit.next = { link, circuitId: this.#options.table.addNew(link, { circuit, towardsClient: false }) }
  }

  #sendCreate(circuit: RelayCircuit, message: Uint8Array): void {
    const { next } = circuit
    if (next === undefined) return
    const content = writeCreate(this.#options.shared.content, circuit.depth + 1, message)
    // A link in the making may have no room now: the client asks again. One that never comes up says so itself.
    next.link.sendMessage(LinkCommand.create, next.circuitId, content)
  }

  /** The extension got no answer that could be used. */
  #giveUp(circuit: RelayCircuit): void {
    const { next } = circuit
    const content = writeDestroy(this.#options.shared.content, CircuitReason.none)
    next?.link.sendMessage(LinkCommand.destroy, next.circuitId, content)
    this.lost(circuit, CircuitReason.nextHopNotReached, CircuitReason.nextHopNotReached)
  }
}
