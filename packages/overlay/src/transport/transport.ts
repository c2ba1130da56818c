import type { DidKey } from '@weft/crypto'
import type { Access, StreamProtocol } from '@weft/wire'
import type { ByteStream, Streams } from '../byte-stream.ts'
import type { Rpc } from '../rpc.ts'
import type { PubSub } from './pub-sub.ts'

/** Who may do what; membership answers from the signed map. Asked at every call and message, so it must be fast. */
export interface AccessPolicy {
  allows(caller: DidKey, access: Access): boolean
  /** Calls back after answers may have changed; returns the unsubscribe function. Without it they are not followed. */
  onChange?(listener: () => void): () => void
}

/** What came back from raw bytes that a probe sent. */
export interface RawOutcome {
  /** The first bytes of the answer, at most 64 KiB. */
  readonly received: Uint8Array
  /** How the stream stood in the end; `open` when the node still held it when the time was over. */
  readonly state: 'reset' | 'ended' | 'open'
}

/**
 * A look at one node from outside: a throw-away identity and a fresh connection from a fresh host, so that the node
 * cannot tell a probe from any other stranger.
 */
export interface Probe extends AsyncDisposable {
  /** The throw-away identity. */
  readonly self: DidKey
  readonly target: DidKey
  /** Calls only the probed node. @throws WeftError E_PROBE_TARGET for any other. */
  readonly rpc: Pick<Rpc, 'call'>
  open(protocol: 'shard', signal?: AbortSignal): Promise<ByteStream>
  /**
   * Writes raw bytes on a fresh stream of `protocol` and reports what happened within `waitMs` (default 2,000).
   * For conformance checks of frame limits. @throws WeftError E_NODE_UNREACHABLE, E_NETWORK_MISMATCH, E_ABORTED
   */
  sendRaw(
    protocol: StreamProtocol,
    bytes: Uint8Array,
    options?: { readonly waitMs?: number; readonly signal?: AbortSignal },
  ): Promise<RawOutcome>
}

/** The node's own end of the network: authenticated connections, calls, bulk streams and topics. */
export interface Transport extends Rpc, Streams, AsyncDisposable {
  readonly self: DidKey
  /** Multiaddrs on which this node can be dialled, without its id. Empty for a pure client. */
  listenAddresses(): string[]
  /**
   * Makes sure that there is a connection to a node of this network.
   * @param addresses multiaddrs to try; by default what the bootstrap lookup knows.
   * @throws WeftError E_NODE_UNREACHABLE (with what was tried), E_NETWORK_MISMATCH, E_ABORTED
   */
  connect(id: DidKey, addresses?: readonly string[], signal?: AbortSignal): Promise<void>
  /** Nodes of this network with an open connection. */
  connected(): readonly DidKey[]
  /**
   * Nodes that this node dialled and that neither side has had use for in the last `ms`: no call, no bulk, no place at a
   * relay, nothing relayed.
   */
  unused(ms: number): readonly DidKey[]
  /** Drops the connections to a node. */
  disconnect(id: DidKey): Promise<void>
  /** Calls back when a node of this network connects or the last connection to it closed; returns the unsubscribe function. */
  onPeer(listener: (id: DidKey, connected: boolean) => void): () => void
  /** The IP address from which most nodes that this node called saw it; undefined before the first. */
  seenAt(): string | undefined
  /** Calls back when another node has seen this one. */
  onSeen(listener: () => void): void
  /** Whether there is a connection to a node that goes over no relay. */
  isDirect(id: DidKey): boolean
  /**
   * Has this node reached over `relay` for as long as the connection to it lasts.
   * @throws WeftError E_RELAY_REFUSED, E_NODE_UNREACHABLE, E_ABORTED
   */
  reserve(relay: DidKey, signal?: AbortSignal): Promise<void>
  /** Calls back when this node is no longer reached over a relay that it had. */
  onRelayLost(listener: (relay: DidKey) => void): void
  /** One round trip on the open connection (or a new one), ms. @throws WeftError E_NODE_UNREACHABLE */
  ping(id: DidKey, signal?: AbortSignal): Promise<number>
  /**
   * Dials `address` afresh and expects `id` there.
   * @throws WeftError E_NODE_UNREACHABLE (with what was tried), E_NETWORK_MISMATCH, E_ABORTED
   */
  probe(address: string, id: DidKey, signal?: AbortSignal): Promise<Probe>
  readonly pubsub: PubSub
}
