import { once } from 'node:events'
import { type Socket, connect, createServer } from 'node:net'

/**
 * Has bytes go there and back over a connection of its own, three times. Whatever another socket of this process had to read when it began has been read
 * then, and what came of that has been written and read, if anybody wants it: what has not happened by then does not happen.
 */
export async function thereAndBack(): Promise<void> {
  const server = createServer((socket) => socket.on('error', () => {}).pipe(socket)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const socket = connect({ port: (server.address() as { port: number }).port, host: '127.0.0.1' })
  for (let round = 0; round < 3; round++) await answered(socket)
  socket.destroy()
  server.close()
}

async function answered(socket: Socket): Promise<void> {
  socket.write('?')
  await once(socket, 'data')
}
