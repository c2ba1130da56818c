import { once } from 'node:events'
import { createServer } from 'node:net'
import { DatagramEcho } from '../vpn-datagrams/datagram-echo.ts'

// A server of TCP and UDP on the port of its argument that sends back what it hears. Ends with its process.
const ANY = '0.0.0.0'
const port = Number(process.argv[2])
const server = createServer({ noDelay: true }, (socket) => void socket.on('error', () => {}).pipe(socket))
server.listen(port, ANY)
await once(server, 'listening')
await DatagramEcho.listen(ANY, port)
process.stdout.write('ready\n')
