import { createSocket } from 'node:dgram'
import { connect, createServer } from 'node:net'

/** Runs beside a machine, takes what it sends by TCP, and calls it again and again, until it is ended. */
const EVERY_MS = 10
const [machine = ''] = process.argv.slice(2)

const server = createServer((socket) => socket.on('error', () => {}).resume())
server.listen(7_100, '0.0.0.0', () => process.stdout.write('up\n'))
const udp = createSocket('udp4').on('error', () => {})
setInterval(() => udp.send('1', 9_090, machine, () => {}), EVERY_MS)

let calls = 0
setInterval(() => {
  if (calls > 0) return
  calls++
  const socket = connect({ host: machine, port: 9_090, signal: AbortSignal.timeout(2_000) })
  socket.on('error', () => {}).resume()
  socket.on('close', () => calls--)
}, EVERY_MS)
