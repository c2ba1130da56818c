import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { WeftError, portOwner } from '@weft/core'
import { PORTS_PER_NODE } from './port-block.ts'

const HOST = '127.0.0.1'
/** Highest base for which a suggestion is looked for. */
const LAST_PORT = 65_535
/** Blocks that are tried for the suggestion. */
const SUGGESTIONS = 20

/**
 * Sees that every port of the devnet is free, before anything is started.
 * @throws WeftError E_PORT_TAKEN naming the port and who holds it, with a free block to take instead
 */
export async function requireFreePorts(basePort: number, nodes: number): Promise<void> {
  const last = basePort + nodes * PORTS_PER_NODE - 1
  if (!Number.isInteger(basePort) || basePort < 1024 || last > LAST_PORT) {
    throw new WeftError({
      code: 'E_PORT_RANGE',
      cause: `A devnet of ${nodes} nodes from port ${basePort} on needs the ports ${basePort} to ${last}; valid are 1024 to ${LAST_PORT}.`,
      fix: `Give --base-port a number from 1024 to ${LAST_PORT + 1 - nodes * PORTS_PER_NODE}.`,
    })
  }
  const taken = await firstTakenPort(basePort, nodes)
  if (taken === undefined) return
  const owner = portOwner(taken)
  const free = await freeBlock(last + 1, nodes)
  throw new WeftError({
    code: 'E_PORT_TAKEN',
    cause: `Port ${taken} is taken${owner === undefined ? '' : ` by ${owner.name} (process ${owner.pid})`}; this devnet needs ${basePort} to ${last}.`,
    fix: `${free === undefined ? 'Choose other ports with --base-port' : `Use --base-port ${free}`}, or stop what holds the port.`,
    details: {
      port: taken,
      ...(owner && { pid: owner.pid, process: owner.name }),
      ...(free !== undefined && { freeBasePort: free }),
    },
  })
}

async function freeBlock(from: number, nodes: number): Promise<number | undefined> {
  const length = nodes * PORTS_PER_NODE
  for (let index = 0; index < SUGGESTIONS; index++) {
    const base = Math.ceil(from / 100) * 100 + index * Math.ceil(length / 100) * 100
    if (base + length - 1 > LAST_PORT) return undefined
    if ((await firstTakenPort(base, nodes)) === undefined) return base
  }
  return undefined
}

async function firstTakenPort(basePort: number, nodes: number): Promise<number | undefined> {
  for (let node = 0; node < nodes; node++) {
    const block = basePort + node * PORTS_PER_NODE
    const ports = Array.from({ length: PORTS_PER_NODE }, (_, index) => block + index)
    const free = await Promise.all(ports.map((port) => isFree(port)))
    const at = free.indexOf(false)
    if (at >= 0) return block + at
  }
  return undefined
}

async function isFree(port: number): Promise<boolean> {
  return (await tcpIsFree(port)) && (await udpIsFree(port))
}

async function tcpIsFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    server.listen({ host: HOST, port, exclusive: true })
    await once(server, 'listening')
    return true
  } catch {
    // EADDRINUSE, or EACCES on a port that this user may not have: not usable either way.
    return false
  } finally {
    if (server.listening) {
      server.close()
      await once(server, 'close')
    }
  }
}

async function udpIsFree(port: number): Promise<boolean> {
  const socket = createSocket('udp4')
  try {
    socket.bind({ address: HOST, port, exclusive: true })
    await once(socket, 'listening')
    return true
  } catch {
    // As for TCP.
    return false
  } finally {
    socket.close()
  }
}
