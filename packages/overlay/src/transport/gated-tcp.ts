import type { Transport } from '@libp2p/interface'
import { type TCPComponents, tcp } from '@libp2p/tcp'
import type { InboundGate } from './inbound-gate.ts'

/** libp2p's TCP, each of whose listeners hands what arrives to the gate before anything of libp2p counts it. */
export function gatedTcp(gate: InboundGate): (components: TCPComponents) => Transport {
  return (components) => {
    const transport = tcp({ dialOpts: { noDelay: true }, listenOpts: { noDelay: true } })(components)
    const createListener = transport.createListener.bind(transport)
    transport.createListener = (options) => createListener({ ...options, upgrader: gate.guard(options.upgrader) })
    return transport
  }
}
