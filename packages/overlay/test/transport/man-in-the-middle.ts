import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type Server, type Socket, connect, createServer } from 'node:net'
import type { TestNetwork, TestNode } from './test-network.ts'

/** One message of multistream-select 1.0. */
function message(text: string): Buffer {
  return Buffer.concat([Buffer.from([text.length + 1]), Buffer.from(`${text}\n`)])
}

const HEADER = message('/multistream/1.0.0')

/**
 * Somebody between two nodes who denies in the clear that the other side speaks TLS, and lets Noise pass.
 * @param passed counts the connections on which Noise was asked for
 */
async function manInTheMiddle(port: number, passed: { count: number }): Promise<Server> {
  const server = createServer((client) => {
    let buffer = Buffer.alloc(0)
    let denied = false
    client.on('error', () => {})
    const onData = (chunk: Buffer): void => {
      buffer = Buffer.concat([buffer, chunk])
      if (!denied && buffer.includes(message('/tls/1.0.0'))) {
        denied = true
        client.write(Buffer.concat([HEADER, message('na')]))
      }
      const at = buffer.indexOf(message('/noise'))
      if (at < 0) return
      passed.count++
      client.off('data', onData)
      relay(client, port, buffer.subarray(at))
    }
    client.on('data', onData)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

function relay(client: Socket, port: number, rest: Buffer): void {
  const up = connect(port, '127.0.0.1')
  up.on('error', () => {})
  up.write(Buffer.concat([HEADER, rest]))
  // The client has the other side's header from the man in the middle already.
  let skip = HEADER.length
  up.on('data', (chunk: Buffer) => {
    const cut = Math.min(skip, chunk.length)
    skip -= cut
    if (chunk.length > cut) client.write(chunk.subarray(cut))
  })
  client.on('data', (chunk: Buffer) => up.write(chunk))
  client.on('close', () => up.destroy())
  up.on('close', () => client.destroy())
}

function portOf(address: string): number {
  return Number(address.split('/').at(-1))
}

/** Connects through somebody who wants Noise. Whether the connection came about, and how often Noise was asked for. */
export async function through(network: TestNetwork, from: TestNode, to: TestNode): Promise<[boolean, number]> {
  const passed = { count: 0 }
  const middle = await manInTheMiddle(portOf(to.transport.listenAddresses()[0]!), passed)
  try {
    const { port } = middle.address() as { port: number }
    network.addresses.set(to.id, [`/ip4/127.0.0.1/tcp/${port}`])
    const connected = await from.transport.connect(to.id).then(
      () => true,
      (error: unknown) => {
        assert.equal((error as { code?: string }).code, 'E_NODE_UNREACHABLE')
        return false
      },
    )
    await from.transport.disconnect(to.id)
    return [connected, passed.count]
  } finally {
    middle.close()
  }
}
