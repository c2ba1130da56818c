import { type Clock, type Logger, Scope, throwIfAborted } from '@weft/core'
import { type DidKey, SigningKey, shortId } from '@weft/crypto'
import { type StreamProtocol, protocolId } from '@weft/wire'
import type { ByteStream } from '../byte-stream.ts'
import { Dialer } from './dialer.ts'
import { createHost } from './host.ts'
import { Libp2pByteStream } from './libp2p-byte-stream.ts'
import { toPrivateKey } from './peer-id.ts'
import { probeOver } from './probe-over.ts'
import { THROUGH_DIAL_MS } from './limits.ts'
import type { OpenThrough } from './through-transport.ts'
import type { Probe } from './transport.ts'

export interface ProbeOptions {
  readonly networkId: string
  readonly address: string
  readonly target: DidKey
  /** Where the relay of a relayed address is. */
  readonly lookup: (id: DidKey) => readonly string[]
  /** By way of whom the node is called; by default by itself. */
  readonly through?: OpenThrough | undefined
  /** Whether Noise is spoken where the other side does not speak TLS. */
  readonly noise: boolean
  readonly clock: Clock
  readonly logger: Logger
  readonly scope: Scope
  readonly signal: AbortSignal | undefined
}

/** @throws WeftError E_NODE_UNREACHABLE, E_NETWORK_MISMATCH, E_ABORTED; nothing is left open then. */
export async function createProbe(options: ProbeOptions): Promise<Probe> {
  const { networkId, address, target, through, clock, logger, signal } = options
  throwIfAborted(signal)
  const scope = new Scope({ name: `probe of ${shortId(target)}`, clock, logger })
  const onParentClose = (): void => void scope.close()
  options.scope.signal.addEventListener('abort', onParentClose, { once: true })
  scope.defer('parent', () => options.scope.signal.removeEventListener('abort', onParentClose))
  try {
    const key = SigningKey.generate()
    const host = await createHost(
      { privateKey: toPrivateKey(key), listen: [], announce: [], noise: options.noise, clock, through },
      {},
    )
    scope.defer('host', () => host.stop())
    // Listed so that the probed node sees by identify that the stranger is of its network, and does not drop it; nobody is served.
    await host.handle(protocolId(networkId, 'rpc'), (stream) => stream.abort(new Error('a probe serves nobody')))
    const dialer = new Dialer({
      host,
      self: key.id,
      networkId,
      lookup: (id) => (id === target ? [address] : options.lookup(id)),
      bulkOverRelays: true,
      ...(through === undefined ? {} : { dialMs: THROUGH_DIAL_MS }),
      clock,
      closing: scope.signal,
    })
    const openStream = async (protocol: StreamProtocol, streamSignal?: AbortSignal): Promise<ByteStream> =>
      new Libp2pByteStream(await dialer.openStream(target, protocol, streamSignal), target)
    return await probeOver({ self: key.id, target, openStream, clock, logger, scope, signal })
  } catch (error) {
    await scope.close()
    throw error
  }
}
