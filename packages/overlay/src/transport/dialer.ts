import type { Connection, Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { type Clock, WeftError, abortError, messageOf, orAborted, throwIfAborted } from '@weft/core'
import { type DidKey, shortId } from '@weft/crypto'
import { type StreamProtocol, protocolId } from '@weft/wire'
import type { Host } from './host.ts'
import { parseRelayedAddress } from '../network/relayed-address.ts'
import { untilDirect } from './relay/until-direct.ts'
import { ADDRESS_DIAL_TIMEOUT_MS, MAX_ADDRESSES, NEGOTIATION_TIMEOUT_MS } from './limits.ts'
import { toPeerId } from './peer-id.ts'
import { networkAmong } from './network-check.ts'

export interface DialerOptions {
  readonly host: Host
  readonly self: DidKey
  readonly networkId: string
  /** Multiaddrs of a node, from the signed map or the network file. */
  readonly lookup: (id: DidKey) => readonly string[]
  /** Whether bulk goes over relays as well, within what they carry. For probes, which see what is there. */
  readonly bulkOverRelays?: boolean
  /** ms for one address. */
  readonly dialMs?: number
  readonly clock: Clock
  /** Aborts everything that is under way. */
  readonly closing: AbortSignal
}

/** Gets connections and streams to nodes, and turns every way to fail into one of our faults. */
export class Dialer {
  readonly #options: DialerOptions
  /** Dials under way, shared by all who want the same node. */
  readonly #dialling = new Map<DidKey, Promise<Connection>>()

  constructor(options: DialerOptions) {
    this.#options = options
  }

  /** An open connection, a direct one where there is one, or undefined. */
  existing(id: DidKey): Connection | undefined {
    const open = this.#options.host.getConnections(toPeerId(id)).filter(({ status }) => status === 'open')
    return open.find(({ limits }) => limits === undefined) ?? open[0]
  }

  /** @throws WeftError E_NODE_UNREACHABLE, E_NODE_SELF, E_ABORTED */
  async connection(
    id: DidKey,
    addresses: readonly string[] | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Connection> {
    throwIfAborted(signal)
    if (id === this.#options.self) throw selfDial()
    const existing = this.existing(id)
    if (existing !== undefined) return existing
    let dialling = this.#dialling.get(id)
    if (dialling === undefined) {
      dialling = this.#dial(id, addresses ?? this.#options.lookup(id)).finally(() => this.#dialling.delete(id))
      this.#dialling.set(id, dialling)
    }
    return orAborted(dialling, signal)
  }

  /** @throws WeftError E_NODE_UNREACHABLE, E_NODE_RELAYED, E_NETWORK_MISMATCH, E_PROTOCOL_NOT_OFFERED, E_ABORTED */
  async openStream(
    id: DidKey,
    protocol: StreamProtocol,
    signal: AbortSignal | undefined,
    addresses?: readonly string[],
  ): Promise<Stream> {
    for (let last = false; ; last = true) {
      const some = await this.connection(id, addresses, signal)
      const connection = this.#suits(some, protocol) ? some : await this.#direct(id, protocol, signal)
      try {
        return await this.#negotiate(connection, protocol, signal)
      } catch (error) {
        throwIfAborted(signal)
        if (named(error, 'UnsupportedProtocolError')) throw await this.#explain(connection, id, protocol)
        // The connection died under us, perhaps long ago without our noticing: once more on a fresh one.
        if (!last && connection.status !== 'open') continue
        throw unreachable(id, [{ address: connection.remoteAddr.toString(), reason: messageOf(error) }], error)
      }
    }
  }

  #suits({ limits }: Connection, protocol: StreamProtocol): boolean {
    return limits === undefined || protocol === 'rpc' || this.#options.bulkOverRelays === true
  }

  /** Waits for the direct connection that follows a relayed one where the two sides can make one. */
  async #direct(id: DidKey, protocol: StreamProtocol, signal: AbortSignal | undefined): Promise<Connection> {
    const { host, clock, closing } = this.#options
    const peer = toPeerId(id)
    const listen = (found: (connection: Connection) => void): (() => void) => {
      const onOpen = ({ detail }: CustomEvent<Connection>): void => {
        if (detail.limits === undefined && detail.remotePeer.equals(peer)) found(detail)
      }
      host.addEventListener('connection:open', onOpen)
      return () => host.removeEventListener('connection:open', onOpen)
    }
    return untilDirect({ id, protocol, clock, signals: [signal, closing], listen })
  }

  async #negotiate(connection: Connection, protocol: StreamProtocol, signal: AbortSignal | undefined): Promise<Stream> {
    const { networkId, closing } = this.#options
    return connection.newStream([protocolId(networkId, protocol)], {
      signal: AbortSignal.any([
        closing,
        AbortSignal.timeout(NEGOTIATION_TIMEOUT_MS),
        ...(signal === undefined ? [] : [signal]),
      ]),
      maxOutboundStreams: Number.MAX_SAFE_INTEGER,
      runOnLimitedConnection: true,
    })
  }

  /** Why a node does not speak our protocol: it is of another network, or it does not have that role. */
  async #explain(connection: Connection, id: DidKey, protocol: StreamProtocol): Promise<WeftError> {
    const { host, networkId } = this.#options
    let protocols: readonly string[]
    try {
      const result = await host.services.identify.identify(connection, {
        signal: AbortSignal.timeout(NEGOTIATION_TIMEOUT_MS),
      })
      protocols = result.protocols
    } catch (error) {
      return unreachable(
        id,
        [{ address: connection.remoteAddr.toString(), reason: `does not say what it is: ${messageOf(error)}` }],
        error,
      )
    }
    const network = networkAmong(protocols, networkId)
    if (network === networkId) {
      return new WeftError({
        code: 'E_PROTOCOL_NOT_OFFERED',
        cause: `${shortId(id)} does not offer the protocol '${protocol}'; its roles do not include it.`,
        fix: 'Ask a node whose role offers it; `weft members` lists roles.',
        details: { node: id, protocol },
      })
    }
    void connection
      .close()
      .catch((error: unknown) => connection.abort(error instanceof Error ? error : new Error(String(error))))
    return network === undefined ? noNetwork(id, networkId) : mismatch(id, networkId, network)
  }

  async #dial(id: DidKey, addresses: readonly string[]): Promise<Connection> {
    const { host, closing, dialMs = ADDRESS_DIAL_TIMEOUT_MS } = this.#options
    const tried: Attempt[] = []
    const peer = toPeerId(id)
    for (const address of addresses.slice(0, MAX_ADDRESSES)) {
      if (closing.aborted) throw abortError(closing)
      try {
        const relay = parseRelayedAddress(address)
        if (relay !== undefined) await this.#connectRelay(relay)
        const target = multiaddr(address).encapsulate(`/p2p/${peer.toString()}`)
        return await host.dial(target, {
          signal: AbortSignal.any([closing, AbortSignal.timeout(dialMs)]),
        })
      } catch (error) {
        tried.push({ address, reason: dialFailure(error) })
      }
    }
    if (closing.aborted) throw abortError(closing)
    throw unreachable(id, tried, undefined)
  }

  /** A relay is where it listens itself: one behind another would be a way to chain them without end. */
  async #connectRelay(relay: DidKey): Promise<void> {
    const { self, lookup } = this.#options
    if (relay === self) throw new Error('this node is the relay, and that node is not connected')
    const direct = lookup(relay).filter((address) => parseRelayedAddress(address) === undefined)
    // In time: a dial to the relay that is under way may itself be waiting for a relay, and this for it.
    await this.connection(relay, direct, AbortSignal.timeout(ADDRESS_DIAL_TIMEOUT_MS))
  }
}

