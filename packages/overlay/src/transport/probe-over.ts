import { type Clock, type Logger, type Scope, WeftError } from '@weft/core'
import { type DidKey, shortId } from '@weft/crypto'
import type { StreamProtocol } from '@weft/wire'
import type { ByteStream } from '../byte-stream.ts'
import type { Rpc } from '../rpc.ts'
import { RpcDispatcher } from './rpc-dispatcher.ts'
import { RpcService } from './rpc-service.ts'
import { sendRaw } from './send-raw.ts'
import type { Probe } from './transport.ts'

export interface ProbeOverOptions {
  /** The throw-away identity. */
  readonly self: DidKey
  readonly target: DidKey
  /** Opens a stream to the target, on a connection that is there. */
  readonly openStream: (protocol: StreamProtocol, signal?: AbortSignal) => Promise<ByteStream>
  readonly clock: Clock
  readonly logger: Logger
  /** Closes with the probe. */
  readonly scope: Scope
  readonly signal: AbortSignal | undefined
}

/** A probe of one node over streams from anywhere: it calls that node only, and serves nobody. @throws WeftError E_NODE_UNREACHABLE, E_ABORTED */
export async function probeOver(options: ProbeOverOptions): Promise<Probe> {
  const { self, target, openStream, clock, logger, scope, signal } = options
  const rpc = new RpcService({
    self,
    clock,
    logger,
    dispatcher: new RpcDispatcher({ allows: () => false }, { take: () => false }),
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
    self,
    target,
    rpc: { call },
    open: openStream,
    sendRaw: async (protocol, bytes, { waitMs, signal: rawSignal } = {}) =>
      sendRaw(await openStream(protocol, rawSignal), bytes, clock, waitMs, rawSignal),
    [Symbol.asyncDispose]: () => scope.close(),
  }
}

function otherTarget(asked: DidKey, target: DidKey): WeftError {
  return new WeftError({
    code: 'E_PROBE_TARGET',
    cause: `A probe of ${shortId(target)} was asked to call ${shortId(asked)}.`,
    fix: 'Open a probe of that node.',
  })
}
