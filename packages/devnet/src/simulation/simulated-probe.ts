import { type Logger, type Random, type Scope, orAborted } from '@weft/core'
import { type DidKey, SigningKey, shortId } from '@weft/crypto'
import { type ByteStream, type Probe, probeOver } from '@weft/overlay'
import type { StreamProtocol } from '@weft/wire'
import { SimulatedDialer } from './simulated-dialer.ts'
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
  /** Where the relay of a relayed address is. */
  readonly lookup: (id: DidKey) => readonly string[]
  readonly signal: AbortSignal | undefined
}

/** A look at one node from outside, as the transport's own: a fresh identity on a fresh connection. @throws WeftError E_NODE_UNREACHABLE, E_ABORTED */
export async function simulatedProbe(options: SimulatedProbeOptions): Promise<Probe> {
  const { internet, process, networkId, random, logger, address, target, lookup } = options
  const { clock } = process
  const scope = options.scope.child(`probe of ${shortId(target)}`)
  try {
    const { id } = new SigningKey(random.bytes(32))
    const endpoint = new SimulatedEndpoint({ id, networkId, process, port: internet.ephemeralPort() })
    internet.attach(endpoint, undefined)
    scope.defer('endpoint', () => internet.detach(endpoint))
    const dialer = new SimulatedDialer({ endpoint, internet, lookup })
    const dialling = dialer.connection(target, [address], scope.signal)
    const connection = await orAborted(dialling, options.signal)
    const openStream = (protocol: StreamProtocol): Promise<ByteStream> => endpoint.openStream(connection, protocol)
    return await probeOver({ self: id, target, openStream, clock, logger, scope, signal: options.signal })
  } catch (error) {
    await scope.close()
    throw error
  }
}