interface Attempt {
  readonly address: string
  readonly reason: string
}

function unreachable(id: DidKey, tried: readonly Attempt[], origin: unknown): WeftError {
  return new WeftError({
    code: 'E_NODE_UNREACHABLE',
    cause:
      tried.length === 0
        ? `No address of ${shortId(id)} is known.`
        : `${shortId(id)} cannot be reached: ${tried.map(({ address, reason }) => `${address} (${reason})`).join(', ')}.`,
    fix: 'See that the node runs and that its overlay port is open from here; `weft peers` shows who is reachable.',
    retryable: true,
    details: { node: id, tried },
    origin,
  })
}

/** A node listens a moment before it offers its protocols, so that this may pass. */
function noNetwork(id: DidKey, ours: string): WeftError {
  return new WeftError({
    code: 'E_NETWORK_MISMATCH',
    cause: `${shortId(id)} belongs to no network of Weft (yet), this node to ${ours}.`,
    fix: 'If it was started just now, try again; if it stays so, see what program listens there, or remove that address.',
    retryable: true,
    details: { node: id, ours, theirs: null },
  })
}

function mismatch(id: DidKey, ours: string, theirs: string | null): WeftError {
  return new WeftError({
    code: 'E_NETWORK_MISMATCH',
    cause: `${shortId(id)} belongs to ${theirs === null ? 'another network' : `the network ${theirs}`}, this node to ${ours}.`,
    fix: 'Start both with the same network file (`weft network show` prints the id), or remove that address.',
    details: { node: id, ours, theirs },
  })
}

function selfDial(): WeftError {
  return new WeftError({
    code: 'E_NODE_SELF',
    cause: 'A node cannot connect to itself.',
    fix: 'Give the id of another node; `weft members` lists them.',
  })
}

function named(error: unknown, name: string): boolean {
  return error instanceof Error && error.name === name
}

/** The few words that a person needs: the system's code where there is one. */
function dialFailure(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(dialFailure).join('; ')
  const text = messageOf(error)
  const code = /\bE[A-Z]{4,}\b/.exec(text)?.[0]
  if (code !== undefined) return code
  if (named(error, 'TimeoutError') || named(error, 'AbortError'))
    return `no answer within ${ADDRESS_DIAL_TIMEOUT_MS} ms`
  return text
}
