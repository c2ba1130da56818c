import { type Clock, type Logger, Scope, WeftError, throwIfAborted } from '@weft/core'
import { type DidKey, SigningKey, shortId } from '@weft/crypto'
import { type StreamProtocol, protocolId } from '@weft/wire'
import type { ByteStream } from '../byte-stream.ts'
import type { Rpc } from '../rpc.ts'
import { Dialer } from './dialer.ts'
import { createHost } from './host.ts'
import { Libp2pByteStream } from './libp2p-byte-stream.ts'
import { toPrivateKey } from './peer-id.ts'
import { RpcDispatcher } from './rpc-dispatcher.ts'
import { RpcService } from './rpc-service.ts'
import { sendRaw } from './send-raw.ts'
import type { Probe } from './transport.ts'

export interface ProbeOptions {
  readonly networkId: string
  readonly address: string
  readonly target: DidKey
  /** Whether Noise is spoken where the other side does not speak TLS. */
  readonly noise: boolean
  readonly clock: Clock
  readonly logger: Logger
  readonly scope: Scope
  readonly signal: AbortSignal | undefined
}

/** @throws WeftError E_NODE_UNREACHABLE, E_NETWORK_MISMATCH, E_ABORTED; nothing is left open then. */
export async function createProbe(options: ProbeOptions): Promise<Probe> {
  const { networkId, address, target, clock, logger, signal } = options
  throwIfAborted(signal)
  const scope = new Scope({ name: `probe of ${shortId(target)}`, clock, logger })
  const onParentClose = (): void => void scope.close()
  options.scope.signal.addEventListener('abort', onParentClose, { once: true })
  scope.defer('parent', () => options.scope.signal.removeEventListener('abort', onParentClose))
  try {
    const key = SigningKey.generate()
    const host = await createHost(
      { privateKey: await toPrivateKey(key), listen: [], announce: [], noise: options.noise, clock },
      {},
    )
    scope.defer('host', () => host.stop())
    // Listed so that the probed node sees by identify that the stranger is of its network, and does not drop it; nobody is served.
    await host.handle(protocolId(networkId, 'rpc'), (stream) => stream.abort(new Error('a probe serves nobody')))
    const dialer = new Dialer({ host, self: key.id, networkId, lookup: () => [address], closing: scope.signal })
    const openStream = async (protocol: StreamProtocol, streamSignal?: AbortSignal): Promise<ByteStream> =>
      new Libp2pByteStream(await dialer.openStream(target, protocol, streamSignal), target)
    const nobody = new RpcDispatcher({ allows: () => false }, { take: () => false })
    const rpc = new RpcService({
      self: key.id,
      clock,
      logger,
      dispatcher: nobody,
      openControl: (_, callSignal) => openStream('rpc', callSignal),
      closing: scope.signal,
    })
    scope.defer('control stream', () => rpc.close())
    await rpc.open(target, signal ?? scope.signal)
    const call: Rpc['call'] = async (to, method, request, callOptions) => {
      if (to !== target) throw otherTarget(to, target)
      return rpc.call(to, method, request, callOptions)
    }
    return {
      self: key.id,
      target,
      rpc: { call },
      open: (protocol, streamSignal) => openStream(protocol, streamSignal),
      sendRaw: async (protocol, bytes, { waitMs, signal: rawSignal } = {}) =>
        sendRaw(await openStream(protocol, rawSignal), bytes, clock, waitMs, rawSignal),
      [Symbol.asyncDispose]: () => scope.close(),
    }
  } catch (error) {
    await scope.close()
    throw error
  }
}

function otherTarget(asked: DidKey, target: DidKey): WeftError {
  return new WeftError({
    code: 'E_PROBE_TARGET',
    cause: `A probe of ${shortId(target)} was asked to call ${shortId(asked)}.`,
    fix: 'Open a probe of that node.',
  })
}
