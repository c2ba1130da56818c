import type { Transport } from '@libp2p/interface'
import { type TCPComponents, tcp } from '@libp2p/tcp'
import type { InboundGate } from './inbound-gate.ts'
import type { PunchPort } from './punch/punch-port.ts'

/**
 * libp2p's TCP, each of whose listeners hands what arrives to the gate before anything of libp2p counts it.
 * @param punch the port to call from; by default any
 */
export function gatedTcp(gate: InboundGate, punch?: PunchPort): (components: TCPComponents) => Transport {
  return (components) => {
    const transport = tcp({ dialOpts: { noDelay: true }, listenOpts: { noDelay: true } })(components)
    const createListener = transport.createListener.bind(transport)
    transport.createListener = (options) => createListener({ ...options, upgrader: gate.guard(options.upgrader) })
    if (punch !== undefined) transport.dial = callFrom(punch, transport.dial.bind(transport))
    return transport
  }
}

function callFrom(punch: PunchPort, dial: Transport['dial']): Transport['dial'] {
  return async (address, options) => {
    const localPort = punch.portFor(address)
    if (localPort === undefined) return dial(address, options)
    try {
      // libp2p hands what it does not know on to net.connect.
      const connection = await dial(address, Object.assign({}, options, { localPort }))
      punch.note(connection)
      return connection
    } catch (error) {
      // Another program has the port, or a connection from it to the same place is not forgotten yet. Who punches a hole
      // (and says who is the server) tries again: from another port there would be none.
      if ('initiator' in options || !/EADDRINUSE|EADDRNOTAVAIL/.test(String(error))) throw error
      return dial(address, options)
    }
  }
}
