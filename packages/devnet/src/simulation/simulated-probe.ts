import { type Logger, type Random, type Scope, WeftError } from '@weft/core'
import { type DidKey, SigningKey, shortId } from '@weft/crypto'
import { type ByteStream, type Probe, type Rpc, RpcDispatcher, RpcService, sendRaw } from '@weft/overlay'
import type { StreamProtocol } from '@weft/wire'
import { SimulatedEndpoint } from './simulated-endpoint.ts'
import type { SimulatedInternet } from './simulated-internet.ts'
import type { SimulatedProcess } from './simulated-process.ts'

export interface SimulatedProbeOptions {
  readonly internet: SimulatedInternet
  readonly process: SimulatedProcess
  readonly networkId: string
  /** Where its throw-away key comes from: that of a simulation repeats. */
  readonly random: Random
  readonly logger: Logger
  readonly scope: Scope
  readonly address: string
  readonly target: DidKey
  readonly signal: AbortSignal | undefined
}

/** A look at one node from outside, as the transport's own: a fresh identity on a fresh connection. @throws WeftError E_NODE_UNREACHABLE, E_ABORTED */
export async function simulatedProbe(options: SimulatedProbeOptions): Promise<Probe> {
  const { internet, process, networkId, random, logger, address, target, signal } = options
  const { clock } = process
  const scope = options.scope.child(`probe of ${shortId(target)}`)
  try {
    const { id } = new SigningKey(random.bytes(32))
    const endpoint = new SimulatedEndpoint({ id, networkId, process })
    internet.attach(endpoint, undefined)
    scope.defer('endpoint', () => internet.detach(endpoint))
    const connection = await internet.dial(endpoint, address, target, signal)
    const openStream = (protocol: StreamProtocol): Promise<ByteStream> => endpoint.openStream(connection, protocol)
    const rpc = new RpcService({
      self: id,
      clock,
      logger,
      dispatcher: new RpcDispatcher({ allows: () => false }, { take: () => false }),
      openControl: () => openStream('rpc'),
      closing: scope.signal,
    })
    scope.defer('control stream', () => rpc.close())
    await rpc.open(target, signal ?? scope.signal)
    const call: Rpc['call'] = async (to, method, request, callOptions) => {
      if (to !== target) throw otherTarget(to, target)
      return rpc.call(to, method, request, callOptions)
    }
    return {
      self: id,
      target,
      rpc: { call },
      open: (protocol) => openStream(protocol),
      sendRaw: async (protocol, bytes, { waitMs, signal: rawSignal } = {}) =>
        sendRaw(await openStream(protocol), bytes, clock, waitMs, rawSignal),
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
