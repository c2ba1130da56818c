import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { randomInt, systemRandom } from '@weft/core'

/** Below those that the system gives to whoever asks for any (ip_local_port_range), so that no connection beside these tests takes it. */
const [FIRST_PORT, PORTS] = [30_000, 2_000]

/** A port of loopback that is free for TCP and UDP, and is not the other one. */
export async function freePort(other?: number): Promise<number> {
  for (;;) {
    const port = FIRST_PORT + randomInt(systemRandom, PORTS)
    if (port === other) continue
    const server = createServer().listen(port, '127.0.0.1')
    const socket = createSocket('udp4').bind(port, '127.0.0.1')
    const both = await Promise.allSettled([once(server, 'listening'), once(socket, 'listening')])
    if (server.listening) await once(server.close(), 'close')
    if (both[1].status === 'fulfilled') await once(socket.close(), 'close')
    if (both.every(({ status }) => status === 'fulfilled')) return port
  }
}
