import type { Clock, Logger, Scope } from '@weft/core'
import { type DidKey, SigningKey } from '@weft/crypto'
import { KiB, type StreamProtocol, protocolId } from '@weft/wire'
import type { ByteStream, Streams } from '../byte-stream.ts'
import type { Rpc } from '../rpc.ts'
import { Dialer } from './dialer.ts'
import { createHost } from './host.ts'
import { Libp2pByteStream } from './libp2p-byte-stream.ts'
import { toPrivateKey } from './peer-id.ts'
import { RpcDispatcher } from './rpc-dispatcher.ts'
import { RpcService } from './rpc-service.ts'
import { type OpenWay, WayTransport, wayAddress } from './way-transport.ts'

export interface AnonymousOptions {
  readonly networkId: string
  readonly open: OpenWay
  readonly clock: Clock
  readonly logger: Logger
  /** What is made ends with it. */
  readonly scope: Scope
}

/** A caller with a key of its own, who knows no more of this node than the ways that it is given. */
export interface AnonymousTransport {
  readonly self: DidKey
  readonly rpc: Rpc
  readonly streams: Pick<Streams, 'open'>
}

/** ms to open a way and secure what is on it: over a route each of the round trips is that of all its hops, and it may have to be built. */
const DIAL_MS = 12_000

/**
 * Bytes that a connection takes ahead. A way may be slow, and a member drops a connection whose pings wait behind bulk for too long
 * (MONITOR_TIMEOUT_MS of limits.ts).
 */
const BUFFER = 32 * KiB

/** Calls members by a fresh identity over ways that are opened for it, and serves nobody. */
export async function createAnonymous(options: AnonymousOptions): Promise<AnonymousTransport> {
  const { networkId, open, clock, logger, scope } = options
  const key = SigningKey.generate()
  const host = await createHost(
    {
      privateKey: toPrivateKey(key),
      listen: [],
      announce: [],
      noise: false,
      clock,
      only: { transport: (components) => new WayTransport(components, open), dialMs: DIAL_MS, buffer: BUFFER },
    },
    {},
  )
  scope.defer('host', () => host.stop())
  // Listed so that members see by identify that the caller is of their network, and do not drop it; nobody is served.
  await host.handle(protocolId(networkId, 'rpc'), (stream) =>
    stream.abort(new Error('an anonymous caller serves nobody')),
  )
  const dialer = new Dialer({
    host,
    self: key.id,
    networkId,
    lookup: (id) => [wayAddress(id)],
    dialMs: DIAL_MS,
    clock,
    closing: scope.signal,
  })
  const openStream = async (to: DidKey, protocol: StreamProtocol, signal?: AbortSignal): Promise<ByteStream> =>
    new Libp2pByteStream(await dialer.openStream(to, protocol, signal), to, BUFFER)
  const rpc = new RpcService({
    self: key.id,
    clock,
    logger,
    dispatcher: new RpcDispatcher({ allows: () => false }, { take: () => false }),
    openControl: (to, signal) => openStream(to, 'rpc', signal),
    closing: scope.signal,
  })
  scope.defer('control streams', () => rpc.close())
  return { self: key.id, rpc, streams: { open: openStream } }
}
